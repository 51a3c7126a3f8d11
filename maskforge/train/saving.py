"""Where pictures go: files and videos in one folder, none replaced unseen, no original ever."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from maskforge import files, video
from maskforge.errors import WriteError
from maskforge.train.footage import Found


class Folder:
    """A folder to write to; a context, since a video has to be closed.

    sources: what is read meanwhile, and never written to. overwrite: other files that are there may
    be replaced.
    """

    def __init__(self, path: Path, sources: Sequence[Found], *, overwrite: bool) -> None:
        self._path = path
        self._overwrite = overwrite
        self._originals = {_identity(one.path) for one in sources if one.path.exists()}
        self._add: Callable[[NDArray[np.uint8]], None] | None = None
        self._open = ExitStack()

    def __enter__(self) -> Folder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.__exit__(kind, error, trace)

    def save(self, name: str, data: bytes) -> None:
        """Write the file ``name``, a relative path. Raises WriteError."""
        files.write(self.free(name), data)

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
        """Return the path of ``name``. Raises WriteError where something is that must stay."""
        path = self._path / name
        if not path.exists():
            return path
        if _identity(path) in self._originals:
            raise WriteError(
                "the output must not take the place of what it is made from",
                file=str(path),
                cure="choose another folder with --out",
            )
        if not self._overwrite:
            raise WriteError(
                "the output must not be there yet, but it is", file=str(path), cure="--overwrite"
            )
        return path


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino
