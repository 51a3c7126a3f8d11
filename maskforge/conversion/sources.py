"""From what the user names to a list of jobs: one for each image, each with a name of its own."""

from __future__ import annotations

import os
import pickle
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from maskforge import plugins, readers
from maskforge.classes import HIGHEST_ID
from maskforge.errors import MaskforgeError, Problem, ReadError, UsageError, many
from maskforge.io import files, images, scan
from maskforge.io.label_lists import Listed
from maskforge.io.ownership import Entry
from maskforge.io.said import Outputs, Said
from maskforge.raster.annotation import Annotation, Unread
from maskforge.readers import Reader
from maskforge.readers.masks.naming import split_of

PACK_FROM = 1 << 15
"""Annotations of more bytes than this wait compressed, so that thousands fit into memory."""

PLAIN = 256
"""From so many annotations on, all others wait compressed, so that memory does not grow."""

KEEP = 1 << 23
"""Bytes of annotations, about, that are kept from when their labels were collected."""

MOST_LABELS = HIGHEST_ID
"""Labels that one image may have: all class ids but that of the background."""

HEAD = 1 << 16
"""Bytes of a file that are looked at to tell its format."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier run made of an image.

    files: those of its files that stand as it left them, by their names in the output. staged:
    those of an unfinished run, which are not in place yet. whole: nothing is missing, so that
    ``record`` holds as long as annotation and image are the same.
    """

    record: dict[str, Any]
    files: dict[str, Entry]
    staged: frozenset[str] = frozenset()
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One image to convert.

    stem: the output's name, without suffix, forward slashes, unique. source: the annotation file;
    shown: its path relative to the input's root, as the manifest gives it. waiting: the annotation,
    where it was read already, or found (see :meth:`annotation`); place is its own, and so are
    labels, which one that was found can tell itself. named: the user named the file; else it was
    met in a folder, and may be no annotation at all. split: the one it is in, where
    that is known. said: what the output says of the image that the file is of, if it is of one.
    """

    index: int
    stem: str
    source: Path
    shown: str
    waiting: Annotation | Unread | bytes | None = None
    place: str = ""
    labels: frozenset[str] = frozenset()
    earlier: Earlier | None = None
    named: bool = True
    split: str | None = None
    said: Said | None = None

    @classmethod
    def of(
        cls,
        annotation: Annotation | Unread,
        index: int,
        *,
        stem: str,
        source: Path,
        shown: str,
        said: Said | None = None,
    ) -> Job:
        """Return the job of an annotation that was read already; large and late ones are packed.

        One that was only found is read by whoever converts it.
        """
        split = annotation.split or (None if said is None else said.split)
        if not isinstance(annotation, Annotation):
            place = annotation.place
            return cls(index, stem, source, shown, annotation, place, split=split, said=said)
        if isinstance(annotation.embedded, memoryview):
            annotation = replace(annotation, embedded=bytes(annotation.embedded))
        waiting: Annotation | bytes = annotation
        if index >= PLAIN or annotation.nbytes > PACK_FROM:
            waiting = zlib.compress(pickle.dumps(annotation, protocol=5), 1)
        labels = _shared(frozenset(region.label for region in annotation.regions))
        place = annotation.place
        return cls(index, stem, source, shown, waiting, place, labels, split=split, said=said)

    def heading(self) -> Annotation | None:
        """Return the annotation as far as it is known without decoding what was only found."""
        if self.waiting is None or isinstance(self.waiting, Annotation | bytes):
            return self.annotation()
        found = self.waiting
        return self._completed(
            Annotation(found.name, self.source, "", (), found.place, found.image)
        )

    def annotation(self) -> Annotation | None:
        """Return the annotation, None when the file is still to be read. Raises ReadError."""
        if self.waiting is None:
            return None
        if isinstance(self.waiting, Annotation):
            return self._completed(self.waiting)
        if not isinstance(self.waiting, bytes):
            return self._completed(self.waiting.annotation())
        unpacked: Annotation = pickle.loads(zlib.decompress(self.waiting))  # our own bytes
        return self._completed(unpacked)

    def _completed(self, annotation: Annotation) -> Annotation:
        """Return the annotation of an image, with the way to it, or its size, if only the output
        that the file is of says it."""
        said = self.said
        if said is None or annotation.embedded is not None:
            return annotation
        with suppress(ReadError):  # of two that could be meant
            if images.locate(annotation) is not None:
                return annotation
        with suppress(ReadError):  # it is damaged
            there = replace(annotation, image=said.image)
            picture = images.picture(there, max_pixels=sys.maxsize)
            if picture is not None and (picture.height, picture.width) == (said.height, said.width):
                return there  # else what was written is not of the image as it is
        if annotation.height is None or annotation.width is None:
            return replace(annotation, height=said.height, width=said.width)
        return annotation


@lru_cache(maxsize=1024)
def _shared(labels: frozenset[str]) -> frozenset[str]:
    """Return an equal set: one for all images with the same labels."""
    return labels


def root_of(sources: Sequence[Path]) -> Path:
    """Return the folder that output names are relative to: what all sources have in common."""
    absolute = [Path(os.path.abspath(source)) for source in sources]
    folders = [path if path.is_dir() else path.parent for path in absolute]
    return Path(os.path.commonpath(folders))


def find(
    sources: Sequence[Path], reader: Reader, *, passed: list[Path] | None = None
) -> list[Path]:
    """Return the annotation files that ``sources``, files and folders, stand for.

    In a folder that means the reader's own default file where it has one, else every file below
    with the reader's suffix; readers of files with many images take only what looks like theirs.
    Where there is nothing else, it means the files of all images that are outputs themselves.
    passed: takes the folders of earlier outputs, which are passed over. Raises ReadError when a
    source does not exist.
    """
    found: list[Path] = []
    for source in sources:
        if not source.exists():
            raise ReadError(
                "there must be a file or folder, but there is none",
                code="unreadable",
                file=str(source),
            )
        if not source.is_dir():
            found.append(source)
            continue
        if reader.DEFAULT_FILE is not None and (source / reader.DEFAULT_FILE).is_file():
            found.append(source / reader.DEFAULT_FILE)
            continue
        if not reader.SUFFIXES:
            found.append(source)
            continue
        met: list[Path] = []
        inside = _of_reader(scan.find(source, reader.SUFFIXES, passed=met), reader)
        if not inside and source in met:
            met.clear()
            inside = _of_reader(scan.find(source, reader.SUFFIXES, passed=met, named=True), reader)
        if passed is not None:
            passed += met
        found += inside
    once: dict[str, Path] = {}
    for path in found:
        once.setdefault(os.path.abspath(path), path)
    return list(once.values())


def _of_reader(paths: list[Path], reader: Reader) -> list[Path]:
    """Return those of the files in a folder that a reader takes."""
    if reader.labels is not None:
        return paths
    return [path for path in paths if path.is_dir() or reader.sniff(path, head(path))]


def head(path: Path) -> bytes:
    """Return the beginning of a file, b"" when it cannot be read."""
    try:
        if not path.is_file():  # a pipe would keep us waiting
            return b""
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError:
        return b""


def detect(sources: Sequence[Path]) -> tuple[str, str]:
    """Return the name of the reader for ``sources`` and, in words, why it is thought to be right.

    Every file is asked by content, since names lie; where none is in a format, folders are, as a
    whole, and then outputs in them that are files of all images. Of several formats that of most
    files is taken. Raises UsageError where no format has more files than all others together, and
    ReadError where none is found.
    """
    known = {name: readers.load(name) for name in plugins.names("readers")}
    suffixes = sorted({suffix for reader in known.values() for suffix in reader.SUFFIXES})
    hits: dict[str, list[Path]] = {}
    reasons: dict[str, str] = {}
    folders = [source for source in sources if source.is_dir()]
    outputs = (path for one in folders for path in scan.find(one, suffixes, named=True))
    for paths in (_candidates(sources, suffixes), folders, outputs):
        for path in paths:
            for name, reason in _formats_of(path):
                hits.setdefault(name, []).append(path)
                reasons.setdefault(name, f"{path}: {reason}")
        if hits:
            break
    else:
        shown = ", ".join(map(str, sources))
        raise ReadError(
            f"no file is in a known format {list(known)}",
            code="wrong-format",
            file=shown,
            cure=f"name the format: maskforge {', '.join(known)}",
        )
    name, *others = sorted(hits, key=lambda name: -len(hits[name]))
    strays = [path for other in others for path in hits[other]]
    if len(strays) >= len(hits[name]):
        found = ", ".join(
            f"{name} ({many(len(paths), 'file')})" for name, paths in sorted(hits.items())
        )
        raise UsageError(
            f"the input must be in one format, but holds {found}", cure="name the format"
        )
    if not others:
        return name, reasons[name]
    shown = ", ".join(map(str, strays[:3])) + (" …" if len(strays) > 3 else "")
    return name, f"{reasons[name]}; left out, as {' or '.join(others)}: {shown}"


def other_format(path: Path, reader: str) -> str | None:
    """Return the name of the format in which ``path`` is, where it is not that of ``reader``."""
    return next((name for name, _ in _formats_of(path) if name != reader), None)


def _formats_of(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each format that ``path`` may be in and, in words, why."""
    text = head(path)
    for name in plugins.names("readers"):
        if reason := readers.load(name).sniff(path, text):
            yield name, reason


