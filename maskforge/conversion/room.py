"""Room on the disk: whether the copies of the images will fit, before anything is written."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from maskforge import layouts
from maskforge.conversion.settings import Plan
from maskforge.conversion.sources import Job
from maskforge.errors import WriteError
from maskforge.io import copying, images
from maskforge.io.stage import Stage
from maskforge.layouts import Names

_OTHER_FILES = 1 << 13
"""Bytes for mask and preview of an image, about."""


def check(jobs: Sequence[Job], plan: Plan, stage: Stage) -> None:
    """Raise WriteError where the output, with copies of the images, needs more room than is free.

    Counted are those that do not stand in the output already, by their sizes as they are. Images
    of annotations that are not read yet count where they lie beside them under the same name.
    """
    if plan.images not in ("auto", "copy") or plan.is_collection:
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


def _to_copy(jobs: Sequence[Job], plan: Plan, stage: Stage) -> Iterator[tuple[Path, int]]:
    layout = layouts.load(plan.layout)
    folders: dict[Path, dict[str, tuple[Path, int]]] = {}
    for job in jobs:
        found = _image_of(job, plan, folders)
        if found is None:
            continue
        path, size = found
        suffix = ".png" if layout.IMAGE_FORM == "png" else path.suffix
        place = layout.places(Names(job.stem, job.index, suffix), mask_suffix=".png").image
        standing = None if place is None else stage.owned.entries.get(place)
        if place is not None and (standing is None or standing.size != size):
            yield path, size


def _image_of(
    job: Job, plan: Plan, folders: dict[Path, dict[str, tuple[Path, int]]]
) -> tuple[Path, int] | None:
    annotation = job.annotation()
    try:
        if annotation is None:
            folder = job.source.parent
            if folder not in folders:
                folders[folder] = _images_in(folder)
            return folders[folder].get(job.source.stem)
        path = images.locate(annotation, plan.images_from)
        return None if path is None else (path, path.stat().st_size)
    except OSError:
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
