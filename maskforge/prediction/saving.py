"""The output folder of an inference: files wait beside earlier ones until all are there."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from maskforge.errors import Problem, WriteError
from maskforge.io import video
from maskforge.io.exchange import Exchanged
from maskforge.io.stage import Stage
from maskforge.prediction import footage
from maskforge.prediction.footage import Found

Event: TypeAlias = tuple[str, Problem | None]
"""The name of an image or frame that is done, and what was wrong with it."""


class Folder:
    """The output of ``command`` in the folder ``path``, under way; a context.

    At its end all that was saved takes the place of what an earlier run had made, or, where
    something was raised, nothing does. A run that is interrupted puts in place what it has done
    where nothing stood before; with ``whole`` it never does, since a part is worth nothing.

    key: what the output is known by; the command, if not a file in the folder. originals: files
    that are read, and never replaced. overwrite: an earlier output of the command may be replaced.
    placed: what the exchange left, None where nothing was put in place.

    Raises UsageError where an earlier output stands and must not be replaced.
    """

    def __init__(
        self,
        path: Path,
        command: str,
        originals: Iterable[Path] = (),
        *,
        overwrite: bool,
        key: str = "",
        whole: bool = False,
    ) -> None:
        self._path = path
        self._overwrite = overwrite
        self._whole = whole
        self._stage = Stage(path, key or command, what=command)
        self.spare(originals)
        self._stage.settle(again=overwrite)
        self._refuse()
        self._stood = False
        self._taken: set[str] = set()
        self._done = 0
        self._add: Callable[[NDArray[np.uint8]], None] | None = None
        self._open = ExitStack()
        self.placed: Exchanged | None = None

    def _refuse(self) -> None:
        self._stage.refuse(overwrite=self._overwrite, resume=False, resumable=False)

    def spare(self, originals: Iterable[Path]) -> None:
        """Never replace these files either."""
        for one in originals:
            self._stage.protect(one)

    def check(self, names: Iterable[str]) -> None:
        """Raise UsageError, naming them, where these files are there and not ours to replace."""
        self._stage.check(names)

    def __enter__(self) -> Folder:
        try:
            self._stage.begin()
            self._refuse()  # another run may have come first
        except BaseException:
            self._stage.discard()
            self._stage.close()
            raise
        self._stood = self._stage.stands
        return self

    def __exit__(self, kind: type[BaseException] | None, *raised: Any) -> None:
        try:
            self._open.__exit__(kind, *raised)  # a video under way is half, and goes
            if self._done and (kind is None or self._is_worth(kind)):
                self.placed = self._stage.exchange()
        finally:
            if self.placed is None:
                self._stage.discard()
            self._stage.close()

    def _is_worth(self, raised: type[BaseException]) -> bool:
        """Tell whether a part of the output is better than what stood there."""
        stopped = issubclass(raised, KeyboardInterrupt | GeneratorExit)
        return stopped and not self._whole and not self._stood

    def save(self, name: str, data: bytes) -> None:
        """Write the file ``name``, a relative path. Raises WriteError, UsageError."""
        self._take(name)
        self._stage.write(name, data)
        self._done += 1

    def enclose(self, name: str, data: bytes) -> None:
        """Write a file that is worth nothing without others."""
        self.save(name, data)
        self._done -= 1

    @contextmanager
    def file(self, name: str) -> Iterator[BinaryIO]:
        """Open the file ``name`` for writing; it counts when the block ends well."""
        self._take(name)
        with self._stage.shelf.file(name) as file:
            yield file
        self._finish(name)

    def add(self, one: Found, frame: NDArray[np.uint8]) -> None:
        """Add a frame, uint8 (H, W, 3), to the video that is made of the video ``one``.

        Raises WriteError.
        """
        if self._add is None:
            self._add = self._open.enter_context(self._video(one))
        self._add(frame)

    def finish(self) -> None:
        """Close the video under way, if any: it is whole now. Raises WriteError."""
        self._add = None
        self._open.close()

    @contextmanager
    def _video(self, one: Found) -> Iterator[Callable[[NDArray[np.uint8]], None]]:
        name = one.name + video.WRITTEN
        self._take(name)
        with video.Video(one.path) as original:
            fps = original.fps
        path = self._stage.shelf.path(name)
        with video.writing(path, fps=fps, shown=self._path / name) as add:
            yield add
        if path.exists():  # it had a frame
            self._finish(name)

    def _finish(self, name: str) -> None:
        self._stage.add(self._stage.shelf.put_file(name))
        self._done += 1

    def _take(self, name: str) -> None:
        """Take the name, which no other output has then. Raises WriteError."""
        if name.casefold() in self._taken:
            raise WriteError(
                "two outputs must not have the same name, but an earlier one has it",
                code="name-collision",
                file=str(self._path / name),
                cure="rename one of the inputs, or give them different folders with --out",
            )
        self._taken.add(name.casefold())

    def check_frames(self, videos: Iterable[Found], suffix: str) -> None:
        """Raise UsageError where a file is in the way of a frame of one of ``videos``.

        What a video says of its length is asked only where files of such names are there.
        """
        listed: dict[str, list[str]] = {}
        for one in videos:
            folder = one.name.rpartition("/")[0]
            if folder not in listed:
                listed[folder] = []
                with suppress(OSError):  # what is made there says so
                    listed[folder] = os.listdir(self._path / folder)
            there = footage.frames_among(listed[folder], one, suffix)
            self.check(f"{folder}/{name}".lstrip("/") for name in there)


class Events(Iterator[Event]):
    """What becomes of each image and frame, told as it is done.

    At its end ``folder`` is put in place; :meth:`close` stops before, as an interrupt does.
    """

    def __init__(self, folder: Folder, events: Callable[[], Iterable[Event]]) -> None:
        self._folder = folder
        self._events = self._through(events)

    def _through(self, events: Callable[[], Iterable[Event]]) -> Generator[Event, None, None]:
        with self._folder:
            yield from events()

    def __next__(self) -> Event:
        return next(self._events)

    def close(self) -> None:
        """Stop, if it has not come to its end."""
        self._events.close()

    @property
    def placed(self) -> Exchanged | None:
        """What the exchange left; None where nothing was put in place, and all is as it was."""
        return self._folder.placed
