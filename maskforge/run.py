"""One output under way: refused, resumed, journalled, closed; and who does the work."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeAlias

from maskforge import files, manifest, plugins
from maskforge import settings as settings_
from maskforge import split as split_
from maskforge.engines import Team
from maskforge.errors import GeometryError, Problem, ReadError, UsageError
from maskforge.inputs import Job
from maskforge.records import Records
from maskforge.settings import Settings

Progress: TypeAlias = Callable[[int, int], None]
"""Called with images done and images in all."""

JOBS_PER_WORKER = 48
"""With fewer jobs than this for each worker, starting one costs more than it saves."""


@dataclass
class _Tally:
    records: Records
    problems: list[Problem]
    kept: int = 0
    failed: int = 0


class Run:
    """One output under way: refusing, resuming, journalling, closing."""

    def __init__(
        self, settings: Settings, root: Path, *, overwrite: bool, resume: bool, strict: bool
    ) -> None:
        self.settings = settings
        self.root = root
        self.strict = strict
        self._writer = settings_.writer(settings.writer)
        self._writer_options = settings_.options(self._writer, settings.writer_options)
        self.collection = hasattr(self._writer, "COLLECTION")
        out = settings.out
        self.folder = out.parent if self.collection else out
        prefix = f"{out.stem}." if self.collection else ""
        self.manifest_path = self.folder / f"{prefix}manifest.json"
        self.problems_path = self.folder / f"{prefix}problems.jsonl"
        self.labels_path = self.folder / f"{prefix}labels.txt"
        self.journal_path = self.folder / f"{prefix}{files.JOURNAL}"
        self.before: dict[str, dict[str, Any]] = {}
        self._look_back(overwrite=overwrite, resume=resume)

    def _look_back(self, *, overwrite: bool, resume: bool) -> None:
        """See what lies at the output already; refuse it, or take it over."""
        if self.collection:
            # One file is whole or absent: there is nothing to go on with, only to do again.
            if self.settings.out.exists() and not (overwrite or resume):
                raise UsageError(
                    f"the output {str(self.settings.out)!r} must not exist yet",
                    cure="choose --overwrite, or another place with --out",
                )
            files.sweep(self.folder / f"{self.settings.out.stem}-previews")
            paths = (self.manifest_path, self.problems_path, self.labels_path, self.settings.out)
            for path in paths:
                for part in self.folder.glob(f"{files.part_of(path)}*{files.PART}"):
                    part.unlink(missing_ok=True)
            _, self.before = manifest.earlier(self.manifest_path, self.journal_path)
            return
        if self.folder.exists() and not self.folder.is_dir():
            raise UsageError(f"the output {str(self.folder)!r} must be a folder, but is a file")
        if not self.folder.is_dir() or not any(self.folder.iterdir()):
            return
        unfinished = self.journal_path.is_file()
        if not (overwrite or resume):
            state = "holds an unfinished run" if unfinished else "is not empty"
            raise UsageError(
                f"the output folder {str(self.folder)!r} {state}",
                cure="choose --resume to go on, --overwrite to start again, or another --out",
            )
        files.sweep(self.folder)
        fingerprint, self.before = manifest.earlier(self.manifest_path, self.journal_path)
        if resume and fingerprint not in (None, self.settings.fingerprint):
            raise UsageError(
                f"the output folder {str(self.folder)!r} was made with other settings or classes",
                cure="choose --overwrite to start again, or another --out",
            )
        if overwrite:
            self._remove(self.before, keep=set())
            # Without this a kill would let the old records stand for the new run's files.
            self.manifest_path.unlink(missing_ok=True)
            self.journal_path.unlink(missing_ok=True)
            self.before = {}

    def _remove(self, records: Mapping[str, Mapping[str, Any]], *, keep: set[str]) -> None:
        for record in records.values():
            for name in manifest.output_files(record) - keep:
                (self.folder / name).unlink(missing_ok=True)

    def carry_out(
        self,
        jobs: list[Job],
        problems: Sequence[Problem],
        team: Team,
        *,
        progress: Progress | None,
    ) -> tuple[Records, list[Problem], int, int]:
        """Have ``team`` do the jobs; each one leaves the list ``jobs`` when its turn comes.

        Return records, problems, how many were kept, how many failed.
        """
        from maskforge import job as job_  # Pillow, and all that drawing needs

        tally = _Tally(Records(), list(problems))
        tally.failed = sum(p.severity == "error" for p in problems)
        self._raise_if_strict(problems)
        before = self.before.values()
        total = len(jobs)
        work = partial(job_.process, self.settings)
        outcomes = team.run(work, self._taken_from(jobs), on_death=job_.died)
        journal = manifest.Journal(self.journal_path, self.settings.fingerprint, before)
        try:
            with self._sink() as file:
                collect = self._collector(file)
                for done, outcome in enumerate(outcomes, start=1):
                    self._take(outcome, tally, journal, collect)
                    if progress is not None:
                        progress(done, total)
                if collect is not None:
                    collect.close()
                if self.collection and not tally.records:
                    raise _NothingConverted
        except _NothingConverted:
            pass
        finally:
            journal.close()
        return tally.records, tally.problems, tally.kept, tally.failed

    def _taken_from(self, jobs: list[Job]) -> Iterator[Job]:
        """Yield the jobs, and let go of them: records grow in the memory that they leave."""
        jobs.reverse()
        while jobs:
            job = jobs.pop()
            if not self.collection and job.stem in self.before:
                job = replace(job, previous=self.before[job.stem])
            yield job

    def _sink(self) -> AbstractContextManager[IO[bytes] | None]:
        return files.atomic(self.settings.out) if self.collection else nullcontext()

    def _collector(self, file: IO[bytes] | None) -> Any:
        return None if file is None else self._writer.Collection(file, self._writer_options)

    def _take(self, outcome: Any, tally: _Tally, journal: manifest.Journal, collect: Any) -> None:
        if outcome.fatal is not None:
            raise outcome.fatal
        tally.problems += outcome.problems
        self._raise_if_strict(outcome.problems)
        if outcome.record is None:
            tally.failed += 1
            return
        record = outcome.record
        record["problems"] = [manifest.relative(p, self.root) for p in outcome.problems]
        if outcome.kept:
            tally.kept += 1
        if collect is None:
            journal.add(record)
        else:
            name = record.pop("name").rpartition("/")[2]
            try:
                record["key"] = collect.add(name, record["stem"], outcome.raster)
            except GeometryError as error:
                tally.problems.append(error.problem(file=str(outcome.job.source)))
                tally.failed += 1
                return
        tally.records.append(record)

    def _raise_if_strict(self, problems: Sequence[Problem]) -> None:
        if self.strict and problems:
            p = problems[0]
            raise ReadError(p.message, code=p.code, file=p.file, place=p.place, cure=p.cure)

    def finish(
        self,
        records: Records,
        problems: Sequence[Problem],
        *,
        split: Sequence[float] | None,
        seed: int,
    ) -> None:
        """Write what is known only at the end, and remove what earlier runs left over."""
        if not records:
            return
        if split is not None:
            chosen = split_.assign([record["stem"] for record in records], split, seed=seed)
            for index, record in enumerate(records):
                records[index] = {**record, "split": chosen[record["stem"]]}
        stems: dict[str, list[str]] = {"all": []}
        for record in records:
            stems["all"].append(record["stem"])
            if record["split"]:
                stems.setdefault(record["split"], []).append(record["stem"])
        closing: Mapping[str, bytes] = {self.labels_path.name: self._labels_text()}
        if not self.collection:
            closing = settings_.layout(self.settings.layout).closing(self.settings.classes, stems)
            empty: dict[str, list[str]] = {name: [] for name in ("all", *split_.NAMES)}
            possible = settings_.layout(self.settings.layout).closing(self.settings.classes, empty)
            for name in possible.keys() - closing.keys():  # of an earlier run with another split
                (self.folder / name).unlink(missing_ok=True)
        for name, data in closing.items():
            files.write(self.folder / name, data)
        if problems:
            files.write(self.problems_path, manifest.problem_lines(problems, self.root))
        else:
            self.problems_path.unlink(missing_ok=True)
        manifest.write(
            self.manifest_path,
            self.settings,
            records,
            kind=self.settings.writer,
            collection=self.settings.out.name if self.collection else None,
        )
        if self.before:
            kept = set().union(*(manifest.output_files(record) for record in records))
            self._remove(self.before, keep=kept)
        if not self.collection:
            self.journal_path.unlink(missing_ok=True)

    def _labels_text(self) -> bytes:
        return self.settings.classes.to_text().encode()


class _NothingConverted(Exception):
    """Ends the writing of a file that would hold nothing."""


def team(engine: str | None, workers: int | None, jobs: int) -> Team:
    """Return who does ``jobs`` jobs; None leaves it to us. Raises UsageError."""
    count = workers if workers is not None else _helpful_workers(jobs)
    if count < 1:
        raise UsageError(f"workers must be at least 1, but got {count}")
    from maskforge import job  # noqa: F401  # workers start with what is loaded by then

    chosen = plugins.load("engines", engine or ("serial" if count == 1 else "processes"))
    found: Team = chosen.Team(count)
    return found


def _helpful_workers(jobs: int) -> int:
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return max(1, min(cores, jobs // JOBS_PER_WORKER))
