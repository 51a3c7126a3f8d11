"""People: nineteen joints, a look, and the drawing of both."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace

from .canvas import Colour, Layer, Point, darker, ellipse, lerp, lighter

JOINTS = (
    "right_shoulder", "right_elbow", "right_wrist", "left_shoulder", "left_elbow", "left_wrist",
    "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle",
    "head", "neck", "right_ear", "left_ear", "nose", "right_eye", "left_eye",
)  # fmt: skip
"""The nineteen joints that OCHuman marks; the left hand of a person is on the right."""

SKINS: tuple[Colour, ...] = (
    (244, 204, 172), (226, 172, 132), (190, 132, 92), (138, 90, 62), (96, 62, 46), (250, 216, 190),
)  # fmt: skip
HAIRS: tuple[Colour, ...] = (
    (40, 30, 28), (92, 56, 32), (202, 152, 72), (168, 72, 34), (70, 66, 72), (24, 22, 30),
)  # fmt: skip
TOPS: tuple[Colour, ...] = (
    (214, 62, 58), (236, 182, 58), (58, 108, 184), (240, 238, 230), (120, 72, 150), (238, 120, 68),
    (32, 128, 128), (226, 118, 158), (50, 56, 78),
)  # fmt: skip
BOTTOMS: tuple[Colour, ...] = (
    (44, 62, 104), (60, 58, 62), (150, 122, 88), (86, 104, 140), (34, 40, 56), (124, 46, 58),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """What a person wears."""

    skin: Colour
    hair: Colour
    top: Colour
    stripe: Colour
    bottom: Colour
    shoes: Colour
    style: str
    pattern: str
    long_sleeves: bool
    skirt: bool


@dataclass(frozen=True, slots=True)
class Pose:
    """Angles in degrees from hanging straight down, positive towards the right of the picture."""

    lean: float = 0.0
    right_arm: tuple[float, float] = (-12.0, -6.0)
    left_arm: tuple[float, float] = (12.0, 6.0)
    right_leg: tuple[float, float] = (-5.0, -2.0)
    left_leg: tuple[float, float] = (5.0, 2.0)
    arms_behind: bool = False


POSES: dict[str, Pose] = {
    "stand": Pose(),
    "wave": Pose(left_arm=(118, 168), lean=-2),
    "akimbo": Pose(right_arm=(-48, 52), left_arm=(48, -52), right_leg=(-9, -3), left_leg=(9, 3)),
    "one hand on hip": Pose(right_arm=(-48, 54), left_arm=(16, 10), lean=2),
    "walk": Pose(right_arm=(-32, -12), left_arm=(30, 48), right_leg=(-22, -30), left_leg=(20, 4)),
    "cheer": Pose(right_arm=(-140, -165), left_arm=(140, 165), right_leg=(-14, -8),
                  left_leg=(14, 8)),
    "reach left": Pose(right_arm=(-82, -94), left_arm=(18, 8), lean=-4),
    "reach right": Pose(left_arm=(82, 94), right_arm=(-18, -8), lean=4),
    "kick": Pose(right_arm=(-44, -30), left_arm=(40, 66), left_leg=(46, 30), right_leg=(-6, -4),
                 lean=-6),
    "hands behind": Pose(right_arm=(-20, 40), left_arm=(20, -40), arms_behind=True),
    "hold up": Pose(left_arm=(34, 150), right_arm=(-12, -4)),
}  # fmt: skip


def dress(rng: random.Random) -> Look:
    """Return a random look."""
    top = rng.choice(TOPS)
    return Look(
        skin=rng.choice(SKINS),
        hair=rng.choice(HAIRS),
        top=top,
        stripe=rng.choice([c for c in TOPS if c != top]),
        bottom=rng.choice(BOTTOMS),
        shoes=rng.choice(((240, 240, 240), (48, 40, 40), (180, 60, 50), (90, 60, 40))),
        style=rng.choice(("short", "long", "bun", "curly", "cap")),
        pattern=rng.choice(("plain", "plain", "stripes", "badge")),
        long_sleeves=rng.random() < 0.5,
        skirt=rng.random() < 0.3,
    )


def strike(rng: random.Random, name: str) -> Pose:
    """Return the pose called ``name``, a little different each time."""

    def near(pair: tuple[float, float], spread: float) -> tuple[float, float]:
        return pair[0] + rng.uniform(-spread, spread), pair[1] + rng.uniform(-spread, spread)

    pose = POSES[name]
    return replace(
        pose,
        lean=pose.lean + rng.uniform(-3, 3),
        right_arm=near(pose.right_arm, 4),
        left_arm=near(pose.left_arm, 4),
        right_leg=near(pose.right_leg, 3),
        left_leg=near(pose.left_leg, 3),
    )


def joints(pose: Pose, *, x: float, ground: float, size: float) -> dict[str, Point]:
    """Return where the joints are for a person ``size`` pixels tall, standing on ``ground``."""

    def go(start: Point, angle: float, length: float) -> Point:
        turn = math.radians(angle)
        return start[0] + math.sin(turn) * length * size, start[1] + math.cos(turn) * length * size

    hip = (0.0, 0.0)
    chest = go(hip, 180 - pose.lean, 0.27)
    head = go(chest, 180 - pose.lean, 0.155)
    at: dict[str, Point] = {"neck": go(chest, 180 - pose.lean, 0.035), "head": head}
    for side, sign in (("right", -1.0), ("left", 1.0)):
        arm = pose.right_arm if side == "right" else pose.left_arm
        leg = pose.right_leg if side == "right" else pose.left_leg
        shoulder = (chest[0] + sign * 0.1 * size, chest[1] + 0.012 * size)
        elbow = go(shoulder, arm[0], 0.155)
        thigh = (sign * 0.05 * size, 0.01 * size)
        knee = go(thigh, leg[0], 0.225)
        at |= {
            f"{side}_shoulder": shoulder,
            f"{side}_elbow": elbow,
            f"{side}_wrist": go(elbow, arm[1], 0.145),
            f"{side}_hip": thigh,
            f"{side}_knee": knee,
            f"{side}_ankle": go(knee, leg[1], 0.215),
            f"{side}_ear": (head[0] + sign * 0.088 * size, head[1] + 0.005 * size),
            f"{side}_eye": (head[0] + sign * 0.036 * size, head[1]),
        }
    at["nose"] = (head[0], head[1] + 0.024 * size)
    lowest = max(at["right_ankle"][1], at["left_ankle"][1]) + 0.035 * size
    return {name: (px + x, py + ground - lowest) for name, (px, py) in at.items()}


def draw(layer: Layer, at: dict[str, Point], look: Look, pose: Pose, *, size: float) -> None:
    """Draw a person facing the viewer."""
    if pose.arms_behind:
        _arms(layer, at, look, size)
    if look.style == "long":
        x, y = at["head"]
        r = 0.1 * size
        drop = y + 0.15 * size
        layer.blob([(x, y - 0.01 * size, r), (x - r * 0.5, drop, r * 0.5),
                    (x + r * 0.5, drop, r * 0.5)], look.hair)  # fmt: skip
    _legs(layer, at, look, size)
    _torso(layer, at, look, size)
    _head(layer, at, look, size)
    if not pose.arms_behind:
        _arms(layer, at, look, size)


def _legs(layer: Layer, at: dict[str, Point], look: Look, size: float) -> None:
    for side, sign in (("right", -1), ("left", 1)):
        hip, knee, ankle = at[f"{side}_hip"], at[f"{side}_knee"], at[f"{side}_ankle"]
        lower = look.skin if look.skirt else look.bottom
        toe = ankle[0] + sign * 0.03 * size, ankle[1] + 0.012 * size
        layer.blob([(*ankle, 0.028 * size), (*toe, 0.026 * size)], look.shoes)
        layer.blob([(*knee, 0.042 * size), (*ankle, 0.03 * size)], lower)
        layer.blob([(*hip, 0.056 * size), (*knee, 0.043 * size)], lower)
    if look.skirt:
        hips = [(*at[f"{side}_hip"], 0.058 * size) for side in ("right", "left")]
        knees = [lerp(at[f"{s}_hip"], at[f"{s}_knee"], 0.75) for s in ("right", "left")]
        hem = [(x, y, 0.05 * size) for x, y in knees]
        layer.blob([*hips, *hem], look.bottom)


def _torso(layer: Layer, at: dict[str, Point], look: Look, size: float) -> None:
    right, left = at["right_shoulder"], at["left_shoulder"]
    low_right, low_left = at["right_hip"], at["left_hip"]
    neck, head = at["neck"], at["head"]
    layer.blob([(*neck, 0.036 * size), (*lerp(neck, head, 0.4), 0.036 * size)],
               darker(look.skin, 0.12), steps=2)  # fmt: skip
    layer.blob([(*right, 0.045 * size), (*left, 0.045 * size), (*low_right, 0.05 * size),
                (*low_left, 0.05 * size)], look.top)  # fmt: skip
    middle = lerp(lerp(right, left, 0.5), lerp(low_right, low_left, 0.5), 0.4)
    if look.pattern == "stripes":
        for k in range(4):
            t = 0.12 + k * 0.25
            band = [lerp(right, low_right, t), lerp(left, low_left, t),
                    lerp(left, low_left, t + 0.11), lerp(right, low_right, t + 0.11)]  # fmt: skip
            layer.polygon(band, look.stripe, detail=True)
    elif look.pattern == "badge":
        layer.disc(*middle, 0.05 * size, look.stripe)
    layer.disc(neck[0], neck[1] + 0.012 * size, 0.034 * size, darker(look.skin, 0.05))


def _head(layer: Layer, at: dict[str, Point], look: Look, size: float) -> None:
    x, y = at["head"]
    r = 0.088 * size
    for side in ("right", "left"):
        layer.blob([(*at[f"{side}_ear"], 0.2 * r)], look.skin, steps=2)
    if look.style == "bun":
        layer.blob([(x, y - 1.25 * r, 0.42 * r)], look.hair)
    if look.style == "curly":
        for k in range(9):
            turn = math.pi * (0.95 + k * 0.1375)
            layer.blob([(x + math.cos(turn) * r, y + math.sin(turn) * r, 0.38 * r)], look.hair,
                       steps=2)  # fmt: skip
    layer.blob([(x, y, r), (x, y + 0.16 * r, 0.92 * r)], look.skin)
    _face(layer, at, look, x, y, r)
    fringe = [(x + r * 1.07 * math.cos(a), y - 0.02 * r + r * 1.07 * math.sin(a))
              for a in (math.pi * (1.0 + k / 12) for k in range(13))]  # fmt: skip
    if look.style == "cap":
        layer.polygon([*fringe, (x + r, y - 0.3 * r), (x - r, y - 0.3 * r)], look.stripe)
        layer.blob([(x - 0.9 * r, y - 0.32 * r, 0.14 * r), (x + 1.25 * r, y - 0.3 * r, 0.12 * r)],
                   darker(look.stripe, 0.2), steps=2)  # fmt: skip
        return
    parting = [(x + 0.98 * r, y - 0.1 * r), (x + 0.5 * r, y - 0.62 * r), (x - 0.2 * r, y - 0.5 * r),
               (x - 0.8 * r, y - 0.36 * r), (x - 0.98 * r, y + 0.1 * r)]  # fmt: skip
    layer.polygon([*fringe, *parting], look.hair)
    shine = ellipse(x - 0.25 * r, y - 0.78 * r, 0.42 * r, 0.12 * r, theta=-0.3)
    layer.polygon(shine, lighter(look.hair, 0.28), detail=True)


def _face(layer: Layer, at: dict[str, Point], look: Look, x: float, y: float, r: float) -> None:
    for side in ("right", "left"):
        ex, ey = at[f"{side}_eye"]
        layer.disc(ex, ey, 0.13 * r, (34, 28, 34))
        layer.disc(ex - 0.05 * r, ey - 0.05 * r, 0.045 * r, (250, 250, 250))
        cheek = 0.55 * r if side == "left" else -0.55 * r
        layer.disc(x + cheek, y + 0.36 * r, 0.17 * r, _blush(look.skin))
    layer.disc(at["nose"][0], at["nose"][1], 0.08 * r, darker(look.skin, 0.18))
    smile = [(x + 0.36 * r * t, y + 0.62 * r - 0.16 * r * t * t) for t in (-1, -0.5, 0, 0.5, 1)]
    layer.line(smile, 0.1 * r, (150, 50, 54))


def _blush(skin: Colour) -> Colour:
    """Return the colour of a cheek."""
    return min(255, skin[0] + 14), max(0, skin[1] - 26), max(0, skin[2] - 18)


def _arms(layer: Layer, at: dict[str, Point], look: Look, size: float) -> None:
    sleeve = look.top if look.long_sleeves else look.skin
    for side in ("right", "left"):
        shoulder, elbow = at[f"{side}_shoulder"], at[f"{side}_elbow"]
        wrist = at[f"{side}_wrist"]
        layer.blob([(*elbow, 0.034 * size), (*wrist, 0.027 * size)], sleeve)
        layer.blob([(*wrist, 0.032 * size)], look.skin, steps=3)
        layer.blob([(*shoulder, 0.043 * size), (*elbow, 0.034 * size)], sleeve)
        if not look.long_sleeves:
            short = lerp(shoulder, elbow, 0.5)
            layer.blob([(*shoulder, 0.046 * size), (*short, 0.043 * size)], look.top)
