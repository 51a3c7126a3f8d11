"""Backgrounds swapped in files: images and videos, whatever says what their foreground is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskforge.datasets import color_profile
from maskforge.errors import UsageError
from maskforge.io import images, video
from maskforge.io.digests import digest
from maskforge.prediction import footage
from maskforge.prediction.background.backdrops import (
    Backdrop,
    Blur,
    Length,
    Picture,
    Transparent,
    put,
)
from maskforge.prediction.background.edges import RADIUS, Edge, matte
from maskforge.prediction.background.foregrounds import Foreground
from maskforge.prediction.footage import Found, Shot
from maskforge.prediction.saving import Event, Events, Folder, Work, fingerprint

COMMAND = "background"
"""By which an output is known as one of backgrounds."""

_JPEG = (".jpg", ".jpeg")
_JPEG_SIDE = 65_500  # more than libjpeg writes; a file of another kind may be called .jpg
_RADIUS = Length(RADIUS, relative=True)


@dataclass(frozen=True, slots=True)
class Settings:
    """How a background is swapped.

    edge, radius: as in :func:`~maskforge.prediction.background.edges.matte`. smooth: weight of the
    frame before in a video, 0 to below 1.
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
    resume: bool = False,
    spared: Iterable[Path] = (),
) -> Events:
    """Swap the background of ``found``; tell what becomes of each image or frame.

    Of a JPEG a JPEG is made, of other images, and where a side is beyond 65,500 pixels, a PNG, of a
    video a video of the same size and frames a second, without sound. Before nothing
    (:class:`Transparent`) it is PNG, of videos too: one for each frame. With ``overwrite`` all that
    an earlier run has placed is replaced, but never images, masks and what is ``spared``, such as
    the file of a backdrop; with ``resume`` what it has made of the same images in the same way
    stays. Raises UsageError, also as :func:`place` does, and WriteError.
    """
    settings = settings or Settings()
    folder = place(found, out, settings=settings, overwrite=overwrite, resume=resume, spared=spared)
    return swap_into(folder, foreground, found, settings=settings)


def swap_into(
    folder: Folder, foreground: Foreground, found: Sequence[Found], *, settings: Settings
) -> Events:
    """Swap backgrounds as :func:`swap` does, in a folder that :func:`place` returned."""
    folder.spare(foreground.sources)
    return Events(folder, lambda: _Swap(foreground, folder, settings).all(found))


def place(
    found: Sequence[Found],
    out: Path,
    *,
    settings: Settings,
    overwrite: bool = False,
    resume: bool = False,
    spared: Iterable[Path] = (),
) -> Folder:
    """Return the folder that is written to, once nothing is in the way there.

    Raises UsageError where an earlier output stands without ``overwrite`` or ``resume``, and where
    a file is in the way that is not ours to replace.
    """
    originals = [*(one.path for one in found), *spared]
    folder = Folder(out, COMMAND, originals, overwrite=overwrite, resume=resume)
    videos = [one for one in found if one.is_video]
    folder.check(one.name + _suffix(one, settings) for one in found if not one.is_video)
    if isinstance(settings.backdrop, Transparent):
        folder.check_frames(videos, ".png")
    else:
        folder.check(one.name + video.WRITTEN for one in videos)
    return folder


def _suffix(one: Found, settings: Settings, *, longer: int = 0) -> str:
    """Return the suffix of what is made of an image with this longer side."""
    own = one.path.suffix.lower()
    is_jpeg = own in _JPEG and longer <= _JPEG_SIDE
    return own if is_jpeg and not isinstance(settings.backdrop, Transparent) else ".png"


class _Swap:
    def __init__(self, foreground: Foreground, folder: Folder, settings: Settings) -> None:
        self._foreground = foreground
        self._folder = folder
        self._settings = settings
        self._before: NDArray[np.float32] | None = None

    def all(self, found: Sequence[Found]) -> Iterator[Event]:
        foreground, settings = self._foreground, self._settings
        backdrop = settings.backdrop
        pixels = backdrop.pixels if isinstance(backdrop, Picture) else None
        shown = backdrop if pixels is None else (pixels.shape, digest(pixels.tobytes()))
        edges = (settings.edge, settings.radius, settings.smooth)
        how = fingerprint(COMMAND, foreground.says, edges, shown)
        work = Work(self._folder, found, how, more=foreground.masks)
        yield from work.before()
        yield from footage.process(
            work.left,
            batch=foreground.batch,
            look=foreground.look,
            write=self._write,
            finish=self._finish,
            done=work.done,
            window=foreground.window,
        )

    def _write(self, shot: Shot, seen: Any) -> None:
        settings, (height, width) = self._settings, shot.image.shape[:2]
        probability = self._foreground.probability(shot, seen)
        if shot.found.is_video:
            probability = self._smoothed(probability)
        radius = settings.radius.pixels(height, width)
        alpha = matte(probability, shot.image, edge=settings.edge, radius=radius)
        result = put(shot.image, alpha, settings.backdrop)
        if shot.found.is_video and not isinstance(settings.backdrop, Transparent):
            self._folder.add(shot.found, result)
            return
        suffix = _suffix(shot.found, settings, longer=max(height, width))
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
