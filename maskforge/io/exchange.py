"""The exchange: a list of renames by which what is new takes the place of what is old.

    ["root", "files-2"]                the folder that the new files wait in
    ["place", name, size, digest, …]   a new file, and what it takes the place of, if anything
    ["aside", name, size, digest, …]   the same; the image that is there goes to set-aside/
    ["keep", name, size, digest, …]    a file that stands already, or has to stay
    ["drop", name]                     one that a stranger has there, with these very bytes
    ["remove", name, size, digest, …]  a file of the earlier output that the new one has not
    ["folder", name]                   a folder that was made, and goes when it is empty
    ["beside", …], ["move", name]      an earlier output that moves (see aside.py)
    ["end"]

Every step can be done again: it looks at what is there. Nothing that stood is touched before the
list is there, whole and on the disk.
"""

from __future__ import annotations

import itertools
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maskforge.errors import UsageError
from maskforge.io import aside, files
from maskforge.io.ownership import Entry, Owned, Standing, digest_of
from maskforge.records import from_json, to_json

ASIDE = "set-aside"
"""Where an image goes whose place is needed while nobody else has its bytes."""

LIST = "exchange.jsonl"

_NEW = ("place", "aside")
"""Steps that place a new file."""


@dataclass(slots=True)
class Exchanged:
    """What an exchange left. left: files of the earlier output that had to stay: an image that no
    source has any more, a file that somebody changed. aside: images that were moved, and where to.
    """

    left: list[str] = field(default_factory=list)
    aside: list[tuple[str, str]] = field(default_factory=list)