def _candidates(sources: Sequence[Path], suffixes: Sequence[str]) -> Iterator[Path]:
    for source in sources:
        if source.is_dir():
            yield from scan.find(source, suffixes)
        else:
            yield source


class Planned(NamedTuple):
    """The jobs of an input, the problems met on the way, and the class tables that files bring."""

    jobs: list[Job]
    problems: list[Problem]
    tables: list[Listed]


def plan(
    paths: Sequence[Path],
    reader: Reader,
    options: object,
    *,
    root: Path,
    named: Collection[Path] | None = None,
) -> Planned:
    """Return the jobs of the annotation files ``paths``, and what was met on the way.

    named: those of them that the user named; all of them where it is None. Outputs of files with
    many images are called after the image, below the file's folder where there are several; where
    such files are called after splits, as ``instances_train.json`` is, their images are in those.

    Files with one image each are not read here, so that workers share the reading; files with many
    images are. Output names come from the source's place below ``root``.
    """
    jobs: list[Job] = []
    problems: list[Problem] = []
    tables: list[Listed] = []
    is_many = reader.labels is None  # images a file
    place = root_of(paths) if is_many and paths and reader.REGIONS else root
    by_name = _splits(paths) if is_many and reader.REGIONS else {}
    outputs = Outputs()
    for path in paths:
        shown = _shown(path, root)
        if not is_many:
            said = outputs.said_of(path)
            stem = files.safe_name(_without_suffix(shown) if said is None else _stem(said, root))
            is_named = named is None or path in named
            split = None if said is None else said.split
            jobs.append(Job(len(jobs), stem, path, shown, named=is_named, split=split))
            continue
        folder = _shown(path if path.is_dir() else path.parent, place)
        prefix = f"{folder}/" if folder not in ("", os.curdir) else ""
        split = by_name.get(path)
        try:
            for item in reader.read(path, options):
                if isinstance(item, Problem):
                    problems.append(item)
                elif isinstance(item, Listed):
                    tables.append(item)
                else:
                    said = outputs.said_of(item.source, item.key) if reader.REGIONS else None
                    name = prefix + _without_suffix(item.name)
                    stem = files.safe_name(name if said is None else _stem(said, place))
                    source = item.source if isinstance(item, Annotation) else path
                    if source != path:
                        shown = _shown(source, root)
                    job = Job.of(item, len(jobs), stem=stem, source=source, shown=shown, said=said)
                    jobs.append(job if job.split or split is None else replace(job, split=split))
        except ReadError as error:
            problems.append(error.problem(file=str(path)))
    jobs = _one_of_each(jobs, problems)
    stems = files.unique_names(job.stem for job in jobs)
    first: dict[str, Path] = {}
    for index, (job, stem) in enumerate(zip(jobs, stems, strict=True)):
        other = first.setdefault(job.stem.casefold(), job.source)
        if stem != job.stem:
            jobs[index] = replace(job, stem=stem)
            problems.append(_renamed(job, stem, other))
    return Planned(jobs, problems, tables)


