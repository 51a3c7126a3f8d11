"""What one image is converted to: a value, made of its annotation and the plan."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from maskforge import layouts, plugins, rules, writers
from maskforge.conversion.settings import Plan
from maskforge.conversion.sources import MOST_LABELS, Job
from maskforge.errors import MaskforgeError, Problem, ReadError
from maskforge.io import images
from maskforge.io.images import Picture
from maskforge.io.ownership import Entry
from maskforge.layouts import Names, Places
from maskforge.raster import transform
from maskforge.raster.annotation import Annotation
from maskforge.raster.raster import Raster, rasterize
from maskforge.writers import ImageWriter


@dataclass(frozen=True, slots=True)
class Original:
    """An image as the user has it, to be linked or copied: where it is, its size and digest."""

    path: Path
    entry: Entry


@dataclass(frozen=True, slots=True)
class Made:
    """A file that was made; of an image, source and origin are those of its :class:`Entry`."""

    data: bytes
    source: Path | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """What one image is converted to: a value. files: by name, the mask last."""

    record: dict[str, Any]
    files: dict[str, Made | Original]
    raster: Raster
    source: Original | None


def of(
    annotation: Annotation,
    picture: Picture | None,
    original: Original | None,
    job: Job,
    plan: Plan,
    problems: list[Problem],
) -> Outputs:
    """Return what becomes of one image; nothing is written. What is wrong goes to ``problems``.

    picture: the image by its header; original: its file, None for one that is embedded.
    """
    _refuse_too_many_labels(annotation)
    annotation, exif = _in_output_frame(annotation, picture, plan)
    raster = rasterize(
        annotation,
        plan.classes,
        rules.load(plan.rule).cover,
        overlap=plan.overlap,
        priority=plan.priority,
        unknown=plan.unknown,
        max_pixels=plan.max_pixels,
    )
    problems += _covering_nothing(annotation, raster)
    record = _record(annotation, raster, job, exif, original)
    files: dict[str, Made | Original] = {}
    writer = writers.load(plan.writer)
    if writer.COLLECTION:
        record["name"] = annotation.name
        if plan.previews:
            record["preview"] = f"{plan.out.stem}-previews/{job.stem}.jpg"
            files[record["preview"]] = _preview(record["preview"], raster, picture, problems)
    else:
        _files(annotation, raster, picture, original, job, plan, problems, record, files, writer)
    return Outputs(record, files, raster, original)


def _refuse_too_many_labels(annotation: Annotation) -> None:
    if len(annotation.regions) <= MOST_LABELS:
        return
    count = len({region.label for region in annotation.regions})
    if count > MOST_LABELS:
        raise ReadError(
            f"an image must have at most {MOST_LABELS} different labels, but this one has {count}",
            code="too-large",
            file=str(annotation.source),
            cure="is the label a number or a name of each object? the class belongs there",
        )


def _in_output_frame(
    annotation: Annotation, picture: Picture | None, plan: Plan
) -> tuple[Annotation, str]:
    """Return the annotation upright and at the output's size, and what EXIF had to do with it."""
    exif = "none"
    height, width = annotation.height, annotation.width
    if picture is None and None in (height, width) and plan.assume_size is not None:
        width, height = plan.assume_size
    if picture is not None:
        chosen = images.frame(annotation, picture, plan.exif)
        height, width = picture.height, picture.width
        if picture.orientation != 1:
            exif = "image" if chosen == "upright" else "image and annotation"
        if chosen == "stored" and picture.orientation != 1:
            matrix = transform.upright_matrix(
                picture.orientation, height=picture.stored_height, width=picture.stored_width
            )
            annotation = transform.transform_annotation(
                annotation, matrix, height=height, width=width
            )
    assert height is not None  # one of picture and declared size is there
    assert width is not None
    if plan.size is not None and plan.size != (width, height):
        matrix = transform.scale_matrix(plan.size[0] / width, plan.size[1] / height)
        width, height = plan.size
        return transform.transform_annotation(annotation, matrix, height=height, width=width), exif
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
    annotation: Annotation, raster: Raster, job: Job, exif: str, original: Original | None
) -> dict[str, Any]:
    """Return what the manifest says; ``image`` and ``original`` are told apart by :func:`_put`."""
    size, is_digest = (None, None) if original is None else original.entry[:2]
    return {
        "stem": job.stem,
        "source": job.shown,
        "place": annotation.place,
        "digest": annotation.digest,
        "image_bytes": size,
        "image_digest": is_digest,
        "height": raster.height,
        "width": raster.width,
        "exif": exif,
        "split": annotation.split,
        "regions": len(annotation.regions),
        "pixels": {str(i): n for i, n in raster.pixel_counts.items()},
        "contested": {f"{a}>{b}": n for (a, b), n in sorted(raster.contested.items())},
        "problems": [],
        "image": None,
        "original": None,
    }


