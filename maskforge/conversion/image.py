"""What one image is converted to: a value, made of its annotation and the settings."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image

from maskforge import plugins
from maskforge.conversion import settings as settings_
from maskforge.conversion.settings import Settings
from maskforge.conversion.sources import MOST_LABELS, Job
from maskforge.errors import MaskforgeError, Problem, ReadError
from maskforge.io import images
from maskforge.io.images import Picture
from maskforge.io.ownership import Entry
from maskforge.layouts import Names, Places
from maskforge.raster import transform as transform_
from maskforge.raster.annotation import Annotation
from maskforge.raster.raster import Raster, rasterize


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
    settings: Settings,
    problems: list[Problem],
) -> Outputs:
    """Return what becomes of one image; nothing is written. What is wrong goes to ``problems``.

    picture: the image by its header; original: its file, None for one that is embedded.
    """
    _refuse_too_many_labels(annotation)
    annotation, exif = _in_output_frame(annotation, picture, settings)
    raster = rasterize(
        annotation,
        settings.classes,
        plugins.load("rules", settings.rule).cover,
        overlap=settings.overlap,
        priority=settings.priority,
        unknown=settings.unknown,
        max_pixels=settings.max_pixels,
    )
    problems += _covering_nothing(annotation, raster)
    record = _record(annotation, raster, job, exif, original)
    files: dict[str, Made | Original] = {}
    if settings_.is_collection(settings.writer):
        record["name"] = annotation.name
        if settings.previews:
            record["preview"] = f"{settings.out.stem}-previews/{job.stem}.jpg"
            files[record["preview"]] = _preview(record["preview"], raster, picture, problems)
    else:
        _files(annotation, raster, picture, original, job, settings, problems, record, files)
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
    settings: Settings,
    problems: list[Problem],
    record: dict[str, Any],
    files: dict[str, Made | Original],
) -> None:
    """Add the files of one image to ``files``, and their names to its record."""
    layout = settings_.layout(settings.layout)
    writer = settings_.writer(settings.writer)
    names = _names(picture, job, settings)
    places = places_of(picture, job, settings)
    record["mask"] = places.mask
    if settings.images != "none" and picture is not None and places.image:
        try:
            files[places.image] = _image(picture, original, annotation, names, settings)
            record["image"] = places.image
        except ReadError as error:
            found = error.problem(file=str(picture.path or annotation.source))
            problems.append(replace(found, severity="warning"))
    if settings.instances and places.instance:
        instance = settings_.writer("instance")
        options = settings_.options(instance, {"palette": True})
        files[places.instance] = Made(instance.encode(raster, options))
        record["instance"] = places.instance
    if settings.previews and places.preview:
        files[places.preview] = _preview(places.preview, raster, picture, problems)
        record["preview"] = places.preview
    extra = layout.per_image(raster, names)
    files |= {name: Made(data) for name, data in extra.items()}
    if extra:
        record["extra"] = {name.rpartition("/")[2]: name for name in extra}
    options = settings_.options(writer, settings.writer_options)
    files[places.mask] = Made(writer.encode(raster, options))


def places_of(picture: Picture | None, job: Job, settings: Settings) -> Places:
    """Return where the files of one image go, in an output that is a folder."""
    layout, writer = settings_.layout(settings.layout), settings_.writer(settings.writer)
    found: Places = layout.places(_names(picture, job, settings), mask_suffix=writer.SUFFIX)
    return found


def _names(picture: Picture | None, job: Job, settings: Settings) -> Names:
    as_png = settings_.layout(settings.layout).IMAGE_FORM == "png"
    return Names(job.stem, job.index, ".png" if as_png or picture is None else picture.suffix)


def _image(
    picture: Picture,
    original: Original | None,
    annotation: Annotation,
    names: Names,
    settings: Settings,
) -> Made | Original:
    """Return the image as it is or, where it must be turned, resized or recoded, a new one."""
    same_size = settings.size in (None, (picture.width, picture.height))
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
    if settings.size is not None and image.size != settings.size:
        image = image.convert("RGB") if image.mode == "P" else image
        image = image.resize(settings.size, Image.Resampling.LANCZOS, reducing_gap=3.0)
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
