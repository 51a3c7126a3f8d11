"""The park scenes, and who is in them."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import numpy as np

from . import backdrops, people, props
from .canvas import SS, Point, Scene

_SLOTS = (24.0, 61.0, 99.0, 136.0)
_CASTS = (
    ("person", "ball", "dog"),
    ("pair", "crate"),
    ("snake", "person", "tilted crate"),
    ("umbrella", "dog"),
    ("tennis", "dog", "person"),
    ("bent snake", "crate", "ball"),
    ("akimbo", "ball", "tilted crate"),
    ("umbrella", "bent snake", "ball"),
    ("pair", "dog", "tennis"),
    ("person", "umbrella", "crate"),
)
_STANCES = ("stand", "wave", "walk", "cheer", "kick", "one hand on hip", "reach right", "akimbo")


def scene(
    number: int, *, height: int = 120, width: int = 160, cast: Sequence[str] | None = None
) -> Scene:
    """Return park scene ``number``; ``cast`` overrides who is in it, () is an empty park."""
    rng = random.Random(f"park {number}")
    stage = Scene(backdrops.park(rng, height=height, width=width))
    roles = _CASTS[number % len(_CASTS)] if cast is None else cast
    slots = [slot * width / 160 for slot in _SLOTS]
    rng.shuffle(slots)
    if number % 20 == 16:
        _far_away(stage, rng, x=slots[-1])
    # Snakes lie in front; the others stand the nearer the lower.
    entries = []
    for role, slot in zip(roles, slots, strict=False):
        depth = rng.uniform(0.78, 0.92) * height
        if "snake" in role or role == "tennis":
            depth = rng.uniform(0.9, 0.94) * height
        entries.append((depth, role, slot))
    for depth, role, slot in sorted(entries):
        _enter(stage, rng, role, x=slot + rng.uniform(-5, 5), ground=depth)
    return stage


def person(
    stage: Scene, rng: random.Random, stance: str, *, x: float, ground: float, size: float
) -> dict[str, Point]:
    """Add a person; return the joints."""
    pose = people.strike(rng, stance)
    at = people.joints(pose, x=x, ground=ground, size=size)
    stage.shadow(x, ground - 0.01 * size, 0.24 * size, 0.05 * size)
    layer = stage.layer()
    people.draw(layer, at, people.dress(rng), pose, size=size)
    stage.add("person", layer)
    return at


def _enter(stage: Scene, rng: random.Random, role: str, *, x: float, ground: float) -> None:
    if role == "person":
        person(stage, rng, rng.choice(_STANCES), x=x, ground=ground, size=rng.uniform(70, 88))
    elif role == "akimbo":
        person(stage, rng, "akimbo", x=x, ground=ground, size=rng.uniform(82, 94))
    elif role == "pair":
        size = rng.uniform(76, 88)
        person(stage, rng, rng.choice(_STANCES), x=x - 8, ground=ground - 4, size=size)
        person(stage, rng, "akimbo", x=x + rng.uniform(8, 13), ground=ground, size=size - 4)
    elif role == "umbrella":
        _sheltered(stage, rng, x=min(max(x, 28), stage.width - 28), ground=ground)
    elif role == "dog":
        props.dog(stage, rng, x=x, ground=ground, size=rng.uniform(34, 42))
    elif role == "ball":
        r = rng.uniform(9, 14)
        props.ball(stage, rng, x=x, y=ground - r, r=r)
    elif role == "tennis":
        count = rng.choice((1, 3, 4))
        spots = [(x + k * 13 - 18 + rng.uniform(-2, 2), ground + rng.uniform(-5, 4) - 4)
                 for k in range(count)]  # fmt: skip
        props.tennis_balls(stage, rng, spots)
    elif role.endswith("crate"):
        tilt = rng.choice((-1, 1)) * rng.uniform(0.25, 0.6) if role.startswith("tilted") else 0.0
        props.crate(stage, rng, x=x, ground=ground, size=rng.uniform(24, 32), tilt=tilt)
    else:
        props.snake(stage, rng, _path(stage, rng, bent=role.startswith("bent")))


def _far_away(stage: Scene, rng: random.Random, *, x: float) -> None:
    """Add a group too small to outline one by one: annotators mark it to be ignored."""
    layer = stage.layer()
    ground = stage.height * 0.47
    for k in range(5):
        pose = people.strike(rng, "stand")
        at = people.joints(pose, x=x + 4.6 * (k - 2), ground=ground + rng.uniform(-1, 1), size=17)
        people.draw(layer, at, people.dress(rng), pose, size=17)
    corners = [(round(x - 13), round(ground - 19)), (round(x + 13), round(ground + 2))]
    crowd = stage.add("__ignore__", layer, "rectangle", corners)
    (x1, y1), (x2, y2) = corners
    # The whole rectangle is ignored, and so is what a gap at somebody's arm shows of it.
    crowd.mask = np.zeros_like(crowd.mask)
    crowd.mask[y1 * SS : y2 * SS, x1 * SS : x2 * SS] = True


def _sheltered(stage: Scene, rng: random.Random, *, x: float, ground: float) -> None:
    """Add somebody with an umbrella, whose shaft stands beside the head."""
    size = rng.uniform(64, 70)
    at = person(stage, rng, "hold up", x=x, ground=ground, size=size)
    hand, head = at["left_wrist"], at["head"]
    props.umbrella(stage, rng, hand=hand, x=hand[0] - 3, y=head[1] - 0.03 * size)


def _path(stage: Scene, rng: random.Random, *, bent: bool) -> list[Point]:
    length = rng.uniform(54, 80)
    x = rng.uniform(8, stage.width - length - 8)
    y = stage.height - rng.uniform(11, 15)
    way = rng.choice((-1, 1))
    if not bent:
        slope = rng.uniform(-0.12, 0.12)
        path = [(x, y - slope * length / 2), (x + length, y + slope * length / 2)]
    else:
        swing, waves = rng.uniform(4, 6), rng.uniform(1.4, 1.9)
        path = [(x + length * k / 22, y - 2 + swing * math.sin(k / 22 * waves * 2 * math.pi))
                for k in range(23)]  # fmt: skip
    return [(round(a, 2), round(b, 2)) for a, b in path[::way]]
