"""Where outputs go: those of one image into a sink, and an output as a whole into its place.

A sink takes the outputs of one image: :class:`Memory` keeps them, :class:`Disk` puts them on the
shelf of an output under way, which :class:`Run` exchanges for what stood there when all is done.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from maskforge import layouts, plugins, splits, writers
from maskforge.conversion import account, image, manifest, sources
from maskforge.conversion.image import Made, Outcome, Outputs, Piece, Placed
from maskforge.conversion.settings import Plan
from maskforge.conversion.sources import Earlier, Job
from maskforge.engines import Team
from maskforge.errors import Problem, ReadError, UsageError, WriteError
from maskforge.io import copying, images
from maskforge.io import journal as journals
from maskforge.io.digests import digest
from maskforge.io.exchange import ASIDE, Exchanged
from maskforge.io.files import way_to
from maskforge.io.journal import Journal
from maskforge.io.manifest import load as load_manifest
from maskforge.io.manifest import output_files
from maskforge.io.ownership import Entry
from maskforge.io.scan import is_manifest
from maskforge.io.shelf import Shelf, Stream
from maskforge.io.stage import Stage
from maskforge.layouts import Names
from maskforge.records import Records
from maskforge.writers import Collecting

Progress: TypeAlias = Callable[[int, int], None]
"""Called with images done and images in all."""

_OTHER_FILES = 1 << 13
"""Bytes for mask and preview of an image, about."""


@dataclass(frozen=True, slots=True)
class Memory:
    """A sink in memory: every file by its name, an image as the bytes it has now."""

    files: dict[str, bytes] = field(default_factory=dict)

    def put(self, made: Outputs, earlier: Earlier | None) -> Placed:
        """Keep them; what an earlier run made does not matter here."""
        for name, file in made.files.items():
            self.files[name] = file.data if isinstance(file, Made) else file.path.read_bytes()
        return Placed(made.record)


@dataclass(frozen=True, slots=True)
class Disk:
    """A sink on the disk: the shelf of an output under way.

    link: images as hard links. folder: what names in records are relative to.
    """

    shelf: Shelf
    link: bool
    folder: Path

    def put(self, made: Outputs, earlier: Earlier | None) -> Placed:
        """Put the files on the shelf, but those that stand already; the record says which."""
        record, done, problems = made.record, [], []
        standing: Mapping[str, Entry] = {}
        if earlier is not None:
            standing = {n: e for n, e in earlier.files.items() if n not in earlier.staged}
        for name, file in made.files.items():
            before = standing.get(name)
            if isinstance(file, Made):
                put = self.shelf.put(name, file.data, before)
                if file.source is not None:
                    way = self.shelf.way_to(file.source)
                    put = put._replace(entry=put.entry._replace(source=way, origin=file.origin))
                done.append(put)
                continue
            try:
                found = self.shelf.image(
                    name, file.path, file.entry, link=self.link, earlier=before
                )
            except ReadError as error:
                problem = error.problem(file=str(file.path))
                problems.append(replace(problem, severity="warning"))
                record["image"] = None
                continue
            if found is None:  # it lies there already, and is the user's
                record["image"], record["original"] = None, name
            else:
                done.append(found)
        if record["image"] is None and record["original"] is None and made.source is not None:
            record["original"] = way_to(made.source.path, self.folder)
        return Placed(record, tuple(done), tuple(problems))


@dataclass
class Done:
    """What a run has come to so far.

    strays: files met in a folder that are no annotations of this format. copied: bytes of images
    that were copied. listed: the file that lists the problems. used: the
    names of the users' images, by folder. collections: the files of all images.
    """

    records: Records
    problems: list[Problem]
    kept: int = 0
    failed: int = 0
    strays: int = 0
    copied: int = 0
    exchanged: Exchanged = field(default_factory=Exchanged)
    listed: Path | None = None
    used: dict[str, set[str]] = field(default_factory=dict)
    collections: list[str] = field(default_factory=list)


class Place:
    """Where an output goes: its folder, the names that stand for the whole, and what stands there.

    out: the folder, or, ``is_file``, the file of all images.
    """

    def __init__(self, out: Path, *, is_file: bool) -> None:
        self.out = out
        self.is_file = is_file
        prefix = f"{out.stem}." if is_file else ""
        self.manifest = f"{prefix}manifest.json"
        self.problems = f"{prefix}problems.jsonl"
        folder, key = (out.parent, out.name) if is_file else (out, "convert")
        # The problems of a run that converted nothing: where an output stands, beside its own.
        self.failed = f"{prefix}problems.failed.jsonl"
        self.of_failed = Stage(folder, f"{key}-failed", what="conversion")
        self.stage = Stage(
            folder,
            key,
            what="conversion",
            beside=(
                self.problems,
                self.failed,
            ),
        )

    def refuse(self, *, overwrite: bool, resume: bool) -> None:
        """Complete what was cut off; raise UsageError where the output cannot go there at all."""
        if self.is_file and self.out.is_dir():
            raise UsageError(f"the output {str(self.out)!r} must be a file, but is a folder")
        self.stage.settle(again=overwrite or resume)
        path = self.stage.folder / self.manifest
        if not self.stage.owned.exists and is_manifest(path):
            raise UsageError(
                f"{str(path)!r} tells of an output without the list of its files, as maskforge 0.1 "
                "left it: nothing proves which files there are maskforge's own",
                code="in-the-way",
                file=str(path),
                cure="it can be trained on as it is; move it away, or choose another --out",
            )
        self.stage.refuse(overwrite=overwrite, resume=resume)
        self.stage.check([self.manifest, self.problems])


class Run:
    """One output under way: refusing, resuming, journalling, exchanging."""

    def __init__(self, plan: Plan, root: Path, place: Place) -> None:
        self.plan = plan
        self.root = root
        self.place = place
        self.stage = place.stage
        self._writer = writers.load(plan.writer)
        self._layout = plan.laid_out
        self._kind = plan.kind

    def keep_clear(self, jobs: list[Job]) -> list[Problem]:
        """Give other stems to images whose files would stand in the way of others."""
        if self.place.is_file:
            return []
        reserved = self._closing(_unknown((None, *splits.NAMES)))
        reserved_too = [
            self.place.manifest,
            self.place.problems,
            ASIDE,
            *filter(None, [self._sheet]),
        ]

        def places(stem: str) -> list[str]:
            found = self._layout.places(Names(stem, 0, ".png"), self._kind)
            names = (found.mask, found.image, found.preview, found.instance)
            return [name for name in names if name]

        return sources.keep_clear(jobs, places, [*reserved, *reserved_too])

    def check(self, jobs: Sequence[Job]) -> None:
        """Raise UsageError where files stand in the way, WriteError where there is no room.

        An image's own place is known when its header is read, and looked at then.
        """
        for job in jobs:
            self.stage.protect(job.source)
        self._check_room(jobs)
        if not self.stage.folder.is_dir():
            return
        in_splits = dict.fromkeys(job.split for job in jobs)
        known = {name: digest(data) for name, data in self._closing(_unknown((None,))).items()}
        found = []
        for name, data in self._closing(_unknown((None, *in_splits))).items():
            # What does not depend on the images is known now: where it stands, it is in no way.
            is_known = known.get(name) == digest(data)
            entry = Entry(len(data), digest(data)) if is_known else None
            if why := self.stage.obstacle(name, entry):
                found.append((name, why))
        if found:
            raise self.stage.in_the_way(found)
        names = dict.fromkeys(name for job in jobs for name in self._places(job))
        if self._sheet is not None and len(jobs) > 1:
            names[self._sheet] = None
        self.stage.check(names)

    def _check_room(self, jobs: Sequence[Job]) -> None:
        """Raise WriteError where the output, with copies of the images, needs more than is free.

        Counted are those that do not stand in the output already, by their sizes as they are, and
        of annotations that are not read yet those that lie beside them under the same name.
        """
        plan, stage = self.plan, self.stage
        if plan.images == "link" or not plan.places_images:
            return
        folder = next(p for p in (stage.folder, *stage.folder.absolute().parents) if p.is_dir())
        free = shutil.disk_usage(folder).free
        needed, first = _OTHER_FILES * len(jobs), None
        for path, size in _to_copy(jobs, plan, stage):
            first, needed = first or path, needed + size
        if needed > free and not (first is not None and _can_share(first, folder)):
            raise WriteError(
                f"the output needs about {needed / 1e6:,.1f} MB, "
                f"but only {free / 1e6:,.1f} MB are free",
                file=str(stage.folder),
                cure="--images link or none takes no room; or choose another --out",
            )

    @property
    def _sheet(self) -> str | None:
        """The contact sheet of the previews, called as their folder is."""
        preview = self._layout.places(Names("a", 0, ".png"), self._kind).preview
        if preview is None or not self.plan.previews:
            return None
        folder = preview.partition("/")[0]
        return "previews.jpg" if folder == "a" else f"{folder}.jpg"

    def _write_sheet(self, records: Records) -> None:
        """Draw some of the previews, at even distances, on one picture, where there are several."""
        if self._sheet is None or len(records) < 2:
            return
        from maskforge.pictures import contact_sheet, previews

        shown = {}
        for record in (records[at] for at in contact_sheet.chosen(len(records))):
            if name := record.get("preview"):
                staged = Path(self.stage.shelf.root, name)
                shown[record["stem"]] = staged if staged.exists() else self.stage.folder / name
        heading = f"{len(shown)} of {len(records):,} images" if len(shown) < len(records) else ""
        sheet = contact_sheet.of_files(shown, heading=heading)
        self.stage.write(self._sheet, previews.encode(sheet))

    def _closing(self, records: layouts.Records) -> Mapping[str, bytes]:
        """Return the files about the whole output, but for manifest and problems."""
        return self._layout.closing(self.plan.classes, records)

    def _places(self, job: Job) -> Iterator[str]:
        """Yield the files of an image whose places are known before it is read."""
        places = self._layout.places(Names(job.stem, job.index, ".png", job.split), self._kind)
        if places.collection:
            yield places.collection
        if not self._writer.COLLECTION or self._writer.picture is not None:
            yield places.mask
        if self.plan.previews and places.preview:
            yield places.preview
        if self.plan.instances and places.instance:
            yield places.instance

    def carry_out(
        self,
        jobs: list[Job],
        problems: Sequence[Problem],
        team: Team,
        *,
        progress: Progress | None,
    ) -> Done:
        """Have ``team`` do the jobs; each one leaves the list ``jobs`` when its turn comes."""
        done = Done(Records(), list(problems))
        done.failed = sum(p.severity == "error" for p in problems)
        self._raise_if_strict(problems)
        with self.stage as stage:
            goes_on = self.plan.resume and stage.unfinished
            stage.begin(resume=self.plan.resume)
            try:
                earlier = self._earlier() if self.plan.resume or stage.owned.entries else {}
                self._do(jobs, team, done, earlier, progress)
                if done.records:
                    self._close(done)
                    done.exchanged = stage.exchange()
                elif not goes_on and done.problems and not stage.stands:
                    self._add_problems(done)
                    stage.exchange()
                elif not goes_on:
                    stage.discard()
                self._keep_failed(done)
            except BaseException as error:
                refused = isinstance(error, UsageError) and not goes_on
                if refused or not stage.unfinished:
                    stage.discard()  # there is nothing that a later run could go on with
                raise
        return done

    def _do(
        self,
        jobs: list[Job],
        team: Team,
        done: Done,
        earlier: dict[str, Earlier],
        progress: Progress | None,
    ) -> None:
        total = len(jobs)
        sink = Disk(self.stage.shelf, self.plan.images == "link", self.plan.folder)
        work = partial(image.process, self.plan, sink)
        team.needs += (self.stage.shelf.root,)
        outcomes = team.run(work, _taken_from(jobs, earlier), on_death=image.died)
        journal = None
        if not self._writer.COLLECTION:  # a file of all images is made anew
            journal = Journal(
                self.stage.place / "journal.jsonl", self.plan.fingerprint, go_on=self.plan.resume
            )
        with _Collections(self.plan, self.stage) as collections:
            try:
                for count, outcome in enumerate(outcomes, start=1):
                    self._take(outcome, done, journal, collections)
                    if progress is not None:
                        progress(count, total)
            finally:
                if journal is not None:
                    journal.close()
            done.collections = collections.finish()

    def _take(
        self,
        outcome: Outcome,
        done: Done,
        journal: Journal | None,
        collections: _Collections,
    ) -> None:
        if outcome.fatal is not None:
            raise outcome.fatal
        done.problems += outcome.problems
        self._raise_if_strict(outcome.problems)
        if outcome.stray:
            done.strays += 1
            return
        if outcome.record is None:
            done.failed += 1
            heading = outcome.job.heading()
            if heading is not None and heading.image is not None:
                folder, name = os.path.split(heading.image)
            else:
                folder, name = str(outcome.job.source.parent), outcome.job.source.stem
            done.used.setdefault(folder, set()).add(name)
            return
        record = outcome.record
        record["problems"] = [manifest.relative(p, self.root) for p in outcome.problems]
        for path in filter(None, (outcome.source, outcome.drawn)):
            self.stage.protect(path)
            folder, name = os.path.split(path)
            done.used.setdefault(folder, set()).add(name)
        if outcome.piece is not None:
            record["key"] = collections.add(outcome.piece)
        for put in outcome.files:
            self.stage.add(put)
            if put.way == "copy":
                done.copied += put.entry.size
        if journal is not None and not outcome.kept:
            journal.add(record, outcome.files)
        done.kept += outcome.kept
        done.records.append(record)

    def _raise_if_strict(self, problems: Sequence[Problem]) -> None:
        wrong = [problem for problem in problems if problem.severity != "note"]
        if self.plan.strict and wrong:
            p = wrong[0]
            raise ReadError(p.message, code=p.code, file=p.file, place=p.place, cure=p.cure)

    # What stands, and what was under way

    def _earlier(self) -> dict[str, Earlier]:
        """Return by stem what an earlier run left that is still as it was.

        Of a run that was cut off, where this one goes on; else of the output that stands. Raises
        UsageError where a run must not go on since settings or classes are others.
        """
        found = self._standing()
        if self.plan.resume and not self.place.is_file:
            path = self.stage.place / "journal.jsonl"
            fingerprint, lines = journals.read(path)
            if fingerprint is not None:
                self._refuse_other(fingerprint)
                for record, entries in lines:
                    staged = {
                        name: entry
                        for name, (entry, taken) in entries.items()
                        if self._is_there(name, entry, taken=taken)
                    }
                    waiting = frozenset(name for name in staged if not entries[name][1])
                    whole = staged.keys() == entries.keys() and not self._writer.COLLECTION
                    found[record["stem"]] = Earlier(record, staged, waiting, whole)
        return found

    def _is_there(self, name: str, entry: Entry, *, taken: bool) -> bool:
        if taken:
            return self.stage.owned.state(name) == "ours"
        return self.stage.is_staged(name, entry)

    def _standing(self) -> dict[str, Earlier]:
        """Return by stem what the output that stands has of each image."""
        path = self.stage.folder / self.place.manifest
        owned = self.stage.owned
        if owned.state(self.place.manifest) != "ours":
            return {}
        content = load_manifest(path)
        same = content["fingerprint"] == self.plan.fingerprint
        if self.plan.resume and not self.stage.unfinished and not self.place.is_file:
            self._refuse_other(content["fingerprint"])
        found = {}
        for record in content["images"]:
            names = output_files(record)
            files = {name: owned.entry(name) for name in names if owned.state(name) == "ours"}
            same = same and not self._writer.COLLECTION
            whole = same and self.plan.resume and files.keys() == names
            found[record["stem"]] = Earlier(record, files, frozenset(), whole)
        return found

    def _refuse_other(self, fingerprint: object) -> None:
        if fingerprint != self.plan.fingerprint:
            raise UsageError(
                f"the output folder {str(self.stage.folder)!r} was made with other settings or "
                "classes",
                cure="choose --overwrite to start again, or another --out",
            )

    # The end

    def _close(self, done: Done) -> None:
        """Write what is known only at the end."""
        records, stage = done.records, self.stage
        for name, data in self._closing(records).items():
            stage.write(name, data)
        self._write_sheet(records)
        lost = self._lost(done)
        self._raise_if_strict(lost)
        done.problems += lost
        self._add_problems(done)
        with stage.shelf.stream(self.place.manifest) as file:
            manifest.write(
                file,
                self.plan,
                records,
                kind=self.plan.writer,
                collections=done.collections,
            )
        earlier = stage.owned.entries.get(self.place.manifest)
        stage.add(stage.shelf.put_file(self.place.manifest, earlier, entry=file.entry))

    def _lost(self, done: Done) -> list[Problem]:
        """Return a warning that tells what the format cannot say, where there is something."""
        shown = ", ".join(account.lost_in_words(account.lost(done.records)))
        if not shown:
            return []
        file = self.place.out
        if self.place.is_file:
            file = self.stage.folder / done.collections[0]
        message = f"{self._writer.TITLE} must hold all that the source says, but cannot: {shown}"
        return [Problem("lost", str(file), message, severity="warning")]

    def _add_problems(self, done: Done) -> None:
        if done.problems:
            lines = manifest.problem_lines(done.problems, self.root)
            self.stage.write(self.place.problems, lines)
            done.listed = self.stage.folder / self.place.problems

    def _keep_failed(self, done: Done) -> None:
        """List the problems of a run that left an earlier output as it is.

        A run that lists them elsewhere, or has none, removes such a list. There is none where
        somebody else's file has its name.
        """
        is_needed = bool(done.problems) and done.listed is None and not done.records
        with self.place.of_failed as stage, suppress(UsageError):
            if not (is_needed or stage.stands):
                return
            stage.settle(again=True)
            stage.begin()
            if is_needed:
                stage.write(self.place.failed, manifest.problem_lines(done.problems, self.root))
            stage.exchange()
            if is_needed:
                done.listed = stage.folder / self.place.failed
            else:
                stage.forget()


class _Collections:
    """The files of all images under way: one, or one for each split; a context."""

    def __init__(self, plan: Plan, stage: Stage) -> None:
        self._plan = plan
        self._stage = stage
        self._writer = writers.load(plan.writer)
        self._options = plugins.options(self._writer, plan.writer_options)
        self._open = ExitStack()
        self._files: dict[str, tuple[Stream, Collecting]] = {}

    def __enter__(self) -> _Collections:
        return self

    def __exit__(self, *raised: Any) -> None:
        self._open.__exit__(*raised)

    def add(self, piece: Piece) -> str:
        """Append what an image adds, and return what it is known by there. Raises WriteError."""
        if piece.file not in self._files:
            assert self._writer.COLLECTION
            file = self._open.enter_context(self._stage.shelf.stream(piece.file))
            made = self._writer.Collection(file, self._plan.classes, self._options)
            self._files[piece.file] = (file, made)
        return self._files[piece.file][1].add(piece.data, piece.names)

    def finish(self) -> list[str]:
        """End the files and make them part of the coming output; return their names.

        Raises UsageError, WriteError.
        """
        for _, collection in self._files.values():
            collection.close()
        self._open.close()
        for name, (file, _) in self._files.items():
            earlier = self._stage.owned.entries.get(name)
            self._stage.add(self._stage.shelf.put_file(name, earlier, entry=file.entry))
        return sorted(self._files)


def _unknown(in_splits: Iterable[str | None]) -> layouts.Records:
    """Return a record for each split, of images of which nothing else is known."""
    return [{"stem": "", "split": s, "height": 0, "width": 0} for s in in_splits]


def _taken_from(jobs: list[Job], earlier: Mapping[str, Earlier]) -> Iterator[Job]:
    """Yield the jobs, and let go of them: records grow in the memory that they leave."""
    jobs.reverse()
    while jobs:
        job = jobs.pop()
        if job.stem in earlier:
            job = replace(job, earlier=earlier[job.stem])
        yield job


def _to_copy(jobs: Sequence[Job], plan: Plan, stage: Stage) -> Iterator[tuple[Path, int]]:
    layout = plan.laid_out
    folders: dict[Path, dict[str, tuple[Path, int]]] = {}
    for job in jobs:
        found = _image_of(job, plan, folders)
        if found is None:
            continue
        path, size = found
        suffix = ".png" if layout.IMAGE_FORM == "png" else path.suffix
        place = layout.places(Names(job.stem, job.index, suffix, job.split), plan.kind).image
        standing = None if place is None else stage.owned.entries.get(place)
        if place is not None and (standing is None or standing.size != size):
            yield path, size


def _image_of(
    job: Job, plan: Plan, folders: dict[Path, dict[str, tuple[Path, int]]]
) -> tuple[Path, int] | None:
    annotation = job.heading()
    try:
        if annotation is None:
            folder = job.source.parent
            if folder not in folders:
                folders[folder] = _images_in(folder)
            return folders[folder].get(job.source.stem)
        path = images.locate(annotation, plan.images_from)
        return None if path is None else (path, path.stat().st_size)
    except (OSError, ReadError):
        return None  # the conversion says so


def _images_in(folder: Path) -> dict[str, tuple[Path, int]]:
    """Return the images in ``folder`` by stem, with their sizes."""
    found = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            stem, suffix = os.path.splitext(entry.name)
            if suffix.lower() in images.SUFFIXES and entry.is_file():
                found[stem] = (Path(entry.path), entry.stat().st_size)
    return found


def _can_share(image: Path, folder: Path) -> bool:
    """Tell whether copies in ``folder`` share their blocks with the original, by trying it."""
    with tempfile.TemporaryDirectory(prefix=".maskforge-", dir=folder) as trial:
        return copying.can_share(image, Path(trial))
