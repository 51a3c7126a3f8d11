"""What stands behind the foreground: the old background blurred, a colour, a picture, nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from maskforge.errors import UsageError
from maskforge.prediction.background import compose
from maskforge.prediction.background.edges import Matte


@dataclass(frozen=True, slots=True)
class Length:
    """A length in pixels or, where ``relative``, as a fraction of an image's longer side."""

    value: float
    relative: bool = False

    def pixels(self, height: int, width: int) -> float:
        """Return the length in an image of this size, in pixels."""
        return self.value * max(height, width) if self.relative else self.value

    @classmethod
    def parse(cls, text: str) -> Length:
        """Return the length that ``12`` (pixels) or ``1.5%`` says. Raises UsageError."""
        match = re.fullmatch(r"(\d{1,5}(?:\.\d{1,5})?)\s*(%|px)?", text.strip())
        value = float(match[1]) if match else 0.0
        if match is None or value <= 0 or (match[2] == "%" and value > 100):
            raise UsageError(f"a length must be pixels or percent, 12 or 1.5%, but got {text!r}")
        return cls(value / 100, relative=True) if match[2] == "%" else cls(value)


SIGMA = Length(0.02, relative=True)
"""How far a background is blurred where nobody says."""


@dataclass(frozen=True, slots=True)
class Blur:
    """The old background, blurred by a Gaussian of this ``sigma``."""

    sigma: Length = SIGMA


@dataclass(frozen=True, slots=True)
class Color:
    """One colour, red, green and blue from 0 to 255."""

    rgb: tuple[int, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Another picture, uint8 (H, W, 3) in RGB, which covers: scaled, its middle cut out."""

    pixels: NDArray[np.uint8]
    _fitted: list[NDArray[np.uint8]] = field(default_factory=list, repr=False)

    def of_size(self, height: int, width: int) -> NDArray[np.uint8]:
        """Return it at this size; the last one is kept, for the next frame of a video."""
        if not self._fitted or self._fitted[0].shape[:2] != (height, width):
            self._fitted[:] = [compose.cover(self.pixels, height=height, width=width)]
        return self._fitted[0]


@dataclass(frozen=True, slots=True)
class Transparent:
    """Nothing: the fourth channel says how much of a pixel is foreground."""


Backdrop: TypeAlias = Blur | Color | Picture | Transparent


def put(image: NDArray[np.uint8], alpha: Matte, backdrop: Backdrop) -> NDArray[np.uint8]:
    """Return the foreground of ``image`` (H, W, 3) before ``backdrop``, uint8 (H, W, 3).

    Before nothing it has a fourth channel, straight alpha. alpha: (H, W), that of the foreground.
    """
    height, width = alpha.shape
    match backdrop:
        case Blur(sigma):
            # The fringe of the old background belongs there: it is taken out for others only.
            back = compose.blurred(image, alpha, sigma.pixels(height, width))
            return compose.over(image, alpha, back)
        case Color(rgb):
            back = np.full((height, width, 3), rgb, dtype=np.uint8)
        case Picture():
            back = backdrop.of_size(height, width)
        case Transparent():
            levels = np.rint(alpha * 255).astype(np.uint8)
            front = compose.foreground(image, alpha)
            front[levels == 0] = 0  # what cannot be seen must not be in the file either
            return np.dstack([front, levels])
    return compose.over(compose.foreground(image, alpha), alpha, back)
