"""Images and videos that users name: found, and read in batches that stay small."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, takewhile
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


def find(sources: Sequence[str], *, out: Path | None = None) -> list[Found]:
    """Return what ``sources`` mean: files, folders with all below, patterns.

    out: a folder that is written to. Where it lies inside a folder, or where a pattern looks, what
    is in it comes of an earlier run and is left out. Raises ReadError for a source that means none.
    """
    paths: list[tuple[Path, str]] = []
    for source in sources:
        path = Path(source)
        if path.is_dir():
            below = _without(out, path, files.find(path, SUFFIXES))
            # A folder that cannot be looked into stands for itself, and says so when it is read.
            paths += [(p, p.relative_to(path).as_posix() if p != path else p.name) for p in below]
            missing = not below
        elif path.is_file():
            paths.append((path, path.name))
            missing = False
        else:
            matched = sorted(Path(p) for p in glob.glob(source, recursive=True))
            matched = [p for p in matched if p.suffix.lower() in SUFFIXES and p.is_file()]
            matched = _without(out, Path(*takewhile(_is_plain, path.parts)), matched)
            paths += [(p, p.name) for p in matched]
            missing = not matched
        if missing:
            raise ReadError(
                "there must be an image or video, a folder of them, or a pattern that some match, "
                "but there is none",
                code="unreadable",
                file=source,
                cure=f"check the path; files are looked for by suffix: {' '.join(SUFFIXES)}",
            )
    stems = [files.safe_name(str(Path(name).with_suffix(""))) for _, name in paths]
    return [
        Found(path, name) for (path, _), name in zip(paths, files.unique_names(stems), strict=True)
    ]


def _without(out: Path | None, folder: Path, paths: list[Path]) -> list[Path]:
    """Return ``paths`` but those in ``out``, where that is inside ``folder``, and not it itself."""
    own = None if out is None else out.resolve()
    if own is None or folder.resolve() not in own.parents:
        return paths
    return [path for path in paths if not path.parent.resolve().is_relative_to(own)]


def _is_plain(part: str) -> bool:
    return not glob.has_magic(part)


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
    it. finish: called at the end of each video. An image at which ``write`` fails is passed over;
    a video ends there.
    """
    failed: set[Found] = set()
    for events in _batches(_each(found, failed), batch):
        left = [event for event in events if _counts(event, failed)]
        looked = iter(look([event for event in left if isinstance(event, Shot)]))
        for event in left:
            seen = next(looked) if isinstance(event, Shot) else None
            if not _counts(event, failed):
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


def _counts(event: Event, failed: set[Found]) -> bool:
    """Return whether there is something to do: what was begun for a video has to be ended."""
    return event.found not in failed or isinstance(event, End)


def _batches(each: Iterable[Event], batch: int) -> Iterator[list[Event]]:
    """Yield the events in order, at most ``batch`` together, fewer of large images."""
    waiting: list[Event] = []
    pixels = 0
    for event in each:
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


def _each(found: Sequence[Found], failed: set[Found]) -> Iterator[Event]:
    """Yield what is read; a video is read until it is among the ``failed``."""
    for is_video, group in groupby(found, lambda one: one.is_video):
        if is_video:
            for one in group:
                yield from _video(one, failed)
                yield End(one)
        else:
            yield from ahead(_image, group, workers=2)


def _image(one: Found) -> Shot | Failure:
    try:
        image, header = read_image(one.path)
    except ReadError as error:
        return Failure(one, error.problem(file=str(one.path)))
    return Shot(one, one.name, image, header)


def _video(one: Found, failed: set[Found]) -> Iterator[Shot | Failure]:
    try:
        with video.Video(one.path) as frames:
            for number, image in enumerate(frames, start=1):
                if one in failed:
                    return
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
