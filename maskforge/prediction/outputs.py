"""Predictions as files: batch inference on images and videos, written as conversions write them.

What is to be looked at becomes a video when it comes of one. All else is data, which no video could
hold without loss: a file for each frame, numbered from 1.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Images

from maskforge import plugins, styles, writers
from maskforge.classes import ClassTable
from maskforge.conversion import account
from maskforge.errors import UsageError
from maskforge.io import files, video
from maskforge.io.ownership import Entry
from maskforge.layouts import Names
from maskforge.pictures import previews
from maskforge.prediction import footage
from maskforge.prediction.footage import Found, Shot
from maskforge.prediction.predictor import Predictor
from maskforge.prediction.saving import Event, Events, Folder, Work, fingerprint
from maskforge.raster.label_image import to_raster
from maskforge.raster.raster import Raster
from maskforge.writers import Collecting, CollectionWriter, Scene

COMMAND = "predict"
"""By which an output is known as one of predictions."""

OWN = {"overlay": ".jpg", "probabilities": ".npy"}
"""What is no writer's, and the suffix of its files."""


class Output:
    """Where predictions go and in which form.

    found: what is predicted. kind: a writer of :mod:`maskforge.writers`, "overlay" or
    "probabilities". options: of the writer. overwrite: what an earlier run has placed is replaced,
    as a whole. resume: what it has done of the same images with the same network and options stays;
    a file of all images stays or is made anew. spared: files that are never replaced, besides what
    is ``found``. Raises UsageError for a style that does not fit, where an earlier output stands
    and neither is said, and where a file is in the way that is not ours to replace.
    """

    def __init__(
        self,
        out: Path,
        kind: str,
        found: Sequence[Found],
        *,
        style: str | None = None,
        options: Mapping[str, object] | None = None,
        overwrite: bool = False,
        resume: bool = False,
        spared: Iterable[Path] = (),
    ) -> None:
        if style is not None:
            if kind != "color":
                raise UsageError(f"a style is for colour masks only, but these are {kind}")
            styles.check(style)
        self._kind = kind
        self._style = style
        self._found = found
        self._open = ExitStack()
        self._collection: Collecting | None = None
        self._sizes: tuple[tuple[int, ...], tuple[int, int]] | None = None
        self._writer = None if kind in OWN else writers.load(kind)
        if self._writer is not None:
            given = {} if style is None else {"style": style}
            self._options = plugins.options(self._writer, {**given, **(options or {})})
        elif options:
            raise UsageError(f"{next(iter(options))} must be given for polygons only, not {kind}")
        originals = [*(one.path for one in found), *spared]
        self._out = out
        self._done = 0
        self._told: list[dict[str, Any]] = []
        self._told_now: list[dict[str, Any]] = []  # of the image or video under way
        self._folder = Folder(out, COMMAND, originals, overwrite=overwrite, resume=resume)
        self._check_names()

    def _check_names(self) -> None:
        """Raise UsageError where something is in the way, as far as names are known by now."""
        videos = [one for one in self._found if one.is_video]
        stills = [one.name for one in self._found if not one.is_video]
        writer = self._writer
        if writer is not None and writer.COLLECTION:
            self._folder.check([_collected(writer)])
            if writer.picture is None:
                return
            stills = [f"{writer.FOLDER}/{name}" for name in stills]
        self._folder.check(name + self._suffix for name in stills)
        if self._kind == "overlay":
            self._folder.check(one.name + video.WRITTEN for one in videos)
        else:
            self._folder.check_frames(videos, self._suffix)

    @property
    def _suffix(self) -> str:
        return OWN[self._kind] if self._writer is None else writers.kind(self._writer).suffix

    def account(self) -> list[str]:
        """Return what became of regions on the way into their format, in words."""
        lost, traced = account.lost(self._told), account.traced(self._told)
        return list(account.written(lost, traced))

    def predict(self, predictor: Predictor) -> Events:
        """Predict, and put in place what was made; tell what becomes of each image or frame.

        Raises WriteError; UsageError for what is in the way, such as a labels.txt of other classes.
        """
        return Events(self._folder, lambda: self._predict(predictor))

    def _predict(self, predictor: Predictor) -> Iterator[Event]:
        if self._style is not None:
            styles.parse(self._style, predictor.classes)
        classes = predictor.classes.to_text().encode()
        self._folder.enclose("labels.txt", classes)

        together = self._writer is not None and self._writer.COLLECTION
        made = (self._kind, self._style, None if self._writer is None else self._options)
        work = Work(
            self._folder,
            self._found,
            fingerprint(COMMAND, predictor.identity, made),
            together=together,
        )
        self._told += [told for record in work.records for told in record["told"]]
        yield from work.before()

        def look(shots: Sequence[Shot]) -> list[NDArray[np.float32]]:
            return predictor.probabilities([shot.image for shot in shots])

        def write(shot: Shot, values: NDArray[np.float32]) -> None:
            self._write(shot, values, predictor)

        def done(one: Found, entry: Entry | None, shots: int) -> None:
            work.done(one, entry, shots, told=self._told_now)
            self._told += self._told_now
            self._told_now = []

        with self._open:
            yield from footage.process(
                work.left,
                batch=predictor.batch,
                look=look,
                write=write,
                finish=self._finish,
                done=done,
                window=predictor.config.shown,
            )
        work.close(told=self._told)

    def _write(self, shot: Shot, values: NDArray[np.float32], predictor: Predictor) -> None:
        if self._kind == "probabilities":
            file = io.BytesIO()
            np.save(file, values.astype(np.float16), allow_pickle=False)
            self._folder.save(shot.name + self._suffix, file.getvalue())
            return
        raster = to_raster(predictor.decide(values), predictor.classes)
        if self._kind == "overlay":
            drawn = previews.draw(Images.fromarray(shot.image), raster)
            if shot.found.is_video:
                self._folder.add(shot.found, self._framed(drawn, shot.image.shape))
            else:
                self._folder.save(shot.name + self._suffix, previews.encode(drawn))
        else:
            self._write_scene(shot, raster)

    def _write_scene(self, shot: Shot, raster: Raster) -> None:
        writer, name = self._writer, shot.name + self._suffix
        assert writer is not None
        suffix = ".png" if shot.found.is_video else shot.found.path.suffix
        called = shot.name + suffix
        scene = Scene(
            raster,
            Names(shot.name, self._done, suffix, name=called),
            file_name=called,
            image=None if shot.found.is_video else files.way_to(shot.found.path, self._out),
            place=_collected(writer) if writer.COLLECTION else name,
        )
        self._done += 1
        data = writer.encode(scene, self._options)
        self._told_now.append(
            {"lost": {k: n for k, n in scene.lost.items() if n}, "traced": scene.traced}
        )
        if not writer.COLLECTION:
            self._folder.save(name, data)
            return
        if self._collection is None:  # where no image can be read, there is no file
            made = _collection(writer, self._folder, raster.classes, self._options)
            self._collection = self._open.enter_context(made)
        self._collection.add(data, scene.names)
        if writer.picture is not None:
            self._folder.save(f"{writer.FOLDER}/{name}", writer.picture(scene, self._options))

    def _framed(self, drawn: Images.Image, frame: tuple[int, ...]) -> NDArray[np.uint8]:
        """Return the preview in the size of the video's first: legends differ in height."""
        if self._sizes is None:
            self._sizes = (frame, drawn.size)
        first, size = self._sizes
        return np.asarray(drawn.crop((0, 0, *size)) if frame == first else drawn)

    def _finish(self, found: Found) -> None:
        self._sizes = None
        self._folder.finish()


def _collected(writer: CollectionWriter) -> str:
    """Return what the file of all images is called."""
    return f"{writer.FOLDER}{writer.SUFFIX}"


@contextmanager
def _collection(
    writer: CollectionWriter, folder: Folder, classes: ClassTable, options: object
) -> Iterator[Collecting]:
    """Open a file of all images, which is whole when the block ends well, else absent."""
    with folder.file(_collected(writer)) as file:
        made = writer.Collection(file, classes, options)
        yield made
        made.close()
