"""One image, from its annotation to its files. This is what workers run."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from maskforge import plugins, readers
from maskforge.conversion import image as outputs
from maskforge.conversion.image import Made, Original, Outputs
from maskforge.conversion.settings import Plan
from maskforge.conversion.sources import Earlier, Job
from maskforge.errors import MaskforgeError, Problem, ReadError, WriteError
from maskforge.io import images
from maskforge.io.images import Picture
from maskforge.io.ownership import Entry, digest_of
from maskforge.io.shelf import Put, Shelf
from maskforge.raster.annotation import Annotation
from maskforge.raster.raster import Raster


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of a job.

    record: what the manifest says of the image, None when it was not converted. files: those that
    were put on the shelf for it. source: the image that the user has. raster: for a writer that
    makes one file of all images. kept: an earlier run had done it already. fatal: the output cannot
    be written, so that going on makes no sense.
    """

    job: Job
    record: dict[str, Any] | None = None
    problems: tuple[Problem, ...] = ()
    files: tuple[Put, ...] = ()
    source: Path | None = None
    raster: Raster | None = None
    kept: bool = False
    fatal: WriteError | None = None


def _keep_freed_memory() -> None:
    """Have glibc keep what one image frees for the next one.

    Else it gives the memory back to the system and asks for it again, page by page, which takes a
    sixth of the time of large images. It keeps what is smaller than the largest block that it has
    given back yet; this one costs nothing, as nobody touches it.
    """
    np.empty(1 << 24, dtype=np.uint8)


_keep_freed_memory()


def process(plan: Plan, shelf: Shelf, job: Job) -> Outcome:
    """Convert one image and put its files on the shelf. Never raises: see the outcome."""
    try:
        return _process(plan, shelf, job)
    except WriteError as error:
        return Outcome(job, fatal=error)
    except MaskforgeError as error:
        problem = error.problem(file=str(job.source))
        if not error.file:
            place = ".".join(filter(None, (job.place, problem.place)))
            problem = replace(problem, place=place)
        return Outcome(job, problems=(problem,))
    except MemoryError:
        message = "the image must fit into memory, but it does not"
        return Outcome(job, problems=(Problem("too-large", str(job.source), message),))
    except Exception as error:  # a defect of ours must cost one image, not the run
        where = traceback.extract_tb(error.__traceback__)[-1]
        message = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
        return Outcome(job, problems=(Problem("internal", str(job.source), message),))


def died(job: Job) -> Outcome:
    """Return the outcome of a job whose worker ended without an answer, twice."""
    message = "the worker converting this file ended without an answer, perhaps for lack of memory"
    return Outcome(job, problems=(Problem("worker-died", str(job.source), message),))


def _process(plan: Plan, shelf: Shelf, job: Job) -> Outcome:
    annotation = job.annotation() or _read(plan, job)
    problems = list(annotation.problems)
    picture, original = _picture(annotation, plan, problems)
    earlier = job.earlier
    if (
        earlier is not None
        and earlier.whole
        and _still_holds(earlier.record, annotation, original, job)
        and _is_named_so(earlier.record, picture, original, job, plan)
    ):
        now = {"source": job.shown, "place": annotation.place, "split": annotation.split}
        record = {**earlier.record, **now}
        kept = tuple(
            Put(name, entry, taken=name not in earlier.staged)
            for name, entry in earlier.files.items()
        )
        source = original.path if original is not None else None
        return Outcome(job, record, _remembered(record, job), kept, source, kept=True)
    made = outputs.of(annotation, picture, original, job, plan, problems)
    record, put = _put(made, shelf, earlier, plan, problems)
    source = original.path if original is not None else None
    whole = made.raster if plan.is_collection else None
    return Outcome(job, record, tuple(problems), put, source, whole)


def _put(
    made: Outputs,
    shelf: Shelf,
    earlier: Earlier | None,
    plan: Plan,
    problems: list[Problem],
) -> tuple[dict[str, Any], tuple[Put, ...]]:
    """Put the files on the shelf; return the record, which says what came of the image."""
    record, done = made.record, []
    standing: Mapping[str, Entry] = {}
    if earlier is not None:
        standing = {n: e for n, e in earlier.files.items() if n not in earlier.staged}
    for name, file in made.files.items():
        if isinstance(file, Made):
            put = shelf.put(name, file.data, standing.get(name))
            if file.source is not None:
                entry = put.entry._replace(source=shelf.way_to(file.source), origin=file.origin)
                put = put._replace(entry=entry)
            done.append(put)
            continue
        link = plan.images == "link"
        try:
            image = shelf.image(name, file.path, file.entry, link=link, earlier=standing.get(name))
        except ReadError as error:
            found = error.problem(file=str(file.path))
            problems.append(replace(found, severity="warning"))
            record["image"] = None
            continue
        if image is None:  # it lies there already, and is the user's
            record["image"], record["original"] = None, name
        else:
            done.append(image)
    if record["image"] is None and record["original"] is None and made.source is not None:
        record["original"] = _reference(made.source, plan.folder)
    return record, tuple(done)


