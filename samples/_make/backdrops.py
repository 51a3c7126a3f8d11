"""What stands behind the things: a park, a room, a table."""

from __future__ import annotations

import itertools
import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from .canvas import SS, Colour, Point, darker, ellipse, lighter, mix


def _gradient(top: Colour, bottom: Colour, *, height: int, width: int) -> Image.Image:
    t = np.linspace(0, 1, height * SS, dtype=np.float32)[:, None, None]
    rows = np.array(top, np.float32) * (1 - t) + np.array(bottom, np.float32) * t
    column = Image.fromarray(rows.astype(np.uint8))
    return column.resize((width * SS, height * SS), Image.Resampling.NEAREST)


def _fill(draw: ImageDraw.ImageDraw, points: list[Point], colour: Colour) -> None:
    draw.polygon([(x * SS, y * SS) for x, y in points], fill=colour)


def park(rng: random.Random, *, height: int, width: int) -> Image.Image:
    """Return sky, hills, trees and a lawn; the horizon is at 0.42 of the height."""
    sky = rng.choice((
        ((112, 176, 228), (214, 234, 244)),
        ((244, 178, 128), (252, 226, 190)),
        ((140, 164, 190), (222, 226, 226)),
        ((96, 150, 214), (240, 232, 214)),
    ))  # fmt: skip
    image = _gradient(*sky, height=height, width=width)
    draw = ImageDraw.Draw(image)
    horizon = height * 0.42
    for _ in range(rng.randint(1, 3)):
        x, y = rng.uniform(0, width), rng.uniform(6, horizon * 0.5)
        for k in range(4):
            r = rng.uniform(5, 9)
            _fill(draw, ellipse(x + k * 7, y + rng.uniform(-2, 2), r * 1.3, r * 0.62),
                  mix(sky[1], (255, 255, 255), 0.7))  # fmt: skip
    for k, tone in enumerate(((134, 172, 150), (104, 152, 112))):
        x = rng.uniform(0.1, 0.9) * width
        _fill(draw, ellipse(x, horizon + 16, width * (0.62 - 0.1 * k), 30 - 9 * k), tone)
    grass: Colour = rng.choice(((118, 168, 78), (134, 176, 84), (104, 154, 82), (150, 172, 90)))
    lawn = _gradient(lighter(grass, 0.16), darker(grass, 0.12), height=height, width=width)
    top = round(horizon * SS)
    image.paste(lawn.crop((0, top, width * SS, height * SS)), (0, top))
    if rng.random() < 0.5:
        x = rng.uniform(0.2, 0.8) * width
        way = [(x - 3, horizon), (x + 3, horizon), (x + rng.uniform(20, 60), height),
               (x - rng.uniform(20, 60), height)]  # fmt: skip
        _fill(draw, way, (206, 188, 150))
    for _ in range(rng.randint(2, 4)):
        _tree(draw, rng, rng.uniform(0, width), horizon + rng.uniform(0, 5))
    for _ in range(70):
        y = rng.uniform(horizon + 4, height)
        x = rng.uniform(0, width)
        blade = rng.choice((darker(grass, 0.22), lighter(grass, 0.25)))
        draw.line([(x * SS, y * SS), ((x + rng.uniform(-1, 1)) * SS, (y - 2.2) * SS)], blade, 3)
    return image


def _tree(draw: ImageDraw.ImageDraw, rng: random.Random, x: float, ground: float) -> None:
    tall = rng.uniform(20, 32)
    _fill(draw, [(x - 1.6, ground), (x + 1.6, ground), (x + 1, ground - tall * 0.6),
                 (x - 1, ground - tall * 0.6)], (104, 78, 58))  # fmt: skip
    leaves: Colour = rng.choice(((62, 118, 72), (78, 132, 66), (54, 104, 80), (120, 128, 62)))
    for k in range(7):
        cx, cy = x + rng.uniform(-7, 7), ground - tall * rng.uniform(0.55, 0.95)
        r = rng.uniform(4.5, 7)
        _fill(draw, ellipse(cx, cy, r, r * 0.9), mix(darker(leaves), lighter(leaves), k / 7))


