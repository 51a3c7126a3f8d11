"""Drawing at four times the size: layers that know their silhouette, and a scene of them.

Coordinates are pixels of the finished image, x to the right and y down; pixel (r, c) covers
[c, c+1) x [r, r+1).
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

SS = 4
"""Supersampling: the scene is drawn SS times larger and averaged down."""

Point: TypeAlias = tuple[float, float]
Disc: TypeAlias = tuple[float, float, float]
Colour: TypeAlias = tuple[int, int, int]
Mask: TypeAlias = NDArray[np.bool_]

_CIRCLE = [(math.cos(k * math.pi / 9), math.sin(k * math.pi / 9)) for k in range(18)]
_LIGHT = (-0.3, -0.36)


def mix(a: Colour, b: Colour, t: float) -> Colour:
    """Return the colour at ``t`` (0 to 1) on the way from ``a`` to ``b``."""
    return (
        round(a[0] + (b[0] - a[0]) * t),
        round(a[1] + (b[1] - a[1]) * t),
        round(a[2] + (b[2] - a[2]) * t),
    )


def darker(colour: Colour, t: float = 0.25) -> Colour:
    """Return ``colour`` with ``t`` of a cool shadow in it."""
    return mix(colour, (20, 18, 40), t)


def lighter(colour: Colour, t: float = 0.3) -> Colour:
    """Return ``colour`` with ``t`` of a warm light in it."""
    return mix(colour, (255, 252, 235), t)


def lerp(a: Point, b: Point, t: float) -> Point:
    """Return the point at ``t`` (0 to 1) on the way from ``a`` to ``b``."""
    return a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t


def ellipse(cx: float, cy: float, rx: float, ry: float, *, theta: float = 0.0) -> list[Point]:
    """Return 48 points of an ellipse whose axis ``rx`` is turned by ``theta`` radians."""
    cos, sin = math.cos(theta), math.sin(theta)
    ring = []
    for k in range(48):
        x, y = rx * math.cos(k * math.pi / 24), ry * math.sin(k * math.pi / 24)
        ring.append((cx + x * cos - y * sin, cy + x * sin + y * cos))
    return ring


def hull(points: Iterable[Point]) -> list[Point]:
    """Return the convex hull, by Andrew's monotone chain."""
    ordered = sorted(points)
    chains = []
    for sequence in (ordered, ordered[::-1]):
        chain: list[Point] = []
        for x, y in sequence:
            while len(chain) > 1:
                (ax, ay), (bx, by) = chain[-2], chain[-1]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                    break
                chain.pop()
            chain.append((x, y))
        chains.append(chain[:-1])
    return chains[0] + chains[1]


class Layer:
    """One thing, drawn on its own: its colours and its silhouette."""

    def __init__(self, *, height: int, width: int) -> None:
        size = (width * SS, height * SS)
        self.rgb = Image.new("RGB", size)
        self.mask = Image.new("L", size)
        self._paint = ImageDraw.Draw(self.rgb)
        self._cut = ImageDraw.Draw(self.mask)

    def polygon(self, points: Iterable[Point], colour: Colour, *, detail: bool = False) -> None:
        """Fill a polygon; a ``detail`` colours what is there and adds nothing to the outline."""
        # Pillow's vertices are pixel centers, ours are corners of pixels.
        scaled = [(x * SS - 0.5, y * SS - 0.5) for x, y in points]
        self._paint.polygon(scaled, fill=colour)
        if not detail:
            self._cut.polygon(scaled, fill=255)

    def disc(self, x: float, y: float, r: float, colour: Colour, *, detail: bool = True) -> None:
        """Fill a disc."""
        self.polygon(ellipse(x, y, r, r), colour, detail=detail)

    def blob(self, discs: Sequence[Disc], colour: Colour, *, steps: int = 4) -> None:
        """Fill the convex hull of some discs, rounded by light from the upper left."""
        dark, light = darker(colour, 0.3), lighter(colour, 0.2)
        corners = [(x + c * r, y + s * r) for x, y, r in discs for c, s in _CIRCLE]
        where = {corner: index for index, corner in enumerate(corners)}
        outline = [divmod(where[corner], len(_CIRCLE)) for corner in hull(corners)]
        for step in range(steps):
            t = step / max(1, steps - 1)
            shrink = 1 - 0.72 * t
            ring = []
            for disc, k in outline:
                x, y, r = discs[disc]
                cos, sin = _CIRCLE[k]
                ring.append((x + r * (_LIGHT[0] * t + cos * shrink),
                             y + r * (_LIGHT[1] * t + sin * shrink)))  # fmt: skip
            self.polygon(ring, mix(dark, light, t), detail=step > 0)

    def line(self, points: Sequence[Point], width: float, colour: Colour) -> None:
        """Draw a thin detail line."""
        scaled = [(x * SS - 0.5, y * SS - 0.5) for x, y in points]
        self._paint.line(scaled, fill=colour, width=max(1, round(width * SS)), joint="curve")


@dataclass(slots=True)
class Thing:
    """One drawn thing: its class, its whole silhouette at SS times the size, and how to mark it."""

    label: str
    mask: Mask
    shape: str = "polygon"
    points: list[Point] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)


class Scene:
    """A backdrop and the things on it, back to front."""

    def __init__(self, backdrop: Image.Image) -> None:
        self.image = backdrop
        self.width, self.height = backdrop.width // SS, backdrop.height // SS
        self.things: list[Thing] = []

    def layer(self) -> Layer:
        """Return an empty layer of the scene's size."""
        return Layer(height=self.height, width=self.width)

    def add(
        self, label: str, layer: Layer, shape: str = "polygon", points: Sequence[Point] = ()
    ) -> Thing:
        """Put a drawn thing in front of all that is there."""
        used = layer.mask.getbbox() or (0, 0, 1, 1)
        self.image.paste(layer.rgb.crop(used), used, layer.mask.crop(used))
        thing = Thing(label, np.asarray(layer.mask) > 0, shape, list(points))
        self.things.append(thing)
        return thing

    def shadow(self, x: float, y: float, rx: float, ry: float, *, strength: float = 0.35) -> None:
        """Darken the ground under a thing, softly."""
        left, top = round((x - rx) * SS), round((y - ry) * SS)
        size = (max(4, round(2 * rx * SS)), max(4, round(2 * ry * SS)))
        glow = Image.radial_gradient("L").resize(size)
        alpha = glow.point([round(max(0, 255 - v * 1.35) * strength) for v in range(256)])
        self.image.paste((15, 20, 30), (left, top), alpha)

    def visible(self, index: int) -> Mask:
        """Return what the later things leave of thing ``index``."""
        seen = self.things[index].mask.copy()
        for later in self.things[index + 1 :]:
            seen &= ~later.mask
        return seen

    def render(self, rng: random.Random) -> Image.Image:
        """Return the finished picture: averaged down, lit unevenly, with a little sensor noise."""
        pixels = np.asarray(self.image.reduce(SS), dtype=np.float32)
        y = np.linspace(-1, 1, self.height, dtype=np.float32)[:, None, None]
        x = np.linspace(-1, 1, self.width, dtype=np.float32)[None, :, None]
        slope = rng.uniform(-0.07, 0.07) * x + rng.uniform(-0.05, 0.05) * y
        light = rng.uniform(0.93, 1.06) + slope - np.float32(0.05) * (x * x + y * y)
        # RandomState, because NumPy keeps its stream the same for ever.
        noise = np.random.RandomState(rng.randrange(2**31)).randint(-4, 5, pixels.shape)
        return Image.fromarray(np.clip(pixels * light + noise, 0, 255).astype(np.uint8))
