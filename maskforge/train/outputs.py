"""Predictions as files: images found, predicted in batches, written as conversions write them."""

from __future__ import annotations

import glob
import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Images

from maskforge import files, plugins, preview
from maskforge.datasets import read_image
from maskforge.errors import MaskforgeError, Problem, ReadError, UsageError, WriteError
from maskforge.images import SUFFIXES
from maskforge.label_image import to_raster
from maskforge.train.augment import Image
from maskforge.train.batches import ahead
from maskforge.train.predict import Predictor
from maskforge.writers.onehot import OneHotWriter


class Found(NamedTuple):
    """An image to predict, and the name of its output, a relative path without suffix."""

    path: Path
    name: str


def find_images(sources: Sequence[str]) -> list[Found]:
    """Return the images that ``sources`` mean: files, folders with all below, glob patterns.

    Raises ReadError for a source that means none.
    """
    paths: list[tuple[Path, str]] = []
    for source in sources:
        path = Path(source)
        if path.is_dir():
            below = files.find(path, SUFFIXES)
            paths += [(p, p.relative_to(path).as_posix()) for p in below]
            missing = not below
        elif path.exists():
            paths.append((path, path.name))
            missing = False
        else:
            matched = sorted(Path(p) for p in glob.glob(source, recursive=True))
            matched = [p for p in matched if p.suffix.lower() in SUFFIXES]
            paths += [(p, p.name) for p in matched]
            missing = not matched
        if missing:
            raise ReadError(
                "there must be an image, a folder of images, or a pattern that some match, "
                "but there is none",
                code="unreadable",
                file=source,
            )
    stems = [files.safe_name(str(Path(name).with_suffix(""))) for _, name in paths]
    return [
        Found(path, name) for (path, _), name in zip(paths, files.unique_names(stems), strict=True)
    ]


class Output:
    """Where predictions go and in which form; a context, since a one-hot file has to be closed.

    kind: a writer of :mod:`maskforge.writers`, "overlay" or "probabilities". Raises UsageError for
    a style that does not fit, WriteError for files that are there and must not be replaced.
    """

    def __init__(
        self, out: Path, kind: str, *, style: str | None = None, overwrite: bool = False
    ) -> None:
        if style is not None and kind != "color":
            raise UsageError(f"a style is for colour masks only, but these are {kind}")
        self._out = out
        self._kind = kind
        self._overwrite = overwrite
        self._open = ExitStack()
        self._planes: OneHotWriter | None = None
        if kind not in ("overlay", "probabilities", "onehot"):
            self._writer: Any = plugins.load("writers", kind)
            self._options = self._writer.Options(**({} if style is None else {"style": style}))

    def __enter__(self) -> Output:
        if self._kind == "onehot":
            path = self._free(self._out / "onehot.npy")
            self._planes = OneHotWriter(self._open.enter_context(files.atomic(path)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._planes is not None and error is None:
            self._planes.close()
        self._open.__exit__(kind, error, trace)

    def predict(
        self, predictor: Predictor, images: Sequence[Found]
    ) -> Iterator[tuple[str, Problem | None]]:
        """Predict and write ``images``; yield the name of each, and what was wrong with it."""
        files.write(self._out / "labels.txt", predictor.classes.to_text().encode())
        size = predictor.batch
        chunks = [images[at : at + size] for at in range(0, len(images), size)]
        for chunk, loaded in zip(chunks, ahead(_load, chunks, workers=2), strict=True):
            good = [image for image in loaded if not isinstance(image, Problem)]
            found = iter(predictor.probabilities(good))
            for one, image in zip(chunk, loaded, strict=True):
                if isinstance(image, Problem):
                    yield one.name, image
                    continue
                try:
                    self._write(one, image, next(found), predictor)
                    yield one.name, None
                except MaskforgeError as error:
                    yield one.name, error.problem(file=str(one.path))

    def _write(
        self, one: Found, image: Image, values: NDArray[np.float32], predictor: Predictor
    ) -> None:
        if self._kind == "probabilities":
            file = io.BytesIO()
            np.save(file, values.astype(np.float16), allow_pickle=False)
            self._save(one.name + ".npy", file.getvalue())
            return
        raster = to_raster(predictor.decide(values), predictor.classes)
        if self._kind == "overlay":
            drawn = preview.draw(Images.fromarray(image), raster)
            self._save(one.name + ".jpg", preview.encode(drawn))
        elif self._planes is not None:
            self._planes.add(one.path.name, raster.one_hot())
        else:
            data = self._writer.encode(raster, self._options)
            self._save(one.name + self._writer.SUFFIX, data)

    def _save(self, name: str, data: bytes) -> None:
        files.write(self._free(self._out / name), data)

    def _free(self, path: Path) -> Path:
        if path.exists() and not self._overwrite:
            raise WriteError(
                "the output must not be there yet, but it is", file=str(path), cure="--overwrite"
            )
        return path


def _load(chunk: Sequence[Found]) -> list[Image | Problem]:
    loaded: list[Image | Problem] = []
    for one in chunk:
        try:
            loaded.append(read_image(one.path)[0])
        except ReadError as error:
            loaded.append(error.problem(file=str(one.path)))
    return loaded
