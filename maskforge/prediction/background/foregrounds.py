"""Where it is known from what the foreground is: a network that looks, or masks that are there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from maskforge.classes import BACKGROUND, ClassTable
from maskforge.datasets import MaskFile, Masks
from maskforge.errors import ClassError, ReadError
from maskforge.io.images import Window
from maskforge.prediction import footage
from maskforge.prediction.footage import Found, Shot
from maskforge.prediction.predictor import Predictor

USUAL = "person"
"""The class that is kept where nobody says which, if there is one of this name."""


class Foreground(Protocol):
    """What says how probable it is that a pixel is kept."""

    @property
    def batch(self) -> int:
        """Images to look at together."""

    @property
    def sources(self) -> Collection[Path]:
        """Files that it is read from: no output may take their place."""

    @property
    def window(self) -> Window | None:
        """What is black and white in images of more than 8 bits, None where each has its own."""

    @property
    def says(self) -> object:
        """What bears on :meth:`probability` besides the images and their :meth:`masks`, as JSON."""

    def masks(self, one: Found) -> Sequence[Path]:
        """Return the masks that belong to an image or video."""

    def look(self, shots: Sequence[Shot]) -> Sequence[Any]:
        """Return for each of ``shots`` what :meth:`probability` needs."""

    def probability(self, shot: Shot, seen: Any) -> NDArray[np.float32]:
        """Return the probability of the foreground, (H, W). Raises ReadError, ClassError."""


class Predicted:
    """What a network says. keep: class names; see :func:`kept`."""

    sources: tuple[Path, ...] = ()

    def __init__(self, predictor: Predictor, keep: Sequence[str] = ()) -> None:
        self._predictor = predictor
        self._kept = kept(predictor.classes, keep)
        self.batch = predictor.batch
        self.window = predictor.config.shown
        self.says = (predictor.identity, self._kept)

    def masks(self, one: Found) -> Sequence[Path]:
        """Return none: it looks at the image."""
        return ()

    def look(self, shots: Sequence[Shot]) -> list[NDArray[np.float32]]:
        """Return the probability of each class, (C, H, W)."""
        return self._predictor.probabilities([shot.image for shot in shots])

    def probability(self, shot: Shot, seen: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return that of the classes that are kept, together."""
        total: NDArray[np.float32] = seen[self._kept].sum(axis=0)
        return total


class Drawn:
    """What masks say, for what is ``found``. keep: class names; see :func:`kept`."""

    batch = 1
    window: Window | None = None

    def __init__(self, masks: Masks, found: Sequence[Found], keep: Sequence[str] = ()) -> None:
        self._masks = masks
        self._kept = kept(masks.classes, keep)
        self._partners = masks.partners([one.name for one in found if not one.is_video])
        self.sources = {label.path for label in masks.labels.values()}
        self.says = (masks.classes.to_text(), self._kept)

    def masks(self, one: Found) -> Sequence[Path]:
        """Return that of the image, or those of the frames, as far as they are there."""
        labels = self._masks.labels
        if one.is_video:
            return [labels[name].path for name in footage.frames_among(labels, one)]
        mask = self._partners.get(one.name)
        return () if mask is None else (mask.path,)

    def look(self, shots: Sequence[Shot]) -> list[MaskFile | None]:
        """Return the mask that belongs to each; that of a frame has its very name."""
        return [self._partners.get(shot.name, self._masks.labels.get(shot.name)) for shot in shots]

    def probability(self, shot: Shot, seen: MaskFile | None) -> NDArray[np.float32]:
        """Return 1 where a class is kept, 0.5 where the mask says nothing."""
        if seen is None:
            raise ReadError(
                f"there must be a mask called {shot.name!r}, but there is none",
                code="no-mask",
                file=str(shot.found.path),
                cure="name image and mask alike",
            )
        ids = self._masks.read(seen, shot.found.path, shot.header)
        found = np.isin(ids, self._kept).astype(np.float32)
        found[ids == self._masks.classes.channels.ignore_index] = 0.5
        return found


def kept(classes: ClassTable, keep: Sequence[str]) -> list[int]:
    """Return the channels of ``keep``; of nothing, that of "person", else of all but background.

    Raises ClassError.
    """
    names = classes.names
    if not keep:
        if USUAL in names:
            return [names.index(USUAL)]
        if classes.background is None:
            raise ClassError(
                "it must be said which classes are the foreground, since none is the background",
                cure=f"name them with --keep: {', '.join(names)}",
            )
        return [channel for channel, name in enumerate(names) if name != BACKGROUND]
    unknown = [name for name in keep if name not in names]
    if unknown:
        raise ClassError(
            f"what is kept must be classes, {', '.join(names)}, but got {', '.join(unknown)}",
            cure="name one or several of these with --keep",
        )
    return sorted({names.index(name) for name in keep})
