"""Ownership: which files in a folder are maskforge's own.

A hidden list beside each output names every file that maskforge has placed there, by size and
digest, noted before it was placed. Only a file that the list names and that is still equal to what
it says may be replaced or removed; whatever else stands in a folder is a stranger's.

    .maskforge-KEY.owned        KEY: the command of an output that is a folder, else the file's name

Lines of JSON: a header, with the id of an output whose files grow (see :meth:`Owned.grown`);
``[path, size, digest]``, with the source of an image (see :class:`Entry`);
``["folder/"]`` for one that was made; and after each stretch ``{"check": …}``, a digest of all
before it and of the list's own number in the file system. What no check holds for was copied,
unpacked or edited: it came from elsewhere, and nothing is replaced or removed on its word.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple, TypeAlias

from maskforge.errors import UsageError, WriteError
from maskforge.io import files
from maskforge.io.damage import is_cut
from maskforge.io.digests import Digest
from maskforge.records import parsed, to_json

FORMAT = "maskforge-owned/2"

_ID = re.compile(r"[0-9a-f]{16}")
_LONGEST = 160  # bytes of a key; a file's name has at most 255
_PART = 1 << 18
"""Bytes of a file that are read at once: they stay in a processor's own cache."""

State: TypeAlias = Literal["absent", "ours", "damaged", "changed", "foreign"]
"""What stands at a path. damaged: ours, but empty or cut, as a power cut leaves a file. changed:
listed, but with other bytes, so that it is somebody's work by now. foreign: anything else."""


class Entry(NamedTuple):
    """A file that was placed.

    source: of an image, the way from the folder to the user's own. origin: digest of that, where
    the image is not the same bytes, but was turned, resized or recoded.
    """

    size: int
    digest: str
    source: str | None = None
    origin: str | None = None


def hidden(folder: Path, key: str, suffix: str) -> Path:
    """Return the path of a hidden file of the output ``key`` in ``folder``."""
    name = key.encode("utf-8", "surrogatepass")
    if len(name) > _LONGEST:
        short = name[: _LONGEST - 9].decode("utf-8", "ignore")
        key = f"{short}-{hashlib.sha256(name).hexdigest()[:8]}"
    return folder / f".maskforge-{key}.{suffix}"


def digest_of(path: Path | str) -> Entry:
    """Return size and digest of the file ``path``. Raises OSError."""
    with open(path, "rb", buffering=0) as file:
        return digest_in(file)


def digest_in(file: FileIO) -> Entry:
    """Return size and digest of an open file, from where it stands to its end. Raises OSError."""
    size, seen = 0, Digest()
    while part := file.read(_PART):
        size += len(part)
        seen.update(part)
    return Entry(size, seen.hexdigest())


