"""Images and videos that users name: found, and read in batches that stay small."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeVar, cast

from maskforge import files, images, video
from maskforge.datasets import Header, read_image
from maskforge.errors import MaskforgeError, Problem, ReadError
from maskforge.train.augment import Image
from maskforge.train.batches import ahead

T = TypeVar("T")

SUFFIXES = (*images.SUFFIXES, *video.SUFFIXES)

_MAX_PIXELS = 2**24
"""A batch of images of more pixels than this together is not made larger."""


class Found(NamedTuple):
    """An image or video, and the name of what becomes of it, a relative path without suffix."""

    path: Path
    name: str

    @property
    def is_video(self) -> bool:
        """Whether it is a video, by its suffix."""
        return self.path.suffix.lower() in video.SUFFIXES


class Shot(NamedTuple):
    """An image, or a frame of a video, that was read.

    name: that of the image; that of the video with the number of the frame, from 1.
    """

    found: Found
    name: str
    image: Image
    header: Header


class Failure(NamedTuple):
    """Why an image, or the rest of a video, could not be read."""

    found: Found
    problem: Problem


class End(NamedTuple):
    """A video has no more frames."""

    found: Found


Event: TypeAlias = Shot | Failure | End


def find(sources: Sequence[str]) -> list[Found]:
    """Return what ``sources`` mean: files, folders with all below, patterns.

    Raises ReadError for a source that means none.
    """
    paths: list[tuple[Path, str]] = []
    for source in sources:
        path = Path(source)
        if path.is_dir():
            below = files.find(path, SUFFIXES)
            paths += [(p, p.relative_to(path).as_posix()) for p in below]
            missing = not below
        elif path.is_file():
            paths.append((path, path.name))
            missing = False
        else:
            matched = sorted(Path(p) for p in glob.glob(source, recursive=True))
            matched = [p for p in matched if p.suffix.lower() in SUFFIXES and p.is_file()]
            paths += [(p, p.name) for p in matched]
            missing = not matched
        if missing:
            raise ReadError(
                "there must be an image or video, a folder of them, or a pattern that some match, "
                "but there is none",
                code="unreadable",
                file=source,
            )
    stems = [files.safe_name(str(Path(name).with_suffix(""))) for _, name in paths]
    return [
        Found(path, name) for (path, _), name in zip(paths, files.unique_names(stems), strict=True)
    ]


def count(found: Sequence[Found]) -> int:
    """Return how many shots there are, as far as the videos say; what cannot be read counts 1."""
    return sum(_frames(one) if one.is_video else 1 for one in found)


def process(
    found: Sequence[Found],
    *,
    batch: int,
    look: Callable[[Sequence[Shot]], Iterable[T]],
    write: Callable[[Shot, T], None],
    finish: Callable[[Found], None],
) -> Iterator[tuple[str, Problem | None]]:
    """Read ``found`` one after the other; yield the name of each shot, and what was wrong with it.

    look: called with the shots of a batch. write: called for each shot with what ``look`` said of
    it. finish: called after the last frame of a video. An image at which either fails is passed
    over, and so is the rest of a video.
    """
    failed: set[Found] = set()
    for events in _batches(found, batch):
        left = [event for event in events if event.found not in failed]
        looked = iter(look([event for event in left if isinstance(event, Shot)]))
        for event in left:
            seen = next(looked) if isinstance(event, Shot) else None
            if event.found in failed:
                continue
            name = event.name if isinstance(event, Shot) else event.found.name
            if isinstance(event, Failure):
                yield name, event.problem
                continue
            try:
                if isinstance(event, Shot):
                    write(event, cast(T, seen))
                else:
                    finish(event.found)
            except MaskforgeError as error:
                failed.add(event.found)
                yield name, error.problem(file=str(event.found.path))
            else:
                if isinstance(event, Shot):
                    yield name, None


def _batches(found: Sequence[Found], batch: int) -> Iterator[list[Event]]:
    """Yield what is read, in order, at most ``batch`` together, fewer of large images."""
    waiting: list[Event] = []
    pixels = 0
    for event in _each(found):
        waiting.append(event)
        pixels += event.image.size // 3 if isinstance(event, Shot) else 0
        if len(waiting) >= batch or pixels >= _MAX_PIXELS:
            yield waiting
            waiting, pixels = [], 0
    if waiting:
        yield waiting


def frame_name(video_name: str, number: int) -> str:
    """Return what frame ``number``, from 1, of a video is called."""
    return f"{video_name}_{number:06}"


def _each(found: Sequence[Found]) -> Iterator[Event]:
    for is_video, group in groupby(found, lambda one: one.is_video):
        if is_video:
            for one in group:
                yield from _video(one)
                yield End(one)
        else:
            yield from ahead(_image, group, workers=2)


def _image(one: Found) -> Shot | Failure:
    try:
        image, header = read_image(one.path)
    except ReadError as error:
        return Failure(one, error.problem(file=str(one.path)))
    return Shot(one, one.name, image, header)


def _video(one: Found) -> Iterator[Shot | Failure]:
    try:
        with video.Video(one.path) as frames:
            for number, image in enumerate(frames, start=1):
                header = Header(image.shape[0], image.shape[1], 1)
                yield Shot(one, frame_name(one.name, number), image, header)
    except ReadError as error:
        yield Failure(one, error.problem(file=str(one.path)))


def _frames(one: Found) -> int:
    try:
        with video.Video(one.path) as frames:
            return max(1, frames.frames)
    except ReadError:
        return 1
