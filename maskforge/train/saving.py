"""Where pictures go: files and videos in one folder, none replaced unseen, no original ever."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskforge import files, video
from maskforge.errors import WriteError
from maskforge.train.footage import Found


class Folder:
    """A folder to write to; a context, since a video has to be closed.

    originals: files that are read, and never written to. overwrite: other files that are there may
    be replaced, but for those that this folder has written itself.
    """

    def __init__(self, path: Path, originals: Iterable[Path], *, overwrite: bool) -> None:
        self._path = path
        self._overwrite = overwrite
        self._originals = {_identity(one) for one in set(originals) if one.exists()}
        self._taken: set[str] = set()
        self._leftovers: dict[Path, list[Path]] = {}
        self._add: Callable[[NDArray[np.uint8]], None] | None = None
        self._open = ExitStack()

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *raised: Any) -> None:
        self._open.__exit__(*raised)

    def save(self, name: str, data: bytes) -> None:
        """Write the file ``name``, a relative path. Raises WriteError."""
        files.write(self.free(name), data)

    def ensure(self, name: str, data: bytes) -> None:
        """Write the file ``name`` unless it holds ``data`` already. Raises WriteError."""
        if not _holds(self._path / name, data):
            self.save(name, data)

    def add(self, one: Found, frame: NDArray[np.uint8]) -> None:
        """Add a frame, uint8 (H, W, 3), to the video that is made of the video ``one``.

        Raises WriteError.
        """
        if self._add is None:
            path = self.free(one.name + video.WRITTEN)
            with video.Video(one.path) as original:
                fps = original.fps
            self._add = self._open.enter_context(video.writing(path, fps=fps))
        self._add(frame)

    def finish(self) -> None:
        """Close the video under way, if any: it is whole now. Raises WriteError."""
        self._add = None
        self._open.close()

    def free(self, name: str) -> Path:
        """Return the path of ``name``, which is taken from now on.

        Raises WriteError where something is that must stay.
        """
        path, key = self._path / name, name.casefold()
        if key in self._taken:
            raise WriteError(
                "two outputs must not have the same name, but an earlier one has it",
                code="name-collision",
                file=str(path),
                cure="rename one of the inputs, or give them different folders with --out",
            )
        if path.exists():
            self._check(path)
        self._taken.add(key)
        self._clear(path)
        return path

    def _check(self, path: Path) -> None:
        if _identity(path) in self._originals:
            raise WriteError(
                "the output must not take the place of what it is made from",
                file=str(path),
                cure="choose another folder with --out",
            )
        if not self._overwrite:
            raise WriteError(
                "the output must not be there yet, but it is",
                file=str(path),
                cure="choose another folder with --out, or --overwrite",
            )

    def _clear(self, path: Path) -> None:
        """Remove what killed runs left of ``path``, and of it alone: others may be under way."""
        if path.parent not in self._leftovers:
            self._leftovers[path.parent] = list(path.parent.glob(f".*{files.PART}*"))
        for part in self._leftovers[path.parent]:
            if part.name.startswith(files.part_of(path)):
                with suppress(OSError):  # what is written next would say so
                    part.unlink(missing_ok=True)


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino


def _holds(path: Path, data: bytes) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(data) + 1) == data
    except OSError:
        return False
