"""Where new files wait until their output is complete."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from io import BufferedWriter, FileIO
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

from maskforge.errors import MaskforgeError, ReadError, WriteError
from maskforge.io import copying, files
from maskforge.io.digests import Digest, digest
from maskforge.io.ownership import Entry, digest_of

Filled = TypeVar("Filled")

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
"""Only where nothing is: what is there may be a link to an image."""


class Put(NamedTuple):
    """A file that was put on a shelf. taken: it stands in its place already, with these bytes."""

    name: str
    entry: Entry
    taken: bool = False
    way: copying.Way | None = None


class Stream(BufferedWriter):
    """A file that is written from its beginning to its end, and digested on the way."""

    def __init__(self, descriptor: int) -> None:
        self._written = Digested(descriptor, "wb")
        super().__init__(self._written)

    @property
    def entry(self) -> Entry:
        """Size and digest of what has reached the system: of the whole file when it is closed."""
        return Entry(self._written.size, self._written.seen.hexdigest())


class Digested(FileIO):
    """size, seen: of what was written."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.size, self.seen = 0, Digest()

    def write(self, data: Any) -> int:
        """Write what the system takes at once."""
        count = super().write(data)
        self.seen.update(memoryview(data)[:count])
        self.size += count
        return count


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where new files wait; can be sent to workers.

    root: the folder that they wait in; folder: the one they will lie in.
    """

    root: str
    folder: str

    def put(self, name: str, data: bytes, earlier: Entry | None = None) -> Put:
        """Put a file there, unless ``earlier``, what stands in its place, is the same.

        Raises WriteError.
        """
        entry = Entry(len(data), digest(data))
        if earlier is not None and earlier[:2] == entry[:2]:
            with suppress(OSError), open(os.path.join(self.folder, name), "rb") as file:
                if file.read(len(data) + 1) == data:
                    return Put(name, entry, taken=True)
        try:
            self._fill(name, partial(_write, data))
        except OSError as error:
            raise self.said(name, error) from error
        return Put(name, entry)

    def image(
        self, name: str, source: Path, entry: Entry, *, link: bool, earlier: Entry | None = None
    ) -> Put | None:
        """Put an image there, of which ``entry`` says size and digest.

        None where its place is the very place that it comes from. Raises ReadError for a source
        that cannot be read, WriteError.
        """
        target = os.path.join(self.folder, name)
        linked = False
        if os.path.lexists(target):
            if os.path.realpath(target) == os.path.realpath(source):
                return None
            with suppress(OSError):
                linked = os.path.samefile(target, source)
        entry = entry._replace(source=self.way_to(source))
        if earlier is not None and earlier[:2] == entry[:2] and linked == link:
            with suppress(OSError):
                if linked or digest_of(target)[:2] == entry[:2]:
                    return Put(name, entry, taken=True)
        try:
            way = self._fill(name, lambda target: copying.put(source, target, link=link))
        except OSError as error:
            if error.filename == str(source) or not os.access(source, os.R_OK):
                raise ReadError(
                    f"the image cannot be read: {error.strerror}",
                    code="bad-image",
                    file=str(source),
                ) from error
            raise self.said(name, error) from error
        return Put(name, entry, way=way)

    def way_to(self, path: Path) -> str:
        """Return how ``path`` is called from the folder, as sources of images are noted."""
        way = files.way_to(path, self.folder)
        return os.path.abspath(path).replace(os.sep, "/") if way is None else way

    @contextmanager
    def file(self, name: str) -> Iterator[BinaryIO]:
        """Open a file there for writing. Raises WriteError."""
        with self._saying(name), os.fdopen(self._create(name), "wb") as file:
            yield file

    @contextmanager
    def stream(self, name: str) -> Iterator[Stream]:
        """Open a file there that is written from its beginning to its end. Raises WriteError."""
        with self._saying(name), Stream(self._create(name)) as file:
            yield file

    @contextmanager
    def _saying(self, name: str) -> Iterator[None]:
        """Raise what the system says of ``name`` as a WriteError."""
        try:
            yield
        except MaskforgeError:
            raise
        except OSError as error:
            raise self.said(name, error) from error

    def path(self, name: str) -> Path:
        """Return where a file may be written that others write; its folder is there."""
        return Path(self._room(name))

    def put_file(
        self, name: str, earlier: Entry | None = None, *, entry: Entry | None = None
    ) -> Put:
        """Take up what was written by :meth:`file` or at :meth:`path`; see :meth:`put`.

        entry: what the :meth:`stream` says that it was written by; else the file is read for it.
        """
        staged = os.path.join(self.root, name)
        try:
            if entry is None or entry.size != os.path.getsize(staged):
                entry = digest_of(staged)
            if earlier is not None and earlier[:2] == entry[:2]:
                with suppress(OSError):
                    if digest_of(os.path.join(self.folder, name))[:2] == entry[:2]:
                        os.unlink(staged)
                        return Put(name, entry, taken=True)
            return Put(name, entry)
        except OSError as error:
            raise self.said(name, error) from error

    def _fill(self, name: str, fill: Callable[[str], Filled]) -> Filled:
        """Have ``fill`` make the file at a path where none is. Raises OSError.

        One that is there already is of a run before, or of a worker that was killed, or that only
        was taken for dead and may be at it now: it is replaced by what is whole, and never removed.
        """
        path = os.path.join(self.root, name)
        for _ in range(2):
            try:
                return fill(path)
            except FileExistsError:
                break
            except FileNotFoundError:
                self._make_folders(name)
        beside = os.path.join(self.root, f".{os.urandom(8).hex()}")
        filled = fill(beside)
        os.replace(beside, path)
        with suppress(FileNotFoundError):  # two links of one file: a rename does nothing
            os.unlink(beside)
        return filled

    def _create(self, name: str) -> int:
        """Return a descriptor of a new file; one that is there is removed."""
        path = os.path.join(self.root, name)
        try:
            return os.open(path, _NEW, 0o666)
        except OSError:
            pass
        try:
            return os.open(self._room(name), _NEW, 0o666)
        except OSError as error:
            raise self.said(name, error) from error

    def _room(self, name: str) -> str:
        """Return the path for ``name``, at which nothing is, in a folder that is there."""
        path = os.path.join(self.root, name)
        try:
            with suppress(FileNotFoundError):
                os.unlink(path)
            self._make_folders(name)
        except OSError as error:
            raise self.said(name, error) from error
        return path

    def _make_folders(self, name: str) -> None:
        way = self.root
        for part in name.split("/")[:-1]:
            way = os.path.join(way, part)
            with suppress(FileExistsError):
                os.mkdir(way)

    def said(self, name: str, error: OSError) -> WriteError:
        """Return the WriteError for what the system said of ``name``."""
        path = Path(self.folder, name)
        if error.errno in (errno.ENOENT, errno.ESTALE):
            return WriteError(
                "the output folder was moved or removed while it was written",
                file=str(path),
                cure="put it back and go on with --resume where the command has it, or begin again",
            )
        return files.write_error(path, error)


def _write(data: bytes, path: str) -> None:
    descriptor = os.open(path, _NEW, 0o666)
    try:
        files.write_all(descriptor, data)
    finally:
        os.close(descriptor)
