"""The things in the park: dog, ball, crate, snake, umbrella."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence

from .canvas import SS, Colour, Disc, Layer, Point, Scene, Thing, darker, ellipse, lerp, lighter

SNAKE_WIDTH = 10.0
"""As wide as labelme paints a line."""
TENNIS_RADIUS = 5.0
"""As large as labelme paints a point."""


def dog(scene: Scene, rng: random.Random, *, x: float, ground: float, size: float) -> Thing:
    """Add a dog seen from the side, ``size`` pixels long."""
    coat: Colour = rng.choice(((250, 246, 236), (70, 62, 60), (196, 104, 44), (120, 116, 122)))
    patch = rng.choice((darker(coat, 0.45), lighter(coat, 0.5)))
    way = rng.choice((-1.0, 1.0))
    wag = rng.uniform(0.1, 0.3)
    scene.shadow(x, ground, size * 0.55, size * 0.1)
    layer = scene.layer()

    def at(u: float, v: float, r: float) -> Disc:
        return x + way * u * size, ground - v * size, r * size

    layer.blob([at(-0.38, 0.52, 0.05), at(-0.55, 0.62 + wag, 0.025)], coat)
    for u in (-0.3, -0.18, 0.2, 0.32):
        far = u in (-0.18, 0.2)
        tone = darker(coat, 0.3) if far else coat
        layer.blob([at(u, 0.36, 0.075), at(u, 0.05, 0.052), at(u + 0.03, 0.045, 0.045)], tone)
    layer.blob([at(-0.27, 0.47, 0.15), at(0.22, 0.5, 0.16)], coat)
    layer.polygon(ellipse(*at(-0.08, 0.53, 0.13)[:2], 0.13 * size, 0.08 * size, theta=0.2), patch,
                  detail=True)  # fmt: skip
    layer.blob([at(0.25, 0.58, 0.12), at(0.38, 0.8, 0.1)], coat)
    layer.blob([at(0.4, 0.84, 0.145), at(0.56, 0.78, 0.075), at(0.6, 0.78, 0.065)], coat)
    layer.blob([at(0.31, 0.94, 0.065), at(0.24, 0.74, 0.06)], patch)
    layer.disc(*at(0.655, 0.815, 0.035), (30, 26, 30))
    layer.disc(*at(0.47, 0.88, 0.024), (24, 22, 26))
    layer.disc(*at(0.464, 0.887, 0.008), (250, 250, 250))
    red = rng.choice(((206, 52, 48), (46, 110, 190), (240, 180, 50)))
    collar = [at(0.2, 0.72, 0)[:2], at(0.42, 0.66, 0)[:2], at(0.43, 0.61, 0)[:2],
              at(0.22, 0.665, 0)[:2]]  # fmt: skip
    layer.polygon(collar, red, detail=True)
    return scene.add("dog", layer)


def ball(scene: Scene, rng: random.Random, *, x: float, y: float, r: float) -> Thing:
    """Add a beach ball."""
    scene.shadow(x + 1, y + r * 0.92, r * 1.1, r * 0.3)
    layer = scene.layer()
    colours: list[Colour] = [(226, 56, 60), (250, 250, 246), (44, 108, 206), (250, 250, 246),
                             (250, 196, 44), (250, 250, 246)]  # fmt: skip
    layer.polygon(ellipse(x, y, r, r), colours[1])
    turn = rng.uniform(0, 2 * math.pi)
    hub = (x - 0.25 * r, y - 0.3 * r)
    for k, colour in enumerate(colours):
        # Long wedges, cut off at the outline by the layer's silhouette.
        arc = [turn + (k + t / 6) * math.pi / 3 for t in range(7)]
        wedge = [(x + 1.2 * r * math.cos(a), y + 1.2 * r * math.sin(a)) for a in arc]
        layer.polygon([hub, *wedge], colour, detail=True)
    far, near = ellipse(x, y, 1.4 * r, 1.4 * r), ellipse(x - 0.22 * r, y - 0.26 * r, r, r)
    _shade(layer, [*far, far[0], near[0], *near[::-1]], 0.25)
    layer.disc(*hub, 0.17 * r, (252, 250, 240))
    layer.polygon(ellipse(x - 0.42 * r, y - 0.52 * r, 0.2 * r, 0.1 * r, theta=-0.7),
                  (255, 255, 255), detail=True)  # fmt: skip
    rim = rng.uniform(0, 2 * math.pi)
    rim_point = (x + r * math.cos(rim), y + r * math.sin(rim))
    return scene.add("ball", layer, "circle", [(x, y), rim_point])


def _shade(layer: Layer, points: list[Point], strength: float) -> None:
    """Darken a part of what a layer shows."""
    stencil = Layer(height=layer.mask.height // SS, width=layer.mask.width // SS)
    stencil.polygon(points, (0, 0, 0))
    layer.rgb.paste((20, 18, 50), mask=stencil.mask.point([int(v * strength) for v in range(256)]))


def tennis_balls(scene: Scene, rng: random.Random, centers: list[Point]) -> Thing:
    """Add small balls, marked by one point each."""
    layer = scene.layer()
    for x, y in centers:
        r = TENNIS_RADIUS
        scene.shadow(x + 1, y + r * 0.9, r * 1.2, r * 0.4)
        layer.polygon(ellipse(x, y, r, r), (150, 178, 30))
        for t in (0.25, 0.5, 0.75, 1.0):
            layer.disc(x - 0.3 * r * t, y - 0.32 * r * t, r * (1 - 0.62 * t),
                       lighter((196, 216, 44), 0.35 * t))  # fmt: skip
        bend = [(x - r + 2 * r * t, y + 0.5 * r - 0.8 * r * math.sin(t * 3)) for t in
                (0, 0.2, 0.4, 0.6, 0.8, 1)]  # fmt: skip
        layer.line(bend, 0.7, (250, 250, 236))
    return scene.add("ball", layer, "point" if len(centers) == 1 else "points", centers)


def crate(
    scene: Scene, rng: random.Random, *, x: float, ground: float, size: float, tilt: float = 0.0
) -> Thing:
    """Add a wooden crate; a tilted one stands on a corner."""
    wood: Colour = rng.choice(((214, 158, 84), (196, 134, 70), (226, 180, 112)))
    half = size / 2
    rise = half * (abs(math.cos(tilt)) + abs(math.sin(tilt)))
    cx, cy = x, ground - rise
    scene.shadow(x, ground, size * 0.66, size * 0.12, strength=0.45)
    layer = scene.layer()
    cos, sin = math.cos(tilt), math.sin(tilt)

    def at(u: float, v: float) -> Point:
        u, v = u * half, v * half
        return cx + u * cos - v * sin, cy + u * sin + v * cos

    def board(u1: float, v1: float, u2: float, v2: float, tone: Colour, *, first: bool) -> None:
        layer.polygon([at(u1, v1), at(u2, v1), at(u2, v2), at(u1, v2)], tone, detail=not first)

    board(-1, -1, 1, 1, darker(wood, 0.5), first=True)
    for k in range(4):
        low = -0.96 + k * 0.49
        tone = darker(wood, 0.04 + 0.06 * k + rng.uniform(0, 0.06))
        board(-0.96, low, 0.96, low + 0.45, tone, first=False)
        for v in (low + 0.14, low + 0.3):
            layer.line([at(-0.9, v), at(0.9, v + rng.uniform(-0.03, 0.03))], 0.3, darker(tone, 0.2))
    brace = [at(-0.8, 0.96), at(-0.96, 0.8), at(0.8, -0.96), at(0.96, -0.8)]
    layer.polygon(brace, lighter(wood, 0.12), detail=True)
    for edge in ((-1, -1, 1, -0.72), (-1, 0.72, 1, 1), (-1, -1, -0.74, 1), (0.74, -1, 1, 1)):
        u1, v1, u2, v2 = edge
        board(u1, v1, u2, v2, darker(wood, 0.4), first=False)
        board(u1 + 0.05, v1 + 0.05, u2 - 0.05, v2 - 0.05, lighter(wood, 0.16), first=False)
    for u in (-0.87, 0.87):
        for v in (-0.86, 0.86):
            layer.disc(*at(u, v), 0.45, (90, 70, 60))
    if tilt:
        corners = [at(-1, -1), at(1, -1), at(1, 1), at(-1, 1)]
        return scene.add("crate", layer, "oriented_rectangle", corners)
    return scene.add("crate", layer, "rectangle", [at(-1, -1), at(1, 1)])


def snake(scene: Scene, rng: random.Random, path: Sequence[Point]) -> Thing:
    """Add a snake along a path of points; it is as wide as labelme paints a line."""
    bands: tuple[Colour, Colour, Colour] = rng.choice((
        ((214, 48, 40), (34, 30, 36), (248, 206, 66)),
        ((236, 110, 30), (60, 28, 70), (250, 228, 180)),
        ((222, 40, 90), (28, 36, 76), (244, 240, 230)),
    ))  # fmt: skip
    half = SNAKE_WIDTH / 2
    for x, y in path[:: max(1, len(path) // 8)]:
        scene.shadow(x + 1, y + 3.5, 9, 5)
    layer = scene.layer()
    lengths = [0.0]
    for a, b in itertools.pairwise(path):
        lengths.append(lengths[-1] + math.dist(a, b))
    total = lengths[-1]

    def side(s: float) -> tuple[Point, Point]:
        k = max(i for i in range(len(path) - 1) if lengths[i] <= s + 1e-9)
        a, b = path[k], path[k + 1]
        span = lengths[k + 1] - lengths[k]
        x, y = lerp(a, b, (s - lengths[k]) / span)
        nx, ny = -(b[1] - a[1]) / span, (b[0] - a[0]) / span
        return (x + nx * half, y + ny * half), (x - nx * half, y - ny * half)

    steps = max(2, round(total / 1.5))
    edges = [side(total * k / steps) for k in range(steps + 1)]
    for k, ((al, ar), (bl, br)) in enumerate(itertools.pairwise(edges)):
        tone = bands[(0, 0, 0, 2, 1, 1, 2)[k % 7]]
        for t, shade in ((0.0, darker(tone, 0.3)), (0.12, tone), (0.3, lighter(tone, 0.22))):
            quad = [lerp(al, ar, t), lerp(bl, br, t), lerp(br, bl, t), lerp(ar, al, t)]
            layer.polygon(quad, shade, detail=t > 0)
    (hl, hr), (nl, nr) = edges[-1], edges[-6]
    layer.polygon([nl, hl, hr, nr], darker(bands[0], 0.1), detail=True)
    for t in (0.25, 0.75):
        ex, ey = lerp(lerp(nl, nr, t), lerp(hl, hr, t), 0.62)
        layer.disc(ex, ey, 1.35, (252, 252, 244))
        layer.disc(ex, ey, 0.7, (16, 16, 20))
    return scene.add("snake", layer, "line" if len(path) == 2 else "linestrip", path)


def umbrella(scene: Scene, rng: random.Random, *, hand: Point, x: float, y: float) -> Thing:
    """Add an umbrella held in ``hand``, the middle of its canopy's rim at (x, y)."""
    colours: tuple[Colour, Colour] = rng.choice((
        ((226, 60, 92), (252, 240, 232)),
        ((46, 126, 190), (250, 214, 80)),
        ((110, 70, 160), (240, 160, 200)),
        ((30, 140, 130), (250, 250, 240)),
    ))  # fmt: skip
    r, tall = 25.0, 19.0
    layer = scene.layer()
    foot = (hand[0], hand[1] + 3)
    shaft = [(x - 0.8, y), (x + 0.8, y), (foot[0] + 0.8, foot[1]), (foot[0] - 0.8, foot[1])]
    layer.polygon(shaft, (70, 60, 66))
    layer.blob([(x, y - tall - 1.5, 1.0)], (70, 60, 66), steps=2)
    ribs = 6
    for k in range(ribs):
        left, right = (-1 + 2 * k / ribs) * r, (-1 + 2 * (k + 1) / ribs) * r
        tone = colours[k % 2]
        tone = darker(tone, 0.05 * k) if k > 2 else lighter(tone, 0.08 * (2 - k))
        outline = [(x + left * math.cos(t), y - tall * math.sin(t)) for t in _QUARTER]
        outline += [(x + right * math.cos(t), y - tall * math.sin(t)) for t in _QUARTER[::-1]]
        middle = (left + right) / 2
        outline += [(x + middle + (right - left) * u, y - 2.6 * (1 - 4 * u * u))
                    for u in (0.5, 0.3, 0.1, -0.1, -0.3, -0.5)]  # fmt: skip
        layer.polygon(outline, tone)
    return scene.add("umbrella", layer)


_QUARTER = [k * math.pi / 20 for k in range(11)]