def _read(plan: Plan, job: Job) -> Annotation:
    reader = readers.load(plan.reader)
    for item in reader.read(job.source, plugins.options(reader, plan.reader_options)):
        if isinstance(item, Annotation):
            return item
        raise ReadError(
            item.message, code=item.code, file=item.file, place=item.place, cure=item.cure
        )
    raise ReadError("the file describes no image", code="wrong-format", file=str(job.source))


def _still_holds(
    record: Mapping[str, Any], annotation: Annotation, original: Original | None, job: Job
) -> bool:
    """Tell whether annotation and image are those that the record was made of.

    Where they stand in the input may have changed, unless problems tell of it.
    """
    size, is_digest = (None, None) if original is None else original.entry[:2]
    are_same = (record.get("digest"), record.get("image_bytes"), record.get("image_digest")) == (
        annotation.digest,
        size,
        is_digest,
    )
    place = (record.get("source"), record.get("place"))
    return are_same and (place == (job.shown, annotation.place) or not record.get("problems"))


def _is_named_so(
    record: Mapping[str, Any],
    picture: Picture | None,
    original: Original | None,
    job: Job,
    plan: Plan,
) -> bool:
    """Tell whether the files of the record are called as they would be now.

    Some layouts number images, which others before them move; and an image may have been renamed.
    """
    places = outputs.places_of(picture, job, plan)
    reference = None if original is None else _reference(original, plan.folder)
    return (
        record.get("mask") == places.mask
        and record.get("image") in (None, places.image)
        and record.get("original") in (None, reference)
    )


def _remembered(previous: Mapping[str, Any], job: Job) -> tuple[Problem, ...]:
    """Return the problems of an earlier run, their files again below the root of the input."""
    root = Path(os.path.abspath(job.source)).parents[job.shown.count("/")]
    found = (Problem(**problem) for problem in previous.get("problems", ()))
    return tuple(replace(problem, file=str(root / problem.file)) for problem in found)


def _picture(
    annotation: Annotation, plan: Plan, problems: list[Problem]
) -> tuple[Picture | None, Original | None]:
    """Return the image, and its file where it is one.

    A missing or damaged one is fatal only where the size comes from it.
    """
    declared = annotation.height is not None and annotation.width is not None
    sized = declared or plan.assume_size is not None
    try:
        picture = images.picture(annotation, plan.images_from, max_pixels=plan.max_pixels)
        original = None if picture is None else _original(picture)
    except ReadError as error:
        if not sized or error.code == "too-large":
            raise
        found = error.problem(file=str(annotation.source), place=annotation.place)
        problems.append(replace(found, severity="warning"))
        return None, None
    if picture is None:
        if not sized:
            problem = images.missing(annotation, severity="error")
            raise ReadError(
                problem.message,
                code="no-image",
                file=problem.file,
                place=problem.place,
                cure=problem.cure,
            )
        if plan.images != "none":
            problems.append(images.missing(annotation, severity="warning"))
    return picture, original


def _original(picture: Picture) -> Original | None:
    if picture.path is None:
        return None
    try:
        return Original(picture.path, digest_of(picture.path))
    except OSError as error:
        raise ReadError(
            f"the image cannot be read: {error.strerror}", code="bad-image", file=str(picture.path)
        ) from error


def _reference(original: Original, folder: Path) -> str | None:
    """Return the path from ``folder`` to the image, None where there is no relative one."""
    where, name = os.path.split(os.path.abspath(original.path))
    way = _way(where, os.path.abspath(folder))
    return None if way is None else f"{way}{name}"


@lru_cache(maxsize=64)  # most images lie in one folder
def _way(there: str, here: str) -> str | None:
    """Return the path from the folder ``here`` to ``there``, with a slash; None: another drive."""
    try:
        way = os.path.relpath(there, here).replace(os.sep, "/")
    except ValueError:
        return None
    return "" if way == os.curdir else f"{way}/"
