"""Which split each image is in, decided before the first one is converted."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from maskforge import plugins, readers, splits
from maskforge.conversion.settings import Plan
from maskforge.conversion.sources import Job
from maskforge.engines import Team
from maskforge.errors import MaskforgeError
from maskforge.io import images
from maskforge.io.ownership import digest_of
from maskforge.raster.annotation import Annotation

_File: TypeAlias = tuple[Path, int]
"""An image and its size in bytes."""


def decide(jobs: list[Job], plan: Plan, team: Team) -> None:
    """Give each of ``jobs`` its split, where fractions were asked for; names are final by then.

    Copies of one picture come into one split. Only images of equal size are read to find them.
    """
    if plan.split is None:
        return
    unread = [job.source for job in jobs if job.waiting is None]
    met = iter(list(team.run(partial(_image_in, plan), unread, on_death=_nothing)))
    found = [next(met) if job.waiting is None else _image_of(job, plan) for job in jobs]
    sizes = Counter(size for _, size in set(filter(None, found)))
    twins = sorted({path for path, size in filter(None, found) if sizes[size] > 1})
    digests = dict(zip(twins, team.run(_digest, twins, on_death=_nothing), strict=True))
    # A file is a picture by itself: several annotations may name it.
    pictures = {
        job.stem: None if one is None else digests.get(one[0]) or str(one[0])
        for job, one in zip(jobs, found, strict=True)
    }
    stems = [job.stem for job in jobs]
    chosen = splits.assign(stems, plan.split, seed=plan.seed, pictures=pictures)
    jobs[:] = [replace(job, split=chosen[job.stem]) for job in jobs]


def _image_of(job: Job, plan: Plan) -> _File | None:
    try:
        return _file_of(job.heading(), plan.images_from)
    except (OSError, MaskforgeError):
        return None  # the conversion says so


def _image_in(plan: Plan, path: Path) -> Any:
    """Return the image of an annotation file that was not read yet."""
    reader = readers.load(plan.reader)
    try:
        item = next(reader.read(path, plugins.options(reader, plan.reader_options)), None)
        return _file_of(item if isinstance(item, Annotation) else None, plan.images_from)
    except Exception:  # the conversion meets it again, and it costs this image only
        return None


def _file_of(annotation: Annotation | None, images_from: Path | None) -> _File | None:
    path = None if annotation is None else images.locate(annotation, images_from)
    return None if path is None else (path, path.stat().st_size)


def _digest(path: Path) -> Any:
    try:
        return digest_of(path).digest
    except OSError:
        return None


def _nothing(path: Path) -> Any:
    return None