class Owned:
    """The list of what was placed in ``folder`` by one output; read, asked, and added to.

    entries: path, relative to the folder, with forward slashes → what was placed there last.
    exists: whether there is a list. local: whether it was made here; one that came from elsewhere
    proves nothing and has no entries, but for those of the names ``copied`` that are no image.
    readable: whether it is of the version that is read here. names: all that it names, whatever it
    proves. is_folder: whether the output is the folder, and
    not one file in it with its companions. id: 16 hexadecimal digits that the names of its growing
    files end with, "" where it has none.
    """

    def __init__(self, folder: Path, key: str, *, copied: Collection[str] = ()) -> None:
        self.folder = folder
        self.path = hidden(folder, key, "owned")
        self.is_folder = "." not in key
        self.entries: dict[str, Entry] = {}
        self.folders: set[str] = set()
        self.local = True
        self.readable = True
        self.what = ""
        self.id = ""
        self._earlier: dict[str, list[Entry]] = {}
        self._whole = True
        self.exists = self._load()
        self.names = frozenset(self.entries)
        if not self.local:
            self._disown(copied if self.readable else ())
        self._real = os.path.realpath(folder)
        self._inside: dict[str, bool] = {}
        self._sure: dict[str, tuple[int, ...]] = {}

    # Asking

    def state(self, name: str) -> State:
        """Return what stands at ``name``; reads the file where it is listed."""
        if self.blocker(name) is not None:
            return "foreign"
        path = self.folder / name
        try:
            found = path.lstat()
        except OSError:
            return "absent"
        entries = self._known(name)
        if not stat.S_ISREG(found.st_mode) or not entries or not self._is_inside(name):
            return "foreign"
        if self._sure.get(name) == _seen(found):
            return "ours"
        try:
            if any(entry.size == found.st_size for entry in entries):
                is_digest = digest_of(path).digest
                if any(entry.digest == is_digest for entry in entries):
                    return "ours"
            if any(self._is_link(entry, path) for entry in entries):
                return "ours"
            return "damaged" if is_cut(path, max(e.size for e in entries)) else "changed"
        except OSError:
            return "foreign"

    def blocker(self, name: str) -> str | None:
        """Return the first part of the way to ``name`` that is there and no folder, else None."""
        parts = name.split("/")[:-1]
        for count in range(1, len(parts) + 1):
            way = "/".join(parts[:count])
            if way in self._inside:
                continue
            path = os.path.join(self.folder, way)
            if not os.path.lexists(path):
                return None
            if not os.path.isdir(path):
                return way
        return None

    def _is_inside(self, name: str) -> bool:
        """Tell whether the folder of ``name`` is below ours, wherever links may lead."""
        way = name.rpartition("/")[0]
        if way not in self._inside:
            real = os.path.realpath(self.folder / way)
            self._inside[way] = real == self._real or real.startswith(self._real + os.sep)
        return self._inside[way]

    def _known(self, name: str) -> list[Entry]:
        newest = self.entries.get(name)
        return [] if newest is None else [newest, *self._earlier.get(name, ())]

    def is_spare(self, name: str) -> bool:
        """Tell whether an image that is ours may go: its source is elsewhere, with the same bytes.

        What is no image is spare as such.
        """
        return self.is_elsewhere(self.entry(name), self.folder / name)

    def entry(self, name: str) -> Entry:
        """Return what the list says of the file at ``name``, which must be listed.

        Of what a run noted that was cut off, and what it said before, that which is there.
        """
        known = self._known(name)
        if len(known) > 1:
            with suppress(OSError):
                found = digest_of(self.folder / name)[:2]
                known = [entry for entry in known if entry[:2] == found] or known
        return known[0]

    def is_elsewhere(self, entry: Entry, own: Path) -> bool:
        """Tell whether somebody else has the image at ``own``, of which the list says ``entry``."""
        if entry.source is None:
            return True
        source = self.folder / entry.source
        try:
            if os.path.realpath(source) == os.path.realpath(own) or not _is_file(source):
                return False
            wanted = entry.origin or entry.digest
            return source.samefile(own) or digest_of(source).digest == wanted
        except OSError:
            return False

    def _is_link(self, entry: Entry, path: Path) -> bool:
        """Tell whether ``path`` is a hard link to the source, so that to edit that edited both."""
        if entry.source is None:
            return False
        source = self.folder / entry.source
        return _is_file(source) and source.samefile(path)

    def grown(self, way: str) -> list[str]:
        """Return the files directly in the folder ``way`` whose names end with the output's id.

        They grow while it is under way, so that the list can hold no digest of them.
        """
        if not self.id or not self._is_inside(f"{way}/"):
            return []
        try:
            names = sorted(os.listdir(self.folder / way))
        except OSError:
            return []
        found = [f"{way}/{name}" for name in names if name.endswith(f".{self.id}")]
        return [name for name in found if stat.S_ISREG((self.folder / name).lstat().st_mode)]

    # Reading

    def _load(self) -> bool:
        try:
            if not _is_file(self.path):
                return False
            with self.path.open("rb") as file:
                number = os.fstat(file.fileno()).st_ino
                lines = file.read().split(b"\n")
        except OSError:
            return False
        seen, proven = Digest(), 0
        for at, line in enumerate(lines):
            is_check = line.startswith(b'{"check"')
            if is_check and parsed(line) == {"check": _check(seen, number)}:
                proven = at
            seen.update(line + b"\n")
        head = parsed(lines[0])
        if isinstance(head, dict):
            self.readable = head.get("format") == FORMAT
            self.what = str(head.get("what", ""))
            self.id = str(head.get("id", "")) if _ID.fullmatch(str(head.get("id", ""))) else ""
        self.local = proven > 0
        self._whole = lines[proven + 1 :] == [b""]
        for line in lines[1:proven] if self.local else lines[1:]:
            self._take(parsed(line))
        return True

    def _disown(self, copied: Collection[str]) -> None:
        # What might be somebody's only copy of a photograph, or a mask painted by hand.
        believed = {name for name in copied if not name.lower().endswith(files.IMAGES)}
        self.entries = {name: e for name, e in self.entries.items() if name in believed}
        self._earlier = {name: e for name, e in self._earlier.items() if name in believed}
        self.folders.clear()
        self.id = self.id if copied else ""

    def _take(self, line: object) -> None:
        if not isinstance(line, list) or not line or not isinstance(line[0], str):
            return
        name = line[0]
        if not files.is_inside(name.removesuffix("/")):
            return  # it leads elsewhere
        if name.endswith("/"):
            self.folders.add(name.rstrip("/"))
        elif len(line) >= 3 and isinstance(line[1], int) and isinstance(line[2], str):
            texts = [text if isinstance(text, str) else None for text in (*line[3:5], None, None)]
            if name in self.entries:
                self._earlier.setdefault(name, []).insert(0, self.entries[name])
            self.entries[name] = Entry(line[1], line[2], *texts[:2])

    # Writing

    def note(self, lines: Iterable[tuple[str, Entry | None]], *, what: str) -> None:
        """Add files that are about to be placed, and folders (None) that are about to be made.

        What the list said before stays true as well. Raises WriteError.
        """
        try:
            if not (self.exists and self.local and self._whole):
                self.rewrite([*self._all(), *lines], what=what)
                return
            with self.path.open("r+b") as file:
                seen = Digest(file.read())
                _append(file, seen, lines)
        except OSError as error:
            raise files.write_error(self.path, error) from error

    def add(self, name: str, entry: Entry | None, *, what: str) -> None:
        """Note one file or folder (None), and know it from now on. Raises WriteError."""
        self.note([(name, entry)], what=what)
        self._take([f"{name}/"] if entry is None else [name, *entry])

    def settle(self, name: str) -> None:
        """Forget what stood at ``name`` earlier: what was noted last is there now."""
        self._earlier.pop(name, None)
        with suppress(OSError):
            self._sure[name] = _seen((self.folder / name).lstat())

    def compact(self, *, what: str) -> None:
        """Write the list anew, without what is not true any more. Raises WriteError."""
        self.rewrite(list(self._all()), what=what)

    def _all(self) -> Iterator[tuple[str, Entry | None]]:
        yield from ((folder, None) for folder in self.folders)
        for name, entry in self.entries.items():
            yield from ((name, earlier) for earlier in reversed(self._earlier.get(name, ())))
            yield name, entry

    def rewrite(
        self, lines: Iterable[tuple[str, Entry | None]], *, what: str, sync: bool = False
    ) -> None:
        """Write the list anew, with these lines and no others. Raises WriteError.

        sync: it takes the place of the old one only when it is on the disk.
        """
        part = self.path.with_name(f"{self.path.name}{files.PART}")
        try:
            with suppress(FileNotFoundError):
                part.unlink()
            with part.open("x+b") as file:
                known = {"format": FORMAT, "what": what}
                head = _line({**known, "id": self.id} if self.id else known)
                file.write(head)
                _append(file, Digest(head), lines)
                if sync:
                    os.fsync(file.fileno())
            os.replace(part, self.path)
            self.exists = self.local = self._whole = True
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise (
                error if isinstance(error, WriteError) else files.write_error(self.path, error)
            ) from error