class Exchange:
    """From old to new, in the folder of ``standing``; ``place`` is the hidden folder.

    what: the command whose output it is. id: of :class:`Owned`. moved: where an earlier output was
    moved to. made: takes folders that are made beside, to be removed if they stay empty.
    """

    def __init__(
        self, standing: Standing, place: Path, *, what: str, id: str, made: list[Path]
    ) -> None:
        self.folder = standing.folder
        self.place = place
        self.what = what
        self.id = id
        self.moved: Path | None = None
        self._made = made
        self._standing = standing

    @property
    def owned(self) -> Owned:
        """The list of what stands."""
        return self._standing.owned

    def write(
        self, coming: Iterable[tuple[str, bool, Entry]], root: str, *, moving: Sequence[str]
    ) -> tuple[Exchanged, bool]:
        """Write the list of renames: from then on the exchange is completed, now or later.

        coming: all files of the new output, by name, and whether they stand there already. root:
        the folder in the hidden one where the others wait. moving: files of the earlier output that
        move beside. Return what will be left, and whether the list of what is ours is the new one.
        Raises UsageError where something is in the way, and nothing was touched.
        """
        left = Exchanged()
        gone = {} if moving else dict.fromkeys(self.owned.entries)
        fresh = False
        folders: dict[str, None] = {}
        there: set[str] = set()  # folders that are there
        part = self.place / "exchange.part"
        with part.open("wb") as steps:
            steps.write(_line(["root", root]))
            steps.write(_line(["id", self.id]))
            if moving:
                beside, moves = aside.steps(self.folder, moving)
                self._made.append(beside)
                steps.writelines(map(_line, moves))
            for name, taken, entry in coming:
                gone.pop(name, None)
                if taken:
                    steps.write(_line(["keep", name, *entry]))
                    continue
                for way in ways(name):
                    if way not in folders and way not in there:
                        is_there = os.path.lexists(self.folder / way)
                        there.add(way) if is_there else folders.setdefault(way)
                if name in moving or name.rpartition("/")[0] in folders:
                    step = ["place", name, *entry, None]
                else:
                    step = self._step(name, entry)
                fresh |= step[0] in _NEW
                steps.write(_line(step))
            for name in gone:
                if (last := self._farewell(name, left)) is not None:
                    steps.write(_line(last))
            steps.writelines(_line(["folder", way]) for way in [*self.owned.folders, *folders])
            steps.write(_line(["end"]))
        is_first = not (self.owned.exists or moving or self.id)
        if not moving:  # else the new files have a list of their own
            self.owned.note([*((w, None) for w in folders), *_placing(part)], what=self.what)
        if fresh:
            _sync(self.place)
        os.replace(part, self.place / LIST)
        return left, is_first

    def _step(self, name: str, entry: Entry) -> list[Any]:
        """Return what becomes of a new file: place it, also after an image is set aside, or not."""
        state, why = self._standing.judge(name, entry)
        if why:
            raise self._standing.in_the_way([(name, why)])
        if state == "absent":
            return ["place", name, *entry, None]
        if state == "foreign":
            return ["drop", name]  # the bytes are there, and stay whose they are
        found = (self.folder / name).lstat()
        kind = "aside" if state == "ours" and not self.owned.is_spare(name) else "place"
        return [kind, name, *entry, [found.st_size, found.st_mtime_ns]]

    def _farewell(self, name: str, left: Exchanged) -> list[Any] | None:
        """Return the step for a file of the earlier output that the new one has not."""
        state = self.owned.state(name)
        if state not in ("ours", "damaged"):
            if state == "changed":
                left.left.append(name)
            return None  # it is not ours any more
        if os.path.realpath(self.folder / name) in self._standing.sources:
            return None
        entry = self.owned.entry(name)
        if state == "ours" and not self.owned.is_spare(name):
            left.left.append(name)
            return ["keep", name, *entry]
        found = (self.folder / name).lstat()
        return ["remove", name, *entry, [found.st_size, found.st_mtime_ns]]

    def _steps(self) -> Iterator[list[Any]]:
        with (self.place / LIST).open("rb") as file:
            for step in map(from_json, file):
                name = step[1] if len(step) > 1 else ""
                if name and not files.is_inside(name):
                    raise UsageError(f"the list of renames must stay inside, but says {name!r}")
                yield step

    def complete(self, left: Exchanged, *, listed: bool = False, is_late: bool = False) -> None:
        """Do all steps, those again that were done; the list of what is ours, and the end.

        listed: the list names these files and no others already. is_late: time has passed since the
        steps were decided on, so that an image may have become the last copy.
        """
        root, number, folders = self.place, "", []
        spared: list[tuple[str, Entry]] = []
        waiting: Counter[str] = Counter()
        for kind, *values in self._steps():
            if kind == "root":
                root = self.place / values[0]
            elif kind == "id":
                number = values[0]
            elif kind == "folder":
                folders.append(values[0])
            elif kind in _NEW and "/" in values[0]:
                waiting[values[0].partition("/")[0]] += 1
        for step in self._steps():
            kind = step[0]
            if kind == "root":
                self._place_folders(root, waiting)
            elif kind == "beside":
                self._move_aside(root)
            elif kind in _NEW and os.path.lexists(os.path.join(root, step[1])):
                self._place_file(root, step[1], step, left, is_late=is_late)
            elif kind == "remove" and self._is_as_seen(step[1], step[6]):
                entry = Entry(*step[2:6])
                if is_late and self._is_the_last(step[1], entry):
                    spared.append((step[1], entry))
                    continue
                with suppress(FileNotFoundError):
                    (self.folder / step[1]).unlink()
        for way in sorted(folders, reverse=True):
            with suppress(OSError):  # something is in it
                (self.folder / way).rmdir()
        self.owned.id = number
        if not listed:
            lines = itertools.chain(self._lines(folders), spared)
            self.owned.rewrite(lines, what=self.what, sync=True)
        clear(self.place)

    def _lines(self, folders: Iterable[str]) -> Iterator[tuple[str, Entry | None]]:
        yield from ((way, None) for way in folders if (self.folder / way).is_dir())
        for step in self._steps():
            if step[0] in _NEW or step[0] == "keep":
                yield step[1], Entry(*step[2:6])

    def _move_aside(self, root: Path) -> None:
        """Move the earlier output and its list; begin the list of the new one."""
        placing = list(_placing(self.place / LIST))
        done = any(not os.path.lexists(root / name) for name, _ in placing)
        self.moved = aside.move(self.owned, self._steps(), done=done)
        if not done:
            self._standing.look()
        self.owned.note(placing, what=self.what)

    def _place_folders(self, root: Path, waiting: Mapping[str, int]) -> None:
        """Move whole folders where nothing stands in their place, which spares many renames.

        waiting: how many files of a folder are to be placed. One that holds more has what a worker
        left that was killed, or a video that was given up.
        """
        if not root.is_dir():
            return
        for entry in list(os.scandir(root)):
            target = self.folder / entry.name
            if not entry.is_dir(follow_symlinks=False) or os.path.lexists(target):
                continue
            if sum(len(names) for _, _, names in os.walk(entry.path)) == waiting[entry.name]:
                os.rename(entry.path, target)

    def _is_the_last(self, name: str, entry: Entry | None = None) -> bool:
        """Tell whether what stands there is an image of ours that nobody else has any more.

        entry: what the list said of it when the step was decided on. It counts where the list was
        lost since, or came from elsewhere: that proves nothing, so not that the image may go.
        """
        if self.owned.state(name) == "ours":
            return not self.owned.is_spare(name)
        if entry is None or name in self.owned.entries:
            return False
        return not self.owned.is_elsewhere(entry, self.folder / name)

    def _place_file(
        self, root: Path, name: str, step: list[Any], left: Exchanged, *, is_late: bool
    ) -> None:
        staged, target = root / name, self.folder / name
        if os.path.lexists(target):
            if not self._is_as_seen(name, step[6]) and (why := self._standing.obstacle(name)):
                raise self._standing.in_the_way([(name, why)])
            # Where the list was lost since, nothing says whose else an image is.
            lost = name not in self.owned.entries and name.lower().endswith(files.IMAGES)
            if step[0] == "aside" or (is_late and (lost or self._is_the_last(name))):
                left.aside.append((name, self._set_aside(name)))
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(staged, target)
        with suppress(FileNotFoundError):  # two links of one file: a rename does nothing
            staged.unlink()

    def _is_as_seen(self, name: str, seen: list[int] | None) -> bool:
        """Tell whether a file is as it was when the step was decided on."""
        try:
            found = (self.folder / name).lstat()
        except OSError:
            return False
        return seen == [found.st_size, found.st_mtime_ns]

    def _set_aside(self, name: str) -> str:
        stem, dot, suffix = name.rpartition(".")
        number, chosen = 1, f"{ASIDE}/{name}"
        while os.path.lexists(self.folder / chosen):
            number += 1
            chosen = f"{ASIDE}/{stem}-{number}{dot}{suffix}"
        (self.folder / chosen).parent.mkdir(parents=True, exist_ok=True)
        os.rename(self.folder / name, self.folder / chosen)
        return chosen

    def recover(self, *, again: bool) -> None:
        """Complete a list of renames that was cut off; what waits is checked first.

        again: of :meth:`Stage.settle`.
        """
        self._standing.look()
        try:
            steps = list(self._steps())
        except ValueError:
            steps = []  # a power cut before it was all on the disk, when nothing was renamed yet
        if not steps or steps[-1] != ["end"]:
            (self.place / LIST).unlink()
            return
        root = self.place / str(steps[0][1])
        begun, broken = False, ""
        for _, name, *rest in (s for s in steps if s[0] in _NEW):
            entry, staged = Entry(*rest[:4]), root / name
            if os.path.lexists(staged):
                if not broken and digest_of(staged)[:2] != entry[:2]:
                    broken = name
            else:  # it was placed, whatever a person has done with it since
                begun = True
        if not broken:
            self.complete(Exchanged(), is_late=True)
        elif not begun and aside.has_begun(self.owned, steps):
            self.moved = aside.move(self.owned, steps, done=False)
            clear(self.place)  # the earlier output is whole, and what is damaged is worth nothing
        elif not begun:
            (self.place / LIST).unlink()  # so that the run goes on from here
        elif again:
            clear(self.place)
        else:
            raise UsageError(
                f"the output in {str(self.folder)!r} was being replaced when the run was cut off, "
                f"and {broken} of the new one is damaged",
                file=str(root / broken),
                cure="run the command again with --overwrite",
            )


