"""Backgrounds swapped in files: images and videos, whatever says what their foreground is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskforge import images
from maskforge.background.backdrops import Backdrop, Blur, Length, Transparent, put
from maskforge.background.edges import RADIUS, Edge, matte
from maskforge.background.foregrounds import Foreground
from maskforge.datasets import color_profile
from maskforge.errors import Problem, UsageError
from maskforge.train import footage
from maskforge.train.footage import Found, Shot
from maskforge.train.saving import Folder

_JPEG = (".jpg", ".jpeg")
_JPEG_SIDE = 65_500  # more than libjpeg writes; a file of another kind may be called .jpg
_RADIUS = Length(RADIUS, relative=True)


@dataclass(frozen=True, slots=True)
class Settings:
    """How a background is swapped.

    edge, radius: as in :func:`~maskforge.background.edges.matte`. smooth: weight of the frame
    before in a video, 0 to below 1.
    """

    backdrop: Backdrop = field(default_factory=Blur)
    edge: Edge = "guided"
    radius: Length = _RADIUS
    smooth: float = 0.4

    def __post_init__(self) -> None:
        if not 0 <= self.smooth < 1:
            raise UsageError(f"smooth must be 0 or more and below 1, but got {self.smooth}")


def swap(
    foreground: Foreground,
    found: Sequence[Found],
    out: Path,
    *,
    settings: Settings | None = None,
    overwrite: bool = False,
    spared: Iterable[Path] = (),
) -> Iterator[tuple[str, Problem | None]]:
    """Swap the background of ``found``; yield the name of each image or frame and what was wrong.

    Of a JPEG a JPEG is made, of other images, and where a side is beyond 65,500 pixels, a PNG, of a
    video a video of the same size and frames a second, without sound. Before nothing
    (:class:`Transparent`) it is PNG, of videos too: one for each frame. With ``overwrite`` files
    that are there are replaced, but for images, masks and what is ``spared``, such as the file of a
    backdrop. Raises UsageError, WriteError.
    """
    settings = settings or Settings()
    originals = [*(one.path for one in found), *foreground.sources, *spared]
    with Folder(out, originals, overwrite=overwrite) as folder:
        yield from _Swap(foreground, folder, settings).all(found)


class _Swap:
    def __init__(self, foreground: Foreground, folder: Folder, settings: Settings) -> None:
        self._foreground = foreground
        self._folder = folder
        self._settings = settings
        self._before: NDArray[np.float32] | None = None

    def all(self, found: Sequence[Found]) -> Iterator[tuple[str, Problem | None]]:
        return footage.process(
            found,
            batch=self._foreground.batch,
            look=self._foreground.look,
            write=self._write,
            finish=self._finish,
        )

    def _write(self, shot: Shot, seen: Any) -> None:
        settings, (height, width) = self._settings, shot.image.shape[:2]
        probability = self._foreground.probability(shot, seen)
        if shot.found.is_video:
            probability = self._smoothed(probability)
        radius = settings.radius.pixels(height, width)
        alpha = matte(probability, shot.image, edge=settings.edge, radius=radius)
        result = put(shot.image, alpha, settings.backdrop)
        if isinstance(settings.backdrop, Transparent):
            suffix = ".png"
        elif shot.found.is_video:
            self._folder.add(shot.found, result)
            return
        else:
            suffix = shot.found.path.suffix.lower()
            suffix = suffix if suffix in _JPEG and max(height, width) <= _JPEG_SIDE else ".png"
        picture = Image.fromarray(result)
        if not shot.found.is_video:
            picture.info["icc_profile"] = color_profile(shot.found.path)
        self._folder.save(shot.name + suffix, images.encode(picture, suffix))

    def _smoothed(self, probability: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the exponential mean over the frames so far, which flickers less."""
        if self._before is not None and self._before.shape == probability.shape:
            weight = np.float32(self._settings.smooth)
            probability = weight * self._before + (1 - weight) * probability
        self._before = probability
        return probability

    def _finish(self, found: Found) -> None:
        self._before = None
        self._folder.finish()
