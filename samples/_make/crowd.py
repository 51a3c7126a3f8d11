"""People close together: who hides whom, what is left to see, and where the joints are."""

from __future__ import annotations

import random
from dataclasses import dataclass

from . import backdrops, people
from .canvas import SS, Mask, Point, Scene
from .trace import box

_STANCES = ("stand", "wave", "akimbo", "one hand on hip", "walk", "cheer", "reach left",
            "reach right", "hands behind")  # fmt: skip


@dataclass(slots=True)
class Human:
    """One person of a crowd: whole silhouette, visible part, joints and how well each is seen."""

    whole: Mask
    seen: Mask
    joints: dict[str, tuple[Point, int]]

    @property
    def bbox(self) -> tuple[int, int, int, int]:
        """The box x1, y1, x2, y2 around the whole person, as far as it is in the picture."""
        return box(self.whole)


def scene(number: int, *, height: int = 160, width: int = 160) -> tuple[Scene, list[Human]]:
    """Return crowd ``number`` and its people, back to front; the first is far away in some."""
    rng = random.Random(f"crowd {number}")
    company = number % 12 == 5
    backdrop = rng.choice((backdrops.room, backdrops.room, backdrops.park))
    backdrop = backdrops.park if company else backdrop
    stage = Scene(backdrop(rng, height=height, width=width))
    count = rng.choice((2, 2, 2, 3))
    middle = rng.uniform(66, 94)
    ground = rng.uniform(148, 154)
    offsets = [(k - (count - 1) / 2) * rng.uniform(14, 24) for k in range(count)]
    rng.shuffle(offsets)
    places = [(middle + offset, ground - 4 * (count - 1 - k), rng.uniform(116, 136))
              for k, offset in enumerate(offsets)]  # fmt: skip
    if company:
        places.insert(0, (14.0 if middle > 80 else 146.0, 118.0, 44.0))
    drawn = [_person(stage, rng, *place) for place in places]
    seen = [stage.visible(k) for k in range(len(drawn))]
    crowd = [
        Human(thing.mask, seen[k], _judge(drawn[k], seen[k], thing.mask))
        for k, thing in enumerate(stage.things)
    ]
    return stage, crowd


def _person(
    stage: Scene, rng: random.Random, x: float, ground: float, size: float
) -> tuple[dict[str, Point], bool]:
    pose = people.strike(rng, rng.choice(_STANCES))
    at = people.joints(pose, x=x, ground=ground, size=size)
    stage.shadow(x, ground - 0.01 * size, 0.26 * size, 0.05 * size, strength=0.45)
    layer = stage.layer()
    people.draw(layer, at, people.dress(rng), pose, size=size)
    stage.add("person", layer)
    return at, pose.arms_behind


def _judge(
    drawn: tuple[dict[str, Point], bool], seen: Mask, whole: Mask
) -> dict[str, tuple[Point, int]]:
    """Tell for each joint: 0 out of the picture, 1 visible, 2 behind oneself, 3 behind others."""
    at, arms_behind = drawn
    judged = {}
    for name, (x, y) in at.items():
        row, col = int(y * SS), int(x * SS)
        if not (0 <= row < seen.shape[0] and 0 <= col < seen.shape[1]):
            judged[name] = ((0.0, 0.0), 0)
            continue
        hidden = whole[row, col] and not seen[row, col]
        behind = arms_behind and name.endswith(("wrist", "elbow"))
        judged[name] = ((round(x, 2), round(y, 2)), 3 if hidden else 2 if behind else 1)
    return judged