def clear(place: Path) -> None:
    """Remove what a run left in the hidden folder; ``exchange.jsonl`` last, then the folder."""
    if place.is_symlink() or not place.is_dir():
        return
    for name in ("journal.jsonl", "placed.jsonl", "exchange.part", "run.part"):
        with suppress(FileNotFoundError):
            (place / name).unlink()
    for root in place.glob("files-*"):
        _remove_tree(root)
    for name in (LIST, "run.json"):
        with suppress(FileNotFoundError):
            (place / name).unlink()
    with suppress(OSError):
        place.rmdir()


def _remove_tree(folder: Path) -> None:
    """Remove a hidden folder with all in it; where a link leads is not its own."""
    with suppress(OSError):
        for root, folders, names in os.walk(folder, topdown=False):
            for name in names:
                os.unlink(os.path.join(root, name))
            for name in folders:
                path = os.path.join(root, name)
                os.unlink(path) if os.path.islink(path) else os.rmdir(path)
        os.rmdir(folder)


def _placing(steps: Path) -> Iterator[tuple[str, Entry]]:
    with steps.open("rb") as file:
        for step in map(from_json, file):
            if step[0] in _NEW:
                yield step[1], Entry(*step[2:6])


def _sync(folder: Path) -> None:
    """Have the system write all of the file system that ``folder`` is on, once."""
    if hasattr(os, "sync"):
        try:
            import ctypes

            descriptor = os.open(folder, os.O_RDONLY)
            try:
                if ctypes.CDLL(None).syncfs(descriptor) == 0:
                    return
            finally:
                os.close(descriptor)
        except (OSError, AttributeError):
            pass
        os.sync()


def ways(name: str) -> Iterator[str]:
    """Yield the folders on the way to ``name``, from the top."""
    parts = name.split("/")
    for count in range(1, len(parts)):
        yield "/".join(parts[:count])


def _line(step: list[Any]) -> bytes:
    return to_json(step) + b"\n"
