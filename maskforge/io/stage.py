"""An output under way: what is new waits beside what is old, and takes its place when complete.

    FOLDER/.maskforge-KEY.new/       hidden, while a run is under way or after it was cut off
        run.json                     says that this folder was made here
        journal.jsonl                what is done, for a run that goes on
        placed.jsonl                 every file of the coming output
        files-N/                     those that are not in place yet
        exchange.jsonl               the list of renames, from when the output is complete

Up to the moment at which ``exchange.jsonl`` is there, nothing that stood in FOLDER was touched;
from then on every step can be done again, and the next command that writes there does.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from maskforge.errors import UsageError, WriteError
from maskforge.io import exchange, files
from maskforge.io.exchange import Exchange, Exchanged
from maskforge.io.lock import Lock
from maskforge.io.ownership import Entry, Standing, digest_of, hidden
from maskforge.io.shelf import Put, Shelf
from maskforge.records import from_json, to_json

_FORMAT = "maskforge-stage/1"


class Stage(Standing):
    """One output, ``key`` in ``folder``; a context, at whose end the lock is let go.

    what: the command that makes it, in a word. copied, beside: as of :class:`Standing`.
    """

    def __init__(
        self,
        folder: Path,
        key: str,
        *,
        what: str,
        copied: Collection[str] = (),
        beside: Collection[str] = (),
    ) -> None:
        super().__init__(folder, key, copied=copied, beside=beside)
        self.what = what
        self.place = hidden(folder, key, "new")
        self.id = ""
        self.moved: Path | None = None
        self._lock: Lock | None = None
        self._placed: IO[bytes] | None = None
        self._made: list[Path] = []
        self._ways: dict[str, bool] = {}
        self._shelf: Shelf | None = None

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    # Looking

    @property
    def unfinished(self) -> bool:
        """Whether a run was cut off there that can be gone on with."""
        journal = self.place / "journal.jsonl"
        try:
            return self._is_bound() and journal.read_bytes().count(b"\n") > 1
        except OSError:
            return False

    def settle(self, *, again: bool = False) -> None:
        """Complete an exchange that was cut off. Raises UsageError, WriteError.

        again: the output will be made again, so that one that cannot be completed is given up. What
        is in place then is known by the list, the old and the new.
        """
        if not self._is_cut_off:
            return
        self._refuse_unbound()
        self._take_lock()
        try:
            if self._is_cut_off:
                self._recover(again=again)
        except OSError as error:
            if isinstance(error, WriteError):
                raise
            raise files.write_error(self.folder, error) from error
        finally:
            self.close()
        self.look()

    def refuse(self, *, overwrite: bool, resume: bool, resumable: bool = True) -> None:
        """Raise UsageError where an earlier output stands and no flag says what to do with it.

        WriteError where nothing could be written there: nobody waits for an hour to hear that.
        """
        there = self.folder
        while not os.path.lexists(there) and there != there.parent:
            there = there.parent
        if not os.path.isdir(there):
            inside = "" if there == self.folder else f"in one, but {str(there)!r} "
            raise UsageError(
                f"the output {str(self.folder)!r} must be a folder, {inside or 'but '}is a file",
                cure="choose another --out",
            )
        self._refuse_unbound()
        goes_on = "--resume to go on, " if resumable else ""
        is_told = overwrite or resume
        if self.stands and not is_told:
            raise UsageError(
                f"an earlier output stands in {str(self.folder)!r}: {self._example()}",
                cure=f"choose {goes_on}--overwrite to replace it, or another --out",
            )
        if self.unfinished and not is_told:
            raise UsageError(
                f"the output folder {str(self.folder)!r} holds an unfinished run",
                cure=f"choose {goes_on}--overwrite to start again, or another --out",
            )
        if not os.access(there, os.W_OK | os.X_OK):
            denied = PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            raise files.write_error(there, denied)

    # The way through

    def begin(self, *, resume: bool = False) -> None:
        """Lock the place and make room for what is new; ``resume``: keep what a run had done.

        Raises UsageError where another run is under way, WriteError.
        """
        self._make_folder()
        self._take_lock()
        self.look()
        self._refuse_unbound()
        try:
            if self._is_cut_off:  # since it was settled, by a run that was killed
                self._recover()
                self.look()
            if not resume:
                exchange.clear(self.place)
            self._make_shelf()
            self._placed = (self.place / "placed.jsonl").open("wb")
        except OSError as error:
            raise files.write_error(self.place, error) from error

    def _make_shelf(self) -> None:
        self._bind()
        number, earlier = max(
            ((int(p.name[6:]), p) for p in self.place.glob("files-*") if p.name[6:].isdigit()),
            default=(0, None),
        )
        root = self.place / f"files-{number + 1}"
        # Under another name, so that workers of a run that was killed find no way to it.
        earlier.rename(root) if earlier is not None else root.mkdir()
        self._shelf = Shelf(str(root), str(self.folder))

    @property
    def _is_cut_off(self) -> bool:
        """Whether there is a list of renames, so that something may have been renamed."""
        # None where it is forbidden to look, and none that a power cut left without its beginning.
        return os.path.isfile(self.place / exchange.LIST) and not self._is_blank()

    def _is_blank(self) -> bool:
        """Tell whether a power cut came before what says that the folder was made here."""
        try:
            found = (self.place / "run.json").read_bytes().rstrip(b"\0")
            whole = to_json(_binding(self.place))
        except OSError:
            return False
        return found != whole and whole.startswith(found)

    @property
    def shelf(self) -> Shelf:
        """Where new files are put, between :meth:`begin` and :meth:`exchange`."""
        assert self._shelf is not None
        return self._shelf

    def add(self, put: Put) -> None:
        """Make a file part of the coming output. Raises UsageError where it cannot be placed."""
        is_new = not (put.taken or put.name in self.owned.entries or self._is_nowhere(put.name))
        if is_new and (why := self.obstacle(put.name, put.entry)):
            raise self.in_the_way([(put.name, why)])  # the exchange looks at all others
        line = to_json([put.name, put.taken, *put.entry])
        assert self._placed is not None
        try:
            self._placed.write(line + b"\n")
        except OSError as error:
            raise files.write_error(self.place, error) from error

    def _is_nowhere(self, name: str) -> bool:
        """Tell whether the folder of ``name`` was not there when a file of it first came."""
        way = name.rpartition("/")[0]
        if way not in self._ways:
            self._ways[way] = bool(way) and not os.path.lexists(self.folder / way)
            if self._ways[way] and self.owned.blocker(name) is not None:
                self._ways[way] = False
        return self._ways[way]

    def write(self, name: str, data: bytes) -> None:
        """Put a file on the shelf and make it part of the coming output."""
        self.add(self.shelf.put(name, data, self.owned.entries.get(name)))

    def is_staged(self, name: str, entry: Entry) -> bool:
        """Tell whether ``name`` waits on the shelf as ``entry`` says."""
        path = os.path.join(self.shelf.root, name)
        try:
            return os.path.getsize(path) == entry.size and digest_of(path)[:2] == entry[:2]
        except OSError:
            return False

    def exchange(self, *, moving: Sequence[str] = ()) -> Exchanged:
        """Put what is new in the place of what is old. Raises UsageError, WriteError.

        moving: files of the earlier output that go, with its list, to a new folder beside this one;
        then none is removed. Where it raises UsageError nothing was touched.
        """
        try:
            assert self._placed is not None
            self._placed.close()
            renames = self._renames()
            root = os.path.basename(self.shelf.root)
            left, listed = renames.write(self._coming(), root, moving=moving)
            renames.complete(left, listed=listed)
            self.moved = renames.moved
            return left
        except OSError as error:
            if isinstance(error, WriteError):
                raise
            raise self.shelf.said("", error) from error

    def _coming(self) -> Iterator[tuple[str, bool, Entry]]:
        with (self.place / "placed.jsonl").open("rb") as file:
            for name, taken, *values in map(from_json, file):
                yield name, taken, Entry(*values)

    def _renames(self) -> Exchange:
        return Exchange(self, self.place, what=self.what, id=self.id, made=self._made)

    def _recover(self, *, again: bool = False) -> None:
        renames = self._renames()
        renames.recover(again=again)
        self.moved = renames.moved

    # One by one, where an output stands

    def stay(self) -> None:
        """Make room again, after an exchange, for files that :meth:`place_one` takes."""
        self.look()
        try:
            self._make_shelf()
        except OSError as error:
            raise files.write_error(self.place, error) from error

    def place_one(self, put: Put) -> None:
        """Put a file from the shelf in its place at once, noted before.

        Raises UsageError where what is there is not ours to replace, WriteError.
        """
        state, why = self.judge(put.name, put.entry)
        if why:
            raise self.in_the_way([(put.name, why)])
        if state == "foreign":
            return  # the bytes are there, and stay whose they are
        target = self.folder / put.name
        for way in exchange.ways(put.name):
            self.make_folder(way)
        self.owned.add(put.name, put.entry, what=self.what)
        try:
            os.replace(os.path.join(self.shelf.root, put.name), target)
        except OSError as error:
            raise self.shelf.said(put.name, error) from error
        self.owned.settle(put.name)

    def make_folder(self, way: str) -> Path:
        """Return the folder ``way``, made and noted where it is not there. Raises WriteError."""
        folder = self.folder / way
        if not folder.is_dir():
            self.owned.add(way, None, what=self.what)
            try:
                folder.mkdir()
            except OSError as error:
                raise self.shelf.said(way, error) from error
        return folder

    def check_held(self) -> None:
        """Raise WriteError where the folder was moved or removed while the lock was held."""
        if self._lock is None or not self._lock.holds:
            raise self.shelf.said("", FileNotFoundError(errno.ENOENT, "it is gone"))

    # The end

    def discard(self) -> None:
        """Forget what is new: nothing was touched. An exchange that was begun stays to be ended."""
        with suppress(OSError):
            if self._placed is not None:
                self._placed.close()
        if self._lock is not None and self._lock.holds and not self._is_cut_off:
            exchange.clear(self.place)

    def forget(self) -> None:
        """Remove the list of an output that has no file any more."""
        self.look()
        if not self.owned.entries:
            with suppress(OSError):
                hidden(self.folder, self.key, "owned").unlink()

    def close(self) -> None:
        """Let go of the lock, and of folders that were made for nothing."""
        if self._placed is not None:
            with suppress(OSError):
                self._placed.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None
        for folder in reversed(self._made):
            with suppress(OSError):  # something is in it
                folder.rmdir()
        self._made = []

    def _make_folder(self) -> None:
        folder, missing = self.folder, []
        while not os.path.exists(folder) and folder != folder.parent:
            missing.append(folder)
            folder = folder.parent
        try:
            for folder in reversed(missing):
                folder.mkdir(exist_ok=True)
                self._made.append(folder)
        except OSError as error:
            raise files.write_error(self.folder, error) from error

    def _take_lock(self) -> None:
        self._lock = Lock(hidden(self.folder, self.key, "lock"))

    def _is_bound(self) -> bool:
        """Tell whether the hidden folder was made here, and not unpacked or copied."""
        try:
            content = from_json((self.place / "run.json").read_bytes())
            return bool(content == _binding(self.place))
        except (OSError, ValueError):
            return False

    def _refuse_unbound(self) -> None:
        if not os.path.lexists(self.place) or self._is_bound():
            return
        if self.place.is_dir() and not self.place.is_symlink():
            with suppress(OSError):
                if set(os.listdir(self.place)) <= {"run.part"}:
                    return  # made a moment before the end
            if self._is_blank():
                return  # made before a power cut: nothing can have been renamed yet
        raise UsageError(
            f"{str(self.place)!r} came from elsewhere: maskforge did not make it here",
            code="in-the-way",
            file=str(self.place),
            cure="remove it, or choose another --out",
        )

    def _bind(self) -> None:
        self.place.mkdir(exist_ok=True)
        if not self._is_bound():
            part = self.place / "run.part"
            part.write_bytes(to_json(_binding(self.place)))
            os.replace(part, self.place / "run.json")


def is_cut_off(folder: Path, key: str) -> bool:
    """Tell whether the output ``key`` in ``folder`` is between an old one and a new one."""
    return (hidden(folder, key, "new") / exchange.LIST).is_file()


def _binding(place: Path) -> dict[str, Any]:
    return {"format": _FORMAT, "number": place.stat().st_ino}