def room(rng: random.Random, *, height: int, width: int) -> Image.Image:
    """Return a wall with a picture or a window, and a floor from 0.8 of the height."""
    wall: Colour = rng.choice((
        (206, 198, 182), (176, 194, 200), (214, 186, 172), (184, 196, 170), (158, 160, 178),
    ))  # fmt: skip
    image = _gradient(lighter(wall, 0.2), darker(wall, 0.1), height=height, width=width)
    draw = ImageDraw.Draw(image)
    floor = height * 0.8
    wood: Colour = rng.choice(((164, 124, 88), (132, 100, 78), (186, 152, 112)))
    x, y = rng.uniform(0.08, 0.6) * width, height * rng.uniform(0.08, 0.16)
    w, h = rng.uniform(26, 44), rng.uniform(26, 40)
    frame = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
    _fill(draw, frame, rng.choice(((240, 238, 230), (92, 70, 56), (60, 60, 66))))
    glass = [(x + 2.5, y + 2.5), (x + w - 2.5, y + 2.5), (x + w - 2.5, y + h - 2.5),
             (x + 2.5, y + h - 2.5)]  # fmt: skip
    _fill(draw, glass, (168, 206, 226))
    _fill(draw, [glass[3], (x + w * 0.45, y + h * 0.45), glass[2]], (116, 152, 120))
    _fill(draw, ellipse(x + w * 0.75, y + h * 0.3, 3.4, 3.4), (250, 226, 150))
    _fill(draw, [(0, floor - 3), (width, floor - 3), (width, floor), (0, floor)],
          lighter(wall, 0.5))  # fmt: skip
    _planks(draw, rng, wood, floor, height=height, width=width)
    return image


def _planks(
    draw: ImageDraw.ImageDraw,
    rng: random.Random,
    wood: Colour,
    top: float,
    *,
    height: int,
    width: int,
) -> None:
    """Boards that run towards the viewer."""
    middle = width / 2
    edges = [middle + (k - 6) * width / 7 for k in range(13)]
    for left, right in itertools.pairwise(edges):
        far_left, far_right = middle + (left - middle) * 0.62, middle + (right - middle) * 0.62
        tone = mix(darker(wood, 0.12), lighter(wood, 0.18), rng.random())
        _fill(draw, [(far_left, top), (far_right, top), (right, height), (left, height)], tone)
        for _ in range(3):
            t, u = rng.uniform(0.1, 0.9), rng.uniform(0, 0.7)
            x1, x2 = far_left + (far_right - far_left) * t, left + (right - left) * t
            grain = [((x1 + (x2 - x1) * v) * SS, (top + (height - top) * v) * SS)
                     for v in (u, u + 0.25)]  # fmt: skip
            draw.line(grain, darker(tone, 0.18), 2)
        draw.line([(far_left * SS, top * SS), (left * SS, height * SS)], darker(wood, 0.4), 2)


def table(rng: random.Random, *, height: int, width: int) -> Image.Image:
    """Return a kitchen wall, out of focus, and a table top from 0.5 of the height."""
    wall: Colour = rng.choice((
        (196, 206, 204), (222, 206, 180), (170, 188, 206), (206, 184, 176), (188, 200, 172),
    ))  # fmt: skip
    image = _gradient(darker(wall, 0.08), lighter(wall, 0.25), height=height, width=width)
    draw = ImageDraw.Draw(image)
    if rng.random() < 0.5:
        for k in range(1, 8):
            for line in ([(0, k * 15), (width, k * 15)], [(k * 22, 0), (k * 22, height)]):
                draw.line([(x * SS, y * SS) for x, y in line], darker(wall, 0.14), 5)
    else:
        for _ in range(5):
            x, tone = rng.uniform(0, width), rng.choice(((232, 214, 168), (150, 168, 150)))
            r = rng.uniform(6, 16)
            _fill(draw, ellipse(x, rng.uniform(5, 50), r, r), mix(wall, tone, 0.55))
    image = image.filter(ImageFilter.BoxBlur(6))
    wood: Colour = rng.choice((
        (176, 130, 88), (148, 108, 78), (202, 168, 126), (126, 96, 80), (190, 186, 178),
    ))  # fmt: skip
    top = height * 0.5
    draw = ImageDraw.Draw(image)
    _planks(draw, rng, wood, top, height=height, width=width)
    _fill(draw, [(0, top), (width, top), (width, top + 1.5), (0, top + 1.5)], lighter(wood, 0.4))
    return image


def cloth(rng: random.Random, *, height: int, width: int) -> Image.Image:
    """Return a checked table cloth from above."""
    base: Colour = rng.choice(((214, 226, 232), (232, 222, 206), (220, 230, 214)))
    image = Image.new("RGB", (width * SS, height * SS), base)
    draw = ImageDraw.Draw(image, "RGBA")
    red, green, blue = rng.choice(((196, 92, 84), (92, 132, 176), (112, 150, 104)))
    for k in range(0, width, 20):
        draw.rectangle([k * SS, 0, (k + 10) * SS - 1, height * SS], fill=(red, green, blue, 52))
    for k in range(0, height, 20):
        draw.rectangle([0, k * SS, width * SS, (k + 10) * SS - 1], fill=(red, green, blue, 52))
    return image
