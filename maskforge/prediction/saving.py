"""The output folder of an inference: files wait beside earlier ones until all are there.

What was done of which inputs is noted as it goes, in the journal of the hidden folder and then, as
one of the output's files, in ``.maskforge-KEY.done``: so a later run goes on, whether the earlier
one was killed, was stopped or came to its end.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from maskforge.errors import Problem, UsageError, WriteError
from maskforge.io import journal as journals
from maskforge.io import video
from maskforge.io.digests import digest
from maskforge.io.exchange import Exchanged
from maskforge.io.journal import Journal
from maskforge.io.ownership import Entry, digest_of, hidden
from maskforge.io.shelf import Put
from maskforge.io.stage import Stage
from maskforge.prediction import footage
from maskforge.prediction.footage import Found
from maskforge.records import to_json

_NOTES = 1
"""The number of what records hold: those of another are not understood."""

Event: TypeAlias = tuple[str, Problem | None]
"""The name of an image or frame that is done, and what was wrong with it."""


class Folder:
    """The output of ``command`` in the folder ``path``, under way; a context.

    At its end all that was saved takes the place of what an earlier run had made, or, where
    something was raised, nothing does. A run that is interrupted puts in place what it has done
    where nothing stood before; with ``whole`` it never does, since a part is worth nothing. What
    :meth:`done` was told of, and is not in place, waits for a run that goes on.

    key: what the output is known by; the command, if not a file in the folder. originals: files
    that are read, and never replaced. overwrite: an earlier output of the command may be replaced.
    resume: it is gone on with, see :meth:`recall`. placed: what the exchange left, None where
    nothing was put in place. waits: whether :meth:`recall` of a later run finds what was done.
    kept: images and frames that an earlier run had done.

    Raises UsageError where an earlier output stands and neither is said.
    """

    def __init__(
        self,
        path: Path,
        command: str,
        originals: Iterable[Path] = (),
        *,
        overwrite: bool,
        resume: bool = False,
        key: str = "",
        whole: bool = False,
    ) -> None:
        if overwrite and resume:
            raise UsageError("overwrite and resume contradict each other", cure="give one of them")
        self._path = path
        self._overwrite = overwrite
        self._resume = resume
        self._whole = whole
        self._stage = Stage(path, key or command, what=command)
        self.spare(originals)
        self._stage.settle(again=overwrite or resume)
        self._refuse()
        self._record = hidden(path, key or command, "done").name
        self._journal: Journal | None = None
        self._fingerprint = ""
        self._since: list[Put] = []
        self._entries: dict[Path, Entry | None] = {}
        self._of: list[list[Any]] | None = None
        self._lines: list[bytes] = []
        self._stood = False
        self._goes_on = False  # with what stands: a part of the new is worth more than that
        self.waits = False
        self.kept = 0
        self._taken: set[str] = set()
        self._done = 0
        self._add: Callable[[NDArray[np.uint8]], None] | None = None
        self._open = ExitStack()
        self.placed: Exchanged | None = None

    def _refuse(self) -> None:
        self._stage.refuse(overwrite=self._overwrite, resume=self._resume)

    def spare(self, originals: Iterable[Path]) -> None:
        """Never replace these files either."""
        for one in originals:
            self._stage.protect(one)

    def check(self, names: Iterable[str]) -> None:
        """Raise UsageError, naming them, where these files are there and not ours to replace."""
        self._stage.check(names)

    def __enter__(self) -> Folder:
        try:
            self._stage.begin(resume=self._resume)
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
            if self._journal is not None:
                self._journal.close()
            if self._done and (kind is None or self._is_worth(kind)):
                self._write_notes()
                self.placed = self._stage.exchange()
        except BaseException as error:
            kind = type(error)
            raise
        finally:
            if self.placed is None and not self._may_wait(kind):
                self._stage.discard()
            self.waits = self._stage.unfinished if self.placed is None else bool(self._lines)
            self._stage.close()

    def _is_worth(self, raised: type[BaseException]) -> bool:
        """Tell whether a part of the output is better than what stood there."""
        stopped = issubclass(raised, KeyboardInterrupt | GeneratorExit)
        return stopped and not self._whole and (self._goes_on or not self._stood)

    def _may_wait(self, raised: type[BaseException] | None) -> bool:
        """Tell whether what is done, and not in place, is for a run that goes on."""
        if raised is None or not self._stage.unfinished:
            return False
        return self._resume or not issubclass(raised, UsageError)

    # What is done already

    def recall(
        self, fingerprint: str, units: Mapping[str, Sequence[Path]], *, others: bool = False
    ) -> dict[str, dict[str, Any]]:
        """Take over what an earlier run has done of ``units``; return its records, by unit.

        fingerprint: of all that bears on the output, but for the files that a unit is made of.
        units: name → those. One is taken over where they are the same bytes, and all that was made
        of them is there as it was. others: so are units of the earlier run that are not asked for.
        Only after this does :meth:`done` note anything. Raises UsageError where what stands or
        waits has another fingerprint.
        """
        kept = {}
        self._goes_on = self._resume and others
        for unit, (record, puts) in self._known(fingerprint).items():
            if unit not in units:
                is_wanted = others
            else:
                is_wanted = (self._digests(units[unit]) or None) == record.get("of", "")
            if is_wanted and all(map(self._is_there, puts)):
                for put in puts:
                    self._take(put.name)
                    self._stage.add(put)
                self._done += len(puts)
                self._note(record, puts)
                kept[unit] = record
        self._journal = Journal(self._waiting, fingerprint, go_on=self._resume)
        return {unit: record for unit, record in kept.items() if unit in units}

    def standing(self, fingerprint: str, of: Iterable[Path]) -> dict[str, Any] | None:
        """Return the record of an output that stands as a whole, was noted by :meth:`note` with
        these, and is gone on with; None where it is not. Raises UsageError as :meth:`recall` does.
        """
        self._of = self._digests(of)  # as they are before they are read
        record, puts = self._known(fingerprint).get("", ({}, []))
        is_same = self._of is not None and record.get("of") == self._of
        return record if is_same and all(map(self._is_there, puts)) else None

    def note(self, record: Mapping[str, Any]) -> None:
        """Note that what was saved is a whole, made of what :meth:`standing` was asked for."""
        self._note({"stem": "", "of": self._of, **record}, self._since)

    def _known(self, fingerprint: str) -> dict[str, tuple[dict[str, Any], list[Put]]]:
        """Return what is noted where this goes on, by unit: the record, and what was made.

        Raises UsageError.
        """
        self._fingerprint = fingerprint
        known: dict[str, tuple[dict[str, Any], list[Put]]] = {}
        if not self._resume:
            return known
        notes = [self._waiting] if self._stage.unfinished else []
        if self._stage.owned.state(self._record) == "ours":
            notes.insert(0, self._path / self._record)
        for path in notes:
            earlier, lines = journals.read(path)
            if earlier == fingerprint:
                for record, made in lines:
                    puts = [Put(name, entry, taken) for name, (entry, taken) in made.items()]
                    known[record["stem"]] = record, puts
            elif earlier is not None and path == notes[-1]:
                raise UsageError(
                    f"the output folder {str(self._path)!r} was made with another network or other "
                    "options",
                    cure="choose --overwrite to start again, or another --out",
                )
        return known

    @property
    def _waiting(self) -> Path:
        return self._stage.place / "journal.jsonl"

    def _is_there(self, put: Put) -> bool:
        if put.taken:
            return self._stage.owned.state(put.name) == "ours"
        return self._stage.is_staged(put.name, put.entry)

    def done(self, unit: str, of: Iterable[Entry | Path | None], **more: Any) -> None:
        """Note that what was saved since the last time is all that comes of ``unit``.

        of: the files it was made of, in the order of ``units``, as they were when they were read;
        None among them: it is not done. more: for the record. Raises WriteError.
        """
        digests, made, self._since = self._digests(of), self._since, []
        if self._journal is not None and digests is not None:
            record = {"stem": unit, "of": digests, **more}
            self._journal.add(record, made)
            self._note(record, made)

    def _digests(self, of: Iterable[Entry | Path | None]) -> list[list[Any]] | None:
        """Return size and digest of each, None where one is not known or cannot be read."""
        found = []
        for one in of:
            entry = self._entry(one) if isinstance(one, Path) else one
            if entry is None:
                return None
            found.append([entry.size, entry.digest])
        return found

    def _entry(self, path: Path) -> Entry | None:
        if path not in self._entries:  # one file may hold the masks of many images
            try:
                self._entries[path] = digest_of(path)
            except OSError:
                self._entries[path] = None
        return self._entries[path]

    def _note(self, record: Mapping[str, Any], made: Iterable[Put]) -> None:
        """Note in what is placed at the end that these are there."""
        if not self._lines:
            self._lines.append(to_json({"fingerprint": self._fingerprint}) + b"\n")
        files = [[put.name, True, *put.entry] for put in made]
        self._lines.append(to_json({"record": record, "files": files}) + b"\n")

    def _write_notes(self) -> None:
        if self._lines:
            with self._stage.shelf.file(self._record) as file:
                file.writelines(self._lines)
            self._stage.add(self._stage.shelf.put_file(self._record))

    # What is new

    def save(self, name: str, data: bytes) -> None:
        """Write the file ``name``, a relative path. Raises WriteError, UsageError."""
        self._take(name)
        self._add_file(self._stage.shelf.put(name, data, self._stage.owned.entries.get(name)))

    def enclose(self, name: str, data: bytes) -> None:
        """Write a file that is worth nothing without others."""
        self.save(name, data)
        self._since.pop()
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
        self._add_file(self._stage.shelf.put_file(name))

    def _add_file(self, put: Put) -> None:
        self._stage.add(put)
        self._since.append(put)
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

    @property
    def kept(self) -> int:
        """Images and frames that an earlier run had done."""
        return self._folder.kept

    @property
    def waits(self) -> bool:
        """Whether a run that goes on finds what this one has done; known at the end."""
        return self._folder.waits


class Work:
    """What of ``found`` is still to do in ``folder``, and the note of what is done.

    fingerprint: as of :meth:`Folder.recall`. more: the files that what comes of an image or video
    depends on besides. together: all become one file. records: of what an earlier run has done.
    left: what it has not.
    """

    def __init__(
        self,
        folder: Folder,
        found: Sequence[Found],
        fingerprint: str,
        *,
        more: Callable[[Found], Sequence[Path]] | None = None,
        together: bool = False,
    ) -> None:
        self._folder = folder
        self._found = found
        self._together: dict[str, tuple[Entry | None, int]] | None = {} if together else None
        self._more = more or (lambda _: ())
        units: dict[str, Sequence[Path]] = {one.name: [one.path, *self._more(one)] for one in found}
        if together:
            units = {"": [path for paths in units.values() for path in paths]}
        known = folder.recall(fingerprint, units, others=not together)
        self.records = list(known.values())
        self.left = [one for one in found if (("" if together else one.name) not in known)]

    def before(self) -> Iterator[Event]:
        """Tell of each image and frame that an earlier run has done."""
        shots = {name: count for record in self.records for name, count in record["shots"].items()}
        for one in self._found:
            if one.name in shots:
                names = footage.frame_names(one, shots[one.name])
                self._folder.kept += len(names)
                yield from ((name, None) for name in names)

    def done(self, one: Found, entry: Entry | None, shots: int, **more: Any) -> None:
        """Note that an image or video is done; see :func:`~maskforge.prediction.footage.process`.

        more: for the record.
        """
        if self._together is None:
            of = [entry, *self._more(one)]
            self._folder.done(one.name, of, shots={one.name: shots}, **more)
        else:
            self._together[one.name] = entry, shots

    def close(self, **more: Any) -> None:
        """Note that all is done, where it is one file; this one is whole now."""
        if self._together is not None and self.left:
            read = [self._together.get(one.name, (None, 0)) for one in self._found]
            shots = {one.name: count for one, (_, count) in zip(self._found, read, strict=True)}
            self._folder.done("", [entry for entry, _ in read], shots=shots, **more)


def fingerprint(*parts: object) -> str:
    """Return a digest of ``parts``, which become JSON: equal where these are."""
    return digest(json.dumps([_NOTES, *parts], default=str).encode())
