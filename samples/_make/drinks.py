"""Bottles, cans and juice boxes on a table, and a breakfast seen from above.

VIA keeps whole pixels, so straight edges are put on whole pixels and its outlines stay true.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from . import backdrops, props
from .canvas import SS, Colour, Layer, Point, Scene, Thing, darker, ellipse, lighter, mix

_BRANDS: tuple[tuple[Colour, Colour], ...] = (
    ((206, 36, 44), (250, 246, 240)),
    ((34, 84, 176), (232, 238, 246)),
    ((38, 138, 70), (250, 230, 90)),
    ((60, 56, 66), (236, 176, 52)),
    ((226, 116, 30), (255, 246, 224)),
)
_FRUITS: tuple[tuple[Colour, Colour], ...] = (
    ((246, 160, 40), (240, 120, 20)),
    ((150, 200, 80), (206, 50, 50)),
    ((142, 78, 160), (92, 34, 120)),
    ((240, 206, 70), (120, 170, 60)),
)


def scene(number: int, *, height: int = 120, width: int = 160) -> Scene:
    """Return table scene ``number``: none to four drinks, back to front."""
    rng = random.Random(f"table {number}")
    stage = Scene(backdrops.table(rng, height=height, width=width))
    count = 0 if number % 23 == 11 else rng.choice((2, 3, 3, 4))
    spots = [26, 62, 98, 134]
    rng.shuffle(spots)
    makers = [bottle, can, juice]
    rng.shuffle(makers)
    stands = [(rng.randint(82, 112), spots[k] + rng.randint(-12, 12), makers[k % 3])
              for k in range(count)]  # fmt: skip
    for ground, x, maker in sorted(stands, key=lambda stand: stand[:2]):
        maker(stage, rng, x=x, ground=ground)
    return stage


def _upright(profile: Sequence[Point], x: float) -> list[Point]:
    """Return the outline of a round thing: (half width, y) from top to bottom, mirrored."""
    right = [(x + w, y) for w, y in profile]
    return right + [(x - w, y) for w, y in profile[::-1]]


def _round(
    layer: Layer, profile: Sequence[Point], x: float, colour: Colour, *, detail: bool
) -> None:
    """Fill a round thing with light from the left and a dark right flank."""
    bands = 14
    layer.polygon(_upright(profile, x), darker(colour, 0.4), detail=detail)
    for k in range(bands):
        a, b = -1 + 2 * k / bands, -1 + 2 * (k + 1) / bands
        t = (a + b) / 2
        light = math.exp(-(((t + 0.45) / 0.32) ** 2))
        tone = mix(darker(colour, 0.12 + 0.3 * max(0.0, t) ** 2), (255, 255, 255), 0.5 * light)
        left, right = [(x + w * a, y) for w, y in profile], [(x + w * b, y) for w, y in profile]
        layer.polygon(left + right[::-1], tone, detail=True)


def _sole(half: float, bottom: float, depth: float) -> list[Point]:
    """Return the round lower edge of a cylinder as a profile."""
    return [(half * math.cos(t), bottom - depth + depth * math.sin(t))
            for t in (k * math.pi / 16 for k in range(9))]  # fmt: skip


def bottle(stage: Scene, rng: random.Random, *, x: int, ground: int) -> Thing:
    """Add a water bottle: cap, neck, shoulders and a label."""
    half, tall = rng.randint(8, 10), rng.randint(60, 70)
    top, neck = ground - tall, rng.choice((3, 4))
    water: Colour = rng.choice(((120, 186, 222), (134, 206, 214), (150, 196, 236)))
    cap: Colour = rng.choice(((36, 90, 190), (240, 244, 250), (30, 150, 170)))
    shoulder = top + round(tall * 0.36)
    stage.shadow(x + 3, ground - 1, half * 1.5, 5, strength=0.5)
    layer = stage.layer()
    curve = [(neck + (half - neck) * (0.5 - 0.5 * math.cos(math.pi * t)),
              top + 8 + (shoulder - top - 8) * t) for t in (k / 8 for k in range(9))]  # fmt: skip
    body = [(neck, top + 5), *curve, *_sole(half, ground, 3)]
    _round(layer, body, x, water, detail=False)
    level = shoulder - rng.randint(0, 5)
    inside = [(w - 1.1, y) for w, y in curve if y >= level] + [(half - 1.1, ground - 4)]
    layer.polygon(_upright(inside, x), lighter(water, 0.18), detail=True)
    for ridge in (0.82, 0.88):
        y = top + tall * ridge
        layer.line([(x - half, y), (x, y + 1.2), (x + half, y)], 0.5, darker(water, 0.3))
    brand, accent = rng.choice(_BRANDS[1:3])
    low, high = top + round(tall * 0.72), top + round(tall * 0.44)
    _round(layer, [(half, high), (half, low)], x, brand, detail=True)
    _round(layer, [(half, high + 2), (half, high + 4)], x, accent, detail=True)
    layer.polygon(ellipse(x, (low + high) / 2 + 2, half * 0.5, 4), accent, detail=True)
    drop = [(x, (low + high) / 2 - 1), (x + 1.8, (low + high) / 2 + 3),
            (x, (low + high) / 2 + 5), (x - 1.8, (low + high) / 2 + 3)]  # fmt: skip
    layer.polygon(drop, (70, 150, 220), detail=True)
    _round(layer, [(neck + 1, top), (neck + 1, top + 6)], x, cap, detail=False)
    shine = [(x - half * 0.62, shoulder + 1), (x - half * 0.4, shoulder - 1),
             (x - half * 0.4, ground - 7), (x - half * 0.62, ground - 7)]  # fmt: skip
    _glint(layer, shine)
    return stage.add("1", layer)


def _glint(layer: Layer, points: Sequence[Point]) -> None:
    stencil = Layer(height=layer.mask.height // SS, width=layer.mask.width // SS)
    stencil.polygon(points, (0, 0, 0))
    layer.rgb.paste((255, 255, 255), mask=stencil.mask.point([v // 3 for v in range(256)]))


def can(stage: Scene, rng: random.Random, *, x: int, ground: int) -> Thing:
    """Add a soda can: a metal cylinder with a stripe."""
    half, tall = rng.randint(9, 11), rng.randint(32, 38)
    top = ground - tall
    brand, accent = rng.choice(_BRANDS)
    metal: Colour = (188, 194, 202)
    stage.shadow(x + 3, ground - 1, half * 1.5, 5, strength=0.5)
    layer = stage.layer()
    neck = half - 2
    lid = [(neck * math.cos(t), top + 2 - 2 * math.sin(t))
           for t in (math.pi / 2 - k * math.pi / 16 for k in range(9))]  # fmt: skip
    base = _sole(neck, ground, 2)
    _round(layer, [*lid, (half, top + 6), (half, ground - 6), *base], x, metal, detail=False)
    paint = [(half, top + 6), (half, ground - 6)]
    _round(layer, paint, x, brand, detail=True)
    slant = rng.choice((-5, 5))
    low = (top + ground) / 2
    sash = [(x - half, low + slant - 4), (x + half, low - slant - 4), (x + half, low - slant + 3),
            (x - half, low + slant + 3)]  # fmt: skip
    layer.polygon(sash, mix(accent, brand, 0.12), detail=True)
    layer.polygon(ellipse(x + 1, low, half * 0.42, 4.2), accent, detail=True)
    layer.polygon(ellipse(x + 1, low, half * 0.22, 2.4), brand, detail=True)
    layer.polygon(ellipse(x, top + 2, neck - 0.2, 1.8), (216, 220, 226), detail=True)
    layer.polygon(ellipse(x, top + 2, neck - 1.4, 1.2), (150, 156, 166), detail=True)
    layer.polygon(ellipse(x + 1.5, top + 1.9, 2.2, 0.6), (226, 230, 236), detail=True)
    shine = [(x - half * 0.66, top + 5), (x - half * 0.4, top + 5), (x - half * 0.4, ground - 5),
             (x - half * 0.66, ground - 5)]  # fmt: skip
    _glint(layer, shine)
    return stage.add("2", layer)


def juice(stage: Scene, rng: random.Random, *, x: int, ground: int) -> Thing:
    """Add a juice box: a front, a side in the shade, a top and a bent straw."""
    half, tall, side = rng.randint(9, 11), rng.randint(38, 46), rng.randint(5, 7)
    rise = 4
    left, right, top = x - half - 2, x + half - 2, ground - tall
    pack, fruit = rng.choice(_FRUITS)
    stage.shadow(x + 5, ground - 2, half * 1.9, 5, strength=0.5)
    layer = stage.layer()
    tip = left + 2 * half - 5
    white: Colour = (250, 250, 250)
    layer.polygon([(tip, top - rise - 12), (tip + 2, top - rise - 12), (tip + 2, top - 1),
                   (tip, top - 1)], white)  # fmt: skip
    layer.polygon([(tip - 6, top - rise - 12), (tip + 2, top - rise - 12),
                   (tip + 2, top - rise - 10), (tip - 6, top - rise - 10)],
                  (236, 90, 90))  # fmt: skip
    layer.polygon([(left, top), (right, top), (right, ground), (left, ground)], pack)
    layer.polygon([(right, top), (right + side, top - rise), (right + side, ground - rise),
                   (right, ground)], darker(pack, 0.34))  # fmt: skip
    layer.polygon([(left, top), (left + side, top - rise), (right + side, top - rise),
                   (right, top)], lighter(pack, 0.5))  # fmt: skip
    layer.line([(tip + 1, top - rise), (tip + 1, top - 1)], 2, white)
    layer.polygon([(left, top), (right, top), (right, top + 9), (left, top + 9)],
                  lighter(pack, 0.72), detail=True)  # fmt: skip
    for k in range(3):
        bar = [(left + 3, top + 2.6 + k * 2), (right - 3 - 3 * k, top + 2.6 + k * 2)]
        layer.line(bar, 0.7, fruit)
    cx, cy = (left + right) / 2, ground - tall * 0.38
    r = half * 0.62
    for t in (0.0, 0.34, 0.68, 1.0):
        layer.disc(cx - 0.28 * r * t, cy - 0.3 * r * t, r * (1 - 0.66 * t),
                   mix(darker(fruit, 0.15), lighter(fruit, 0.3), t))  # fmt: skip
    leaf = ellipse(cx + 2.6, cy - r - 0.8, 2.8, 1.3, theta=-0.5)
    layer.polygon(leaf, (60, 140, 60), detail=True)
    layer.polygon([(left, ground - 5), (right, ground - 5), (right, ground), (left, ground)],
                  darker(fruit, 0.05), detail=True)  # fmt: skip
    return stage.add("3", layer)


def breakfast(number: int, *, height: int = 120, width: int = 160) -> Scene:
    """Return a breakfast from above, with one thing for every shape that VIA draws."""
    rng = random.Random(f"breakfast {number}")
    stage = Scene(backdrops.cloth(rng, height=height, width=width))
    _book(stage, rng, x=round(rng.uniform(6, 12)), y=round(rng.uniform(6, 14)))
    _plate(stage, x=round(rng.uniform(98, 112)), y=round(rng.uniform(44, 56)), r=36)
    px, py = stage.things[-1].points[0]
    _lemon(stage, x=px - 8, y=py + 2, theta=round(rng.uniform(-1.2, 1.2), 3))
    for dx, dy in ((14, -10), (16, 8), (4, -18)):
        _berry(stage, x=px + dx, y=py + dy)
    path = [(10.0, 100.0), (30.0, 92.0), (48.0, 98.0), (70.0, 108.0), (96.0, 104.0)]
    bent = [(a, round(b + rng.uniform(-2, 2))) for a, b in path]
    props.snake(stage, rng, bent)
    stage.things[-1].label, stage.things[-1].shape = "toy snake", "polyline"
    return stage


def _book(stage: Scene, rng: random.Random, *, x: int, y: int) -> None:
    w, h = 44, 58
    cover, accent = rng.choice(_BRANDS)
    stage.shadow(x + w / 2 + 2, y + h / 2 + 3, w * 0.75, h * 0.72, strength=0.6)
    layer = stage.layer()
    layer.polygon([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], cover)
    layer.polygon([(x, y), (x + 5, y), (x + 5, y + h), (x, y + h)], darker(cover), detail=True)
    layer.polygon([(x + 10, y + 8), (x + w - 5, y + 8), (x + w - 5, y + 24), (x + 10, y + 24)],
                  accent, detail=True)  # fmt: skip
    for k in range(3):
        layer.line([(x + 14, y + 12 + 4 * k), (x + w - 10 - 5 * k, y + 12 + 4 * k)], 1, cover)
    layer.disc(x + w / 2 + 3, y + 42, 8, lighter(cover, 0.35))
    stage.add("book", layer, "rect", [(x, y), (x + w, y + h)])


def _plate(stage: Scene, *, x: int, y: int, r: int) -> None:
    stage.shadow(x + 2, y + 3, r * 1.25, r * 1.25, strength=0.6)
    layer = stage.layer()
    layer.polygon(ellipse(x, y, r, r), (236, 240, 244))
    for t, tone in ((0.97, (250, 251, 252)), (0.74, (222, 227, 233)), (0.71, (244, 246, 249))):
        layer.disc(x, y, r * t, tone)
    layer.line([*ellipse(x, y, r * 0.9, r * 0.9), (x + r * 0.9, y)], 0.9, (70, 116, 176))
    stage.add("plate", layer, "circle", [(x, y), (x + r, y)])


def _lemon(stage: Scene, *, x: float, y: float, theta: float) -> None:
    rx, ry = 17.0, 11.0
    stage.shadow(x + 1, y + 3, rx * 1.2, ry * 1.35, strength=0.45)
    layer = stage.layer()
    yellow: Colour = (246, 206, 40)
    layer.polygon(ellipse(x, y, rx, ry, theta=theta), darker(yellow, 0.22))
    for t in (0.2, 0.45, 0.7, 1.0):
        layer.polygon(ellipse(x - 2.4 * t, y - 2.6 * t, rx * (1 - 0.62 * t), ry * (1 - 0.62 * t),
                              theta=theta), lighter(yellow, 0.4 * t), detail=True)  # fmt: skip
    stage.add("lemon", layer, "ellipse", [(x, y), (rx, ry), (theta, 0.0)])


def _berry(stage: Scene, *, x: float, y: float) -> None:
    r = props.TENNIS_RADIUS
    stage.shadow(x + 1, y + 1.5, r * 1.35, r * 1.3, strength=0.5)
    layer = stage.layer()
    layer.polygon(ellipse(x, y, r, r), (60, 64, 128))
    for t in (0.3, 0.6, 1.0):
        layer.disc(x - 0.3 * r * t, y - 0.34 * r * t, r * (1 - 0.66 * t),
                   lighter((72, 80, 152), 0.3 * t))  # fmt: skip
    layer.disc(x + 0.5, y + 0.4, 1.1, (40, 40, 84))
    stage.add("berry", layer, "point", [(x, y)])
