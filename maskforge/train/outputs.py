"""Predictions as files: images and videos predicted in batches, written as conversions write them.

What is to be looked at becomes a video when it comes of one. All else is data, which no video could
hold without loss: a file for each frame, numbered from 1.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Images

from maskforge import files, plugins, preview
from maskforge.datasets import list_text
from maskforge.errors import Problem, UsageError
from maskforge.label_image import to_raster
from maskforge.train import footage
from maskforge.train.footage import Found, Shot
from maskforge.train.predict import Predictor
from maskforge.train.saving import Folder
from maskforge.writers.onehot import Collection, Options


class Output:
    """Where predictions go and in which form; a context, since some files have to be closed.

    found: what is predicted. kind: a writer of :mod:`maskforge.writers`, "overlay" or
    "probabilities". Raises UsageError for a style that does not fit, WriteError for files that are
    there and must not be replaced.
    """

    def __init__(
        self,
        out: Path,
        kind: str,
        found: Sequence[Found],
        *,
        style: str | None = None,
        overwrite: bool = False,
    ) -> None:
        if style is not None and kind != "color":
            raise UsageError(f"a style is for colour masks only, but these are {kind}")
        self._kind = kind
        self._found = found
        self._folder = Folder(out, [one.path for one in found], overwrite=overwrite)
        self._open = ExitStack()
        self._onehot: Path | None = None
        self._planes: Collection | None = None
        self._sizes: tuple[tuple[int, ...], tuple[int, int]] | None = None
        if kind not in ("overlay", "probabilities", "onehot"):
            self._writer: Any = plugins.load("writers", kind)
            self._options = self._writer.Options(**({} if style is None else {"style": style}))

    def __enter__(self) -> Output:
        self._open.enter_context(self._folder)
        if self._kind == "onehot":
            self._onehot = self._folder.free("onehot.npy")
        return self

    def __exit__(self, *raised: Any) -> None:
        self._open.__exit__(*raised)

    def predict(self, predictor: Predictor) -> Iterator[tuple[str, Problem | None]]:
        """Predict and write; yield the name of each image or frame, and what was wrong with it.

        Raises WriteError, also for a labels.txt of other classes that is there already.
        """
        self._folder.ensure("labels.txt", list_text(predictor.classes, predictor.names).encode())

        def look(shots: Sequence[Shot]) -> list[NDArray[np.float32]]:
            return predictor.probabilities([shot.image for shot in shots])

        def write(shot: Shot, values: NDArray[np.float32]) -> None:
            self._write(shot, values, predictor)

        return footage.process(
            self._found, batch=predictor.batch, look=look, write=write, finish=self._finish
        )

    def _write(self, shot: Shot, values: NDArray[np.float32], predictor: Predictor) -> None:
        if self._kind == "probabilities":
            file = io.BytesIO()
            np.save(file, values.astype(np.float16), allow_pickle=False)
            self._folder.save(shot.name + ".npy", file.getvalue())
            return
        raster = to_raster(predictor.decide(values), predictor.classes)
        if self._kind == "overlay":
            drawn = preview.draw(
                Images.fromarray(shot.image), raster, background=predictor.names[0]
            )
            if shot.found.is_video:
                self._folder.add(shot.found, self._framed(drawn, shot.image.shape))
            else:
                self._folder.save(shot.name + ".jpg", preview.encode(drawn))
        elif self._onehot is not None:
            if self._planes is None:  # where no image can be read, there is no file
                self._planes = self._open.enter_context(_collection(self._onehot))
            name = shot.name + ".png" if shot.found.is_video else shot.found.path.name
            self._planes.add(name, shot.name, raster)
        else:
            data = self._writer.encode(raster, self._options)
            self._folder.save(shot.name + self._writer.SUFFIX, data)

    def _framed(self, drawn: Images.Image, frame: tuple[int, ...]) -> NDArray[np.uint8]:
        """Return the preview in the size of the video's first: legends differ in height."""
        if self._sizes is None:
            self._sizes = (frame, drawn.size)
        first, size = self._sizes
        return np.asarray(drawn.crop((0, 0, *size)) if frame == first else drawn)

    def _finish(self, found: Found) -> None:
        self._sizes = None
        self._folder.finish()


@contextmanager
def _collection(path: Path) -> Iterator[Collection]:
    """Open a one-hot dictionary, which is whole when the block ends well, else absent."""
    with files.atomic(path) as file:
        planes = Collection(file, Options())
        yield planes
        planes.close()
