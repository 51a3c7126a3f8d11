"""Input of an inference: images and videos that users name, read in batches that stay small."""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby, takewhile
from pathlib import Path
from typing import NamedTuple, TypeAlias, TypeVar, cast

from maskforge.datasets import Header, read_image
from maskforge.errors import MaskforgeError, Problem, ReadError, UsageError, WriteError
from maskforge.io import files, images, ownership, scan, video
from maskforge.io.images import Window
from maskforge.io.ownership import Entry
from maskforge.io.prefetch import prefetch
from maskforge.prediction.sizes import Image

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

    name: that of the image; that of the video with the number of the frame, from 1. entry: size and
    digest of the image's file, None of a frame.
    """

    found: Found
    name: str
    image: Image
    header: Header
    entry: Entry | None = None


class Failure(NamedTuple):
    """Why an image, or the rest of a video, could not be read."""

    found: Found
    problem: Problem


class End(NamedTuple):
    """A video has no more frames.

    entry: size and digest of its file, None where not all of it could be read. frames: how many.
    """

    found: Found
    entry: Entry | None = None
    frames: int = 0


Event: TypeAlias = Shot | Failure | End


def find(sources: Sequence[str], *, out: Path | None = None, command: str = "") -> list[Found]:
    """Return what ``sources`` mean: files, folders with all below, patterns.

    In folders, and where patterns look, what outputs have placed there is left out, unless their
    folder itself is named. out: a folder that ``command`` writes to. Where it lies inside a source
    all that is in it comes of an earlier run and is left out; elsewhere what the command has placed
    is. Raises ReadError for a source that means none.
    """
    own = _Own(out, command)
    paths: list[tuple[Path, str]] = []
    for source in sources:
        path = Path(source)
        if path.is_dir():
            below = own.without(path, scan.find(path, SUFFIXES))
            # A folder that cannot be looked into stands for itself, and says so when it is read.
            paths += [(p, p.relative_to(path).as_posix() if p != path else p.name) for p in below]
            missing = not below
        elif path.is_file():
            paths.append((path, path.name))
            missing = False
        else:
            matched = sorted(Path(p) for p in glob.glob(source, recursive=True))
            matched = [p for p in matched if p.suffix.lower() in SUFFIXES and p.is_file()]
            looked = Path(*takewhile(_is_plain, path.parts))
            matched = own.without(looked, _unlisted(looked, matched))
            paths += [(p, p.name) for p in matched]
            missing = not matched
        if missing:
            raise ReadError(
                "there must be an image or video, a folder of them, or a pattern that some match, "
                "but there is none",
                code="unreadable",
                file=source,
                cure="check the path, and name the folder of an earlier output itself if it is "
                f"meant; files are looked for by suffix: {' '.join(SUFFIXES)}",
            )
    stems = [files.safe_name(str(Path(name).with_suffix(""))) for _, name in paths]
    return [
        Found(path, name) for (path, _), name in zip(paths, files.unique_names(stems), strict=True)
    ]


class _Own:
    """What is in the folder ``out``, and what ``command`` has placed there or below."""

    def __init__(self, out: Path | None, command: str) -> None:
        self._out = None if out is None else out.resolve()
        self._placed: set[Path] = set()
        if self._out is not None and command:
            listed = ownership.Owned(self._out, command).names
            self._placed = {self._out.joinpath(*name.split("/")) for name in listed}

    def without(self, folder: Path, paths: list[Path]) -> list[Path]:
        """Return ``paths``, found in ``folder``, but for those that come of an earlier run."""
        if self._out is not None and folder.resolve() in self._out.parents:
            return [p for p in paths if not p.parent.resolve().is_relative_to(self._out)]
        if not self._placed:
            return paths
        return [path for path in paths if path.parent.resolve() / path.name not in self._placed]


def _unlisted(folder: Path, paths: list[Path]) -> list[Path]:
    """Return ``paths`` but for those that outputs in folders below ``folder`` have placed."""
    placed: dict[Path, set[Path]] = {folder: set()}

    def placed_in(below: Path) -> set[Path]:
        if below not in placed:
            lists = ownership.lists(below)
            here = {below.joinpath(*name.split("/")) for one in lists for name in one.names}
            placed[below] = here | (placed_in(below.parent) if below != below.parent else set())
        return placed[below]

    return [path for path in paths if path not in placed_in(path.parent)]


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
    done: Callable[[Found, Entry | None, int], None],
    window: Window | None = None,
) -> Iterator[tuple[str, Problem | None]]:
    """Read ``found`` one after the other; yield the name of each shot, and what was wrong with it.

    look: called with the shots of a batch. write: called for each shot with what ``look`` said of
    it. finish: called at the end of each video. done: called at the end of each image and video,
    with size and digest of what was read, None where something failed, and how many shots it was.
    window: what is black and white in images of more than 8 bits. An image at which ``write`` fails
    is passed over; a video ends there. What would fail for all that come, such as a full disk, is
    raised.
    """
    failed: set[Found] = set()
    for events in _batches(_each(found, failed, window), batch):
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
            problem = None
            try:
                if isinstance(event, Shot):
                    write(event, cast(T, seen))
                else:
                    finish(event.found)
            except MaskforgeError as error:
                if isinstance(error, UsageError) or error.code == WriteError.code:
                    raise
                failed.add(event.found)
                problem = error.problem(file=str(event.found.path))
            if isinstance(event, End) or not event.found.is_video:
                entry = None if event.found in failed else event.entry
                done(event.found, entry, event.frames if isinstance(event, End) else 1)
            if problem is not None or isinstance(event, Shot):
                yield name, problem


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


def frame_names(one: Found, count: int) -> list[str]:
    """Return what the shots of an image or video are called that has ``count``."""
    if not one.is_video:
        return [one.name]
    return [frame_name(one.name, number) for number in range(1, count + 1)]


def frames_among(names: Iterable[str], one: Found, suffix: str = "") -> list[str]:
    """Return those of the names, without folders, that frames of the video have, with ``suffix``.

    The video is asked for the number of its frames only where there may be some.
    """
    stem = re.escape(one.name.rpartition("/")[2])
    named = re.compile(rf"{stem}_(\d{{6,}}){re.escape(suffix)}")
    numbers = {name: int(match[1]) for name in names if (match := named.fullmatch(name))}
    count = _frames(one) if numbers else 0
    return sorted(name for name, number in numbers.items() if 1 <= number <= count)


def _each(found: Sequence[Found], failed: set[Found], window: Window | None) -> Iterator[Event]:
    """Yield what is read; a video is read until it is among the ``failed``."""
    for is_video, group in groupby(found, lambda one: one.is_video):
        if is_video:
            for one in group:
                entry = _entry(one)
                frames = yield from _video(one, failed)
                yield End(one, entry if frames else None, frames)
        else:
            yield from prefetch(partial(_image, window=window), group, workers=2)


def _image(one: Found, window: Window | None) -> Shot | Failure:
    try:
        entry = _entry(one)
        image, header = read_image(one.path, window)
    except ReadError as error:
        return Failure(one, error.problem(file=str(one.path)))
    return Shot(one, one.name, image, header, entry)


def _entry(one: Found) -> Entry | None:
    """Return size and digest of the file, before it is read; None where reading will say why."""
    try:
        return ownership.digest_of(one.path)
    except OSError:
        return None


def _video(one: Found, failed: set[Found]) -> Generator[Shot | Failure, None, int]:
    """Yield the frames; return how many they are, 0 where that is not all."""
    number = 0
    try:
        with video.Video(one.path) as frames:
            for number, image in enumerate(frames, start=1):
                if one in failed:
                    return 0
                header = Header(image.shape[0], image.shape[1], 1)
                yield Shot(one, frame_name(one.name, number), image, header)
    except ReadError as error:
        yield Failure(one, error.problem(file=str(one.path)))
        return 0
    return number


def _frames(one: Found) -> int:
    try:
        with video.Video(one.path) as frames:
            return max(1, frames.frames)
    except ReadError:
        return 1