def _files(
    annotation: Annotation,
    raster: Raster,
    picture: Picture | None,
    original: Original | None,
    job: Job,
    plan: Plan,
    problems: list[Problem],
    record: dict[str, Any],
    files: dict[str, Made | Original],
    writer: ImageWriter,
) -> None:
    """Add the files of one image to ``files``, and their names to its record."""
    layout = layouts.load(plan.layout)
    names = _names(picture, job, plan)
    places = places_of(picture, job, plan)
    record["mask"] = places.mask
    if plan.images != "none" and picture is not None and places.image:
        try:
            files[places.image] = _image(picture, original, annotation, names, plan)
            record["image"] = places.image
        except ReadError as error:
            found = error.problem(file=str(picture.path or annotation.source))
            problems.append(replace(found, severity="warning"))
    if plan.instances and places.instance:
        files[places.instance] = Made(_instances(raster))
        record["instance"] = places.instance
    if plan.previews and places.preview:
        files[places.preview] = _preview(places.preview, raster, picture, problems)
        record["preview"] = places.preview
    extra = layout.per_image(raster, names)
    files |= {name: Made(data) for name, data in extra.items()}
    if extra:
        record["extra"] = {name.rpartition("/")[2]: name for name in extra}
    options = plugins.options(writer, plan.writer_options)
    files[places.mask] = Made(writer.encode(raster, options))


def places_of(picture: Picture | None, job: Job, plan: Plan) -> Places:
    """Return where the files of one image go, in an output that is a folder."""
    layout, writer = layouts.load(plan.layout), writers.load(plan.writer)
    return layout.places(_names(picture, job, plan), mask_suffix=writer.SUFFIX)


def _instances(raster: Raster) -> bytes:
    writer = writers.load("instance")
    assert not writer.COLLECTION
    return writer.encode(raster, plugins.options(writer, {"palette": True}))


def _names(picture: Picture | None, job: Job, plan: Plan) -> Names:
    as_png = layouts.load(plan.layout).IMAGE_FORM == "png"
    return Names(job.stem, job.index, ".png" if as_png or picture is None else picture.suffix)


def _image(
    picture: Picture,
    original: Original | None,
    annotation: Annotation,
    names: Names,
    plan: Plan,
) -> Made | Original:
    """Return the image as it is or, where it must be turned, resized or recoded, a new one."""
    same_size = plan.size in (None, (picture.width, picture.height))
    as_is = picture.orientation == 1 and same_size and names.image_suffix == picture.suffix
    if as_is and original is not None:
        return original
    if original is None:
        source, origin = annotation.source, annotation.digest
    else:
        source, origin = original.path, original.entry.digest
    if as_is:
        return Made(picture.embedded or b"", source, origin)
    image = _decode(picture)
    if plan.size is not None and image.size != plan.size:
        image = image.convert("RGB") if image.mode == "P" else image
        image = image.resize(plan.size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    return Made(images.encode(image, names.image_suffix), source, origin)


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


def _preview(name: str, raster: Raster, picture: Picture | None, problems: list[Problem]) -> Made:
    from maskforge.pictures import previews as preview  # fonts and drawing, for previews only

    image = None
    if picture is not None:
        try:
            image = _decode(picture, near=(preview.LONG_SIDE, preview.LONG_SIDE)).convert("RGB")
        except ReadError as error:
            found = error.problem(file=str(picture.path))
            problems.append(replace(found, severity="warning"))
    sheet = preview.draw(image, raster)
    return Made(preview.encode(sheet, suffix=os.path.splitext(name)[1]))