def _stem(said: Said, place: Path) -> str:
    """Return the stem of an image of an output, below the folder of that where it is in ``place``.

    So images of several outputs do not meet.
    """
    folder = _shown(said.folder, place)
    is_below = folder != os.curdir and folder.partition("/")[0] != os.pardir
    return f"{folder}/{said.stem}" if is_below else said.stem


def _splits(paths: Sequence[Path]) -> dict[Path, str]:
    """Return the split that each file is called after, where all are, and they differ."""
    found = {path: split_of(path.stem) or split_of(path.parent.name) for path in paths}
    splits = set(found.values())
    return {} if None in splits or len(splits) < 2 else {p: str(s) for p, s in found.items()}


def _one_of_each(jobs: list[Job], problems: list[Problem]) -> list[Job]:
    """Return the jobs, where files beside each other describe one picture that of one file only.

    Such are a project and what was exported of it. The file with most images is taken. Which are
    left out is added to ``problems``, and what was wrong with a file that is left out as a whole is
    taken out of them, but for errors.
    """
    by_stem: dict[str, list[Job]] = {}
    for job in jobs:
        if job.waiting is not None:
            by_stem.setdefault(job.stem.casefold(), []).append(job)
    alike = [found for found in by_stem.values() if len({job.source for job in found}) > 1]
    if not alike:
        return jobs
    all_of = Counter(job.source for job in jobs)

    def rank(source: Path) -> tuple[int, bool, str]:
        return -all_of[source], source.suffix.lower() != ".json", source.as_posix()

    left: dict[int, Path] = {}
    for found in alike:
        taken: dict[tuple[Path, Path], Path] = {}
        for job in sorted(found, key=lambda job: rank(job.source)):
            if (picture := _picture_of(job)) is not None:
                first = taken.setdefault((picture, job.source.parent), job.source)
                if first != job.source:
                    left[job.index] = first
    lost = Counter((jobs[index].source, other) for index, other in left.items())
    for (source, other), count in lost.items():
        problems.append(
            Problem(
                "name-collision",
                str(source),
                f"{count} of its {all_of[source]} images are described by {other.name} too, "
                "which is taken",
                cure="to have this file's instead, name it as the source",
                severity="note",
            )
        )
    kept = [job for job in jobs if job.index not in left]
    gone = {str(source) for source in all_of.keys() - {job.source for job in kept}}
    problems[:] = [p for p in problems if p.file not in gone or p.severity != "warning"]
    return [replace(job, index=index) for index, job in enumerate(kept)]


