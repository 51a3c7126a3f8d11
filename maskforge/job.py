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
from PIL import Image

from maskforge import files, images
from maskforge import settings as settings_
from maskforge import transform as transform_
from maskforge.annotation import Annotation
from maskforge.errors import MaskforgeError, Problem, ReadError, WriteError
from maskforge.images import Picture
from maskforge.inputs import Job
from maskforge.layouts import Names, Places
from maskforge.raster import Raster, rasterize
from maskforge.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of a job.

    record: what the manifest says of the image, None when it was not converted. raster: for a
    writer that makes one file of all images. kept: an earlier run had done it already. fatal: the
    output cannot be written, so that going on makes no sense.
    """

    job: Job
    record: dict[str, Any] | None = None
    problems: tuple[Problem, ...] = ()
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


def process(settings: Settings, job: Job) -> Outcome:
    """Convert one image. Never raises: what goes wrong is in the outcome."""
    try:
        return _process(settings, job)
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


def _process(settings: Settings, job: Job) -> Outcome:
    annotation = job.annotation() or _read(settings, job)
    if job.previous and _still_good(job.previous, annotation, settings):
        record = {**job.previous, "split": annotation.split}
        return Outcome(job, record, _remembered(record, job), kept=True)
    problems = list(annotation.problems)
    picture = _picture(annotation, settings, problems)
    annotation, exif = _in_output_frame(annotation, picture, settings)
    raster = rasterize(
        annotation,
        settings.classes,
        rule=settings.rule,
        overlap=settings.overlap,
        priority=settings.priority,
        unknown=settings.unknown,
        max_pixels=settings.max_pixels,
    )
    problems += _covering_nothing(annotation, raster)
    record = _record(annotation, raster, job, exif, picture)
    if hasattr(settings_.writer(settings.writer), "COLLECTION"):
        record["image"] = _reference(picture, settings.out.parent)
        record["name"] = annotation.name
        if settings.previews:
            place = f"{settings.out.stem}-previews/{job.stem}.jpg"
            record["preview"] = place
            _write_preview(settings.out.parent / place, raster, picture, problems)
        return Outcome(job, record, tuple(problems), raster)
    record |= _write(annotation, raster, picture, job, settings, problems)
    return Outcome(job, record, tuple(problems))


def _read(settings: Settings, job: Job) -> Annotation:
    reader = settings_.reader(settings.reader)
    for item in reader.read(job.source, settings_.options(reader, settings.reader_options)):
        if isinstance(item, Annotation):
            return item
        raise ReadError(
            item.message, code=item.code, file=item.file, place=item.place, cure=item.cure
        )
    raise ReadError("the file describes no image", code="wrong-format", file=str(job.source))


def _still_good(previous: Mapping[str, Any], annotation: Annotation, settings: Settings) -> bool:
    """Tell whether an earlier run's files still stand for ``annotation``."""
    if previous.get("digest") != annotation.digest:
        return False
    image = images.locate(annotation, settings.images_from)
    size = image.stat().st_size if image is not None else None
    if previous.get("image_bytes") != size:
        return False
    outputs = [previous.get(role) for role in ("mask", "instance", "preview", "image")]
    outputs += list(previous.get("extra", {}).values())
    return all((settings.out / name).is_file() for name in outputs if name)


def _remembered(previous: Mapping[str, Any], job: Job) -> tuple[Problem, ...]:
    """Return the problems of an earlier run, their files again below the root of the input."""
    root = Path(os.path.abspath(job.source)).parents[job.shown.count("/")]
    found = (Problem(**problem) for problem in previous.get("problems", ()))
    return tuple(replace(problem, file=str(root / problem.file)) for problem in found)


def _picture(annotation: Annotation, settings: Settings, problems: list[Problem]) -> Picture | None:
    """Return the image; a missing or damaged one is fatal only where the size comes from it."""
    declared = annotation.height is not None and annotation.width is not None
    sized = declared or settings.assume_size is not None
    try:
        picture = images.picture(annotation, settings.images_from, max_pixels=settings.max_pixels)
    except ReadError as error:
        if not sized or error.code == "too-large":
            raise
        found = error.problem(file=str(annotation.source), place=annotation.place)
        problems.append(replace(found, severity="warning"))
        return None
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
        if settings.images != "none":
            problems.append(images.missing(annotation, severity="warning"))
    return picture


def _in_output_frame(
    annotation: Annotation, picture: Picture | None, settings: Settings
) -> tuple[Annotation, str]:
    """Return the annotation upright and at the output's size, and what EXIF had to do with it."""
    exif = "none"
    height, width = annotation.height, annotation.width
    if picture is None and None in (height, width) and settings.assume_size is not None:
        width, height = settings.assume_size
    if picture is not None:
        chosen = images.frame(annotation, picture, settings.exif)
        height, width = picture.height, picture.width
        if picture.orientation != 1:
            exif = "image" if chosen == "upright" else "image and annotation"
        if chosen == "stored" and picture.orientation != 1:
            matrix = transform_.upright_matrix(
                picture.orientation, height=picture.stored_height, width=picture.stored_width
            )
            annotation = transform_.transform_annotation(
                annotation, matrix, height=height, width=width
            )
    assert height is not None  # one of picture and declared size is there
    assert width is not None
    if settings.size is not None and settings.size != (width, height):
        matrix = transform_.scale_matrix(settings.size[0] / width, settings.size[1] / height)
        width, height = settings.size
        return transform_.transform_annotation(annotation, matrix, height=height, width=width), exif
    if (annotation.height, annotation.width) != (height, width):
        annotation = replace(annotation, height=height, width=width)
    return annotation, exif