def _append(file: BinaryIO, seen: Digest, lines: Iterable[tuple[str, Entry | None]]) -> None:
    for name, entry in lines:
        line = _line([f"{name}/"] if entry is None else [name, *_without_none(entry)])
        seen.update(line)
        file.write(line)
    file.write(_line({"check": _check(seen, os.fstat(file.fileno()).st_ino)}))
    file.flush()


def _without_none(entry: Entry) -> list[object]:
    values: list[object] = list(entry)
    while values[-1] is None:
        values.pop()
    return values


def _line(entry: object) -> bytes:
    return to_json(entry) + b"\n"


def _check(seen: Digest, number: int) -> str:
    bound = seen.copy()
    bound.update(b"%d" % number)
    return bound.hexdigest()


class Standing:
    """The output ``key`` in ``folder`` as it stands. Looks, and touches nothing.

    owned: the list of its files. sources: real paths that must stay as they are, whatever a list
    says. beside: names that are no output where they are all that stands there. copied: as of
    :class:`Owned`.
    """

    def __init__(
        self,
        folder: Path,
        key: str,
        *,
        copied: Collection[str] = (),
        beside: Collection[str] = (),
    ) -> None:
        self.folder = folder
        self.key = key
        self.sources: set[str] = set()
        self._beside = beside
        self._inside: dict[str, str] = {}
        self._copied = copied
        self.look()

    def look(self) -> None:
        """Read the list again."""
        self.owned = Owned(self.folder, self.key, copied=self._copied)

    @property
    def stands(self) -> bool:
        """Whether an earlier output stands there, of the same command."""
        return self.owned.exists and any(
            os.path.lexists(self.folder / name)
            for name in self.owned.entries
            if name not in self._beside
        )

    def _example(self) -> str:
        names = [name for name in self.owned.entries if os.path.lexists(self.folder / name)]
        return ", ".join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")

    def check(self, names: Iterable[str]) -> None:
        """Raise UsageError, naming them, where these paths are needed and not ours to take."""
        found = [(name, why) for name in names if (why := self.obstacle(name))]
        if found:
            raise self.in_the_way(found)

    def obstacle(self, name: str, entry: Entry | None = None) -> str:
        """Return why ``name`` cannot be taken, "" where it can.

        entry: what is to be there. A file that has these bytes already is in nobody's way.
        """
        return self.judge(name, entry)[1]

    def judge(self, name: str, entry: Entry | None = None) -> tuple[State, str]:
        """Return what stands at ``name``, and why it is in the way, "" where it is not.

        entry: as of :meth:`obstacle`.
        """
        blocker = self.owned.blocker(name)
        if blocker is not None:
            return "foreign", "is no folder"
        if not os.path.lexists(os.path.join(self.folder, name)):
            return "absent", ""
        state = self.owned.state(name)
        if state == "changed":
            return state, "was changed after maskforge made it"
        is_input = os.path.realpath(self.folder / name) in self.sources
        if state == "foreign" or is_input:
            holds = entry is not None and self.holds(name, entry)
            why = "is an input of this command" if is_input else "was not made by this command"
            if not self.owned.local and name in self.owned.names:
                why = "was not made here: the list that names it is a copy"
                if not self.owned.readable:
                    why = "was made by another version of maskforge, whose list proves nothing here"
            return "foreign", "" if holds else why
        return state, ""

    def holds(self, name: str, entry: Entry) -> bool:
        """Tell whether a plain file at ``name`` has the bytes that are to be there anyway."""
        path = self.folder / name
        try:
            if path.is_symlink() or not path.is_file() or path.stat().st_size != entry.size:
                return False
            return digest_of(path)[:2] == entry[:2]
        except OSError:
            return False

    def in_the_way(self, found: list[tuple[str, str]]) -> UsageError:
        """Return the error that names what is in the way."""
        shown = [f"{self.owned.blocker(name) or name} {why}" for name, why in found[:5]]
        if len(found) > 5:
            shown.append(f"and {len(found) - 5:,} more")
        return UsageError(
            "; ".join(shown)
            + f"; the output needs {'its place' if len(found) == 1 else 'the place'}",
            code="in-the-way",
            file=str(self.folder / found[0][0]),
            cure="move it away, or choose another --out",
        )

    def protect(self, path: Path) -> None:
        """Keep a source of this run from being replaced or removed, should it lie in the folder."""
        where, name = os.path.split(path)
        inside = self._inside.get(where)
        if inside is None:  # most sources of a run lie in one folder
            own = os.path.realpath(self.folder)
            inside = os.path.join(os.path.realpath(where or "."), "")
            inside = inside if inside.startswith(os.path.join(own, "")) else ""
            self._inside[where] = inside
        if inside:
            self.sources |= {inside + name, os.path.realpath(path)}


def lists(folder: Path) -> Iterator[Owned]:
    """Yield the lists of all outputs in ``folder``."""
    with suppress(OSError):
        for name in sorted(os.listdir(folder)):
            if name.startswith(".maskforge-") and name.endswith(".owned"):
                yield Owned(folder, name.removeprefix(".maskforge-").removesuffix(".owned"))


def _seen(found: os.stat_result) -> tuple[int, ...]:
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _is_file(path: Path) -> bool:
    return stat.S_ISREG(path.stat().st_mode) if path.exists() else False