def _picture_of(job: Job) -> Path | None:
    try:
        annotation = job.heading()
        if annotation is None or annotation.mask is not None:
            return None
        found = images.locate(annotation)
    except MaskforgeError:
        return None
    return None if found is None else Path(os.path.realpath(found))


def refuse(problem: Problem) -> NoReturn:
    """Raise the ReadError that a problem was."""
    raise ReadError(
        problem.message,
        code=problem.code,
        file=problem.file,
        place=problem.place,
        cure=problem.cure,
    )


def keep_clear(
    jobs: list[Job], places: Callable[[str], Iterable[str]], reserved: Iterable[str]
) -> list[Problem]:
    """Give other stems to jobs whose files would be folders to others' files, or the other way.

    places: the files of a stem. reserved: files that the output has anyway. Case does not count.
    """
    flat = [name for name in places("probe/probe") if "probe" in name]
    if not any(name.startswith("probe") for name in places("probe")) and all(
        "probe/probe" in name for name in flat
    ):
        return []  # where all stems lie in folders of their kind, nothing can meet
    taken = {name.casefold(): False for name in reserved}  # name → whether it is a folder
    problems = []
    for index, job in enumerate(jobs):
        stem, number = job.stem, 1
        while not _fits([name.casefold() for name in places(stem)], taken):
            number += 1
            stem = f"{job.stem}-{number}"
        for name in places(stem):
            parts = name.casefold().split("/")
            taken |= {"/".join(parts[:count]): True for count in range(1, len(parts))}
            taken[name.casefold()] = False
        if stem != job.stem:
            problems.append(_renamed(job, stem, None))
            jobs[index] = replace(job, stem=stem)
    return problems


def _fits(names: list[str], taken: Mapping[str, bool]) -> bool:
    for name in names:
        parts = name.split("/")
        ways = ("/".join(parts[:count]) for count in range(1, len(parts)))
        if name in taken or not all(taken.get(way, True) for way in ways):
            return False
    return True


def _renamed(job: Job, stem: str, other: Path | None) -> Problem:
    """Tell that ``job`` is written as ``stem``, as the image of the file ``other`` has its name."""
    where, cure = "", "rename one of them, or leave it as it is"
    if other == job.source:
        where, cure = " in this file", "if both are one picture, take one of them out of the file"
    elif other is not None:
        where, cure = f" of {str(other)!r}", "if both are one picture, convert one of the two files"
    return Problem(
        "name-collision",
        str(job.source),
        f"the output name {job.stem!r} is taken by the image{where}; this one is written as "
        f"{stem!r}",
        job.place,
        cure,
        "warning",
    )


def _shown(path: Path, root: Path) -> str:
    text, above = os.path.abspath(path), os.path.join(root, "")
    # Where names differ in case only, as they may on Windows, the slow way is right, too.
    inside = text[len(above) :] if text.startswith(above) else os.path.relpath(text, root)
    return inside.replace(os.sep, "/")


def _without_suffix(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and "/" not in suffix and stem.rpartition("/")[2] else name