def _covering_nothing(annotation: Annotation, raster: Raster) -> list[Problem]:
    """Return a warning for each region that covers not a single pixel."""
    found = []
    pairs = zip(
        annotation.regions, raster.region_class.tolist(), raster.region_area.tolist(), strict=True
    )
    for region, class_id, area in pairs:
        if class_id >= 0 and area == 0:
            place = f"{annotation.place}.{region.place}" if annotation.place else region.place
            message = (
                f"the region {region.label!r} covers no pixel: it is outside the image or too thin"
            )
            found.append(
                Problem("outside-image", str(annotation.source), message, place, "", "warning")
            )
    return found


def _record(
    annotation: Annotation, raster: Raster, job: Job, exif: str, picture: Picture | None
) -> dict[str, Any]:
    path = picture.path if picture is not None else None
    return {
        "stem": job.stem,
        "source": job.shown,
        "place": annotation.place,
        "digest": annotation.digest,
        "image_bytes": path.stat().st_size if path is not None else None,
        "height": raster.height,
        "width": raster.width,
        "exif": exif,
        "split": annotation.split,
        "regions": len(annotation.regions),
        "pixels": {str(i): n for i, n in raster.pixel_counts.items()},
        "contested": {f"{a}>{b}": n for (a, b), n in sorted(raster.contested.items())},
        "problems": [],
    }


def _reference(picture: Picture | None, folder: Path) -> str | None:
    """Return the path from ``folder`` to the image, None where there is no relative one."""
    if picture is None or picture.path is None:
        return None
    where, name = os.path.split(os.path.abspath(picture.path))
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


def _write(
    annotation: Annotation,
    raster: Raster,
    picture: Picture | None,
    job: Job,
    settings: Settings,
    problems: list[Problem],
) -> dict[str, Any]:
    """Write the files of one image and return their places relative to the output."""
    layout = settings_.layout(settings.layout)
    writer = settings_.writer(settings.writer)
    suffix = ".png" if layout.IMAGE_FORM == "png" or picture is None else picture.suffix
    names = Names(job.stem, job.index, suffix)
    places: Places = layout.places(names, mask_suffix=writer.SUFFIX)
    out = settings.out
    written: dict[str, Any] = {"image": None, "mask": places.mask}
    if settings.images == "none":
        written["image"] = _reference(picture, out)
    elif picture is not None and places.image:
        try:
            _write_image(picture, out / places.image, names.image_suffix, settings)
            written["image"] = places.image
        except ReadError as error:
            found = error.problem(file=str(picture.path or annotation.source))
            problems.append(replace(found, severity="warning"))
    if settings.instances and places.instance:
        instance = settings_.writer("instance")
        options = settings_.options(instance, {"palette": True})
        files.write(out / places.instance, instance.encode(raster, options))
        written["instance"] = places.instance
    if settings.previews and places.preview:
        _write_preview(out / places.preview, raster, picture, problems)
        written["preview"] = places.preview
    extra = layout.per_image(raster, names)
    for name, data in extra.items():
        files.write(out / name, data)
    if extra:
        written["extra"] = {name.rpartition("/")[2]: name for name in extra}
    # The mask comes last: where it stands, all else of its image stands too.
    options = settings_.options(writer, settings.writer_options)
    files.write(out / places.mask, writer.encode(raster, options))
    return written


def _write_image(picture: Picture, target: Path, suffix: str, settings: Settings) -> None:
    """Link, copy or, where it must be turned, resized or recoded, write the image."""
    same_size = settings.size in (None, (picture.width, picture.height))
    if picture.orientation == 1 and same_size and suffix == picture.suffix:
        if picture.path is not None:
            files.place(picture.path, target, link=settings.images == "link")
        else:
            files.write(target, picture.embedded or b"")
        return
    image = _decode(picture)
    if settings.size is not None and image.size != settings.size:
        image = image.convert("RGB") if image.mode == "P" else image
        image = image.resize(settings.size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    files.write(target, images.encode(image, suffix))


def _decode(picture: Picture, *, near: tuple[int, int] | None = None) -> Image.Image:
    """Decode the image, upright; ``near`` lets JPEGs be decoded at a fraction of their size."""
    name = str(picture.path or "the embedded image")
    try:
        with picture.open() as image:
            if near is not None:
                image.draft("RGB", near)
            image.load()
            return images.upright(image)
    except MaskforgeError:
        raise
    except Exception as error:  # Pillow's decoders raise whatever the damage leads them to
        raise ReadError(
            f"the image must be whole, but decoding it says: {error}",
            code="bad-image",
            file=name,
            cure="replace the image",
        ) from error


def _write_preview(
    target: Path, raster: Raster, picture: Picture | None, problems: list[Problem]
) -> None:
    from maskforge import preview  # fonts and drawing, for previews only

    image = None
    if picture is not None:
        try:
            image = _decode(picture, near=(preview.LONG_SIDE, preview.LONG_SIDE)).convert("RGB")
        except ReadError as error:
            found = error.problem(file=str(picture.path))
            problems.append(replace(found, severity="warning"))
    sheet = preview.draw(image, raster)
    files.write(target, preview.encode(sheet, suffix=target.suffix))
