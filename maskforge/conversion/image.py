"""What becomes of one image: a value, made of its annotation and the plan. Workers run this."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from PIL import Image

from maskforge import plugins, readers, rules, writers
from maskforge.conversion.labels import areas, relabelled
from maskforge.conversion.settings import Plan
from maskforge.conversion.sources import MOST_LABELS, Earlier, Job, other_format, refuse
from maskforge.errors import MaskforgeError, Problem, ReadError, WriteError, many
from maskforge.io import images
from maskforge.io.files import way_to
from maskforge.io.images import Picture
from maskforge.io.ownership import Entry, digest_of
from maskforge.io.shelf import Put
from maskforge.layouts import Names, Places
from maskforge.raster import transform
from maskforge.raster.annotation import Annotation, MaskFile, Region
from maskforge.raster.label_image import resized, to_raster
from maskforge.raster.raster import Raster, rasterize
from maskforge.readers.masks.pixels import Header
from maskforge.writers import Scene

MOST_SHAPES = 20
"""Shapes of one image that are told one by one."""


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


class Piece(NamedTuple):
    """What an image adds to a file of all images: which file, and what."""

    file: str
    data: bytes
    names: Names


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """What one image is converted to: a value. files: by name, the mask last."""

    record: dict[str, Any]
    files: dict[str, Made | Original]
    piece: Piece | None
    source: Original | None


class Placed(NamedTuple):
    """What came of an image's outputs: its record, its files, and what was in the way."""

    record: dict[str, Any]
    files: tuple[Put, ...] = ()
    problems: tuple[Problem, ...] = ()


class Sink(Protocol):
    """What puts the outputs of an image in place; sent to the workers."""

    def put(self, made: Outputs, earlier: Earlier | None) -> Placed:
        """Put them there. earlier: what a run before made of the image. Raises WriteError."""


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What became of a job.

    record: what the manifest says of the image, None when it was not converted. files: those that
    were put on the shelf for it. source: the image that the user has. drawn: the file that its
    regions are drawn in. piece: for a file of all images. kept: an earlier run had done it already.
    stray: the file was met in a folder, and is no annotation of this format. fatal: the output
    cannot be written, so that going on makes no sense.
    """

    job: Job
    record: dict[str, Any] | None = None
    problems: tuple[Problem, ...] = ()
    files: tuple[Put, ...] = ()
    source: Path | None = None
    drawn: Path | None = None
    piece: Piece | None = None
    kept: bool = False
    stray: bool = False
    fatal: WriteError | None = None


def _keep_freed_memory() -> None:
    """Have glibc keep what one image frees for the next one.

    Else it gives the memory back to the system and asks for it again, page by page, which takes a
    sixth of the time of large images. It keeps what is smaller than the largest block that it has
    given back yet, if that was below 32 MiB; this one costs nothing, as nobody touches it.
    """
    np.empty(33_500_000, dtype=np.uint8)


_keep_freed_memory()


def process(plan: Plan, sink: Sink, job: Job) -> Outcome:
    """Convert one image and put its files into the sink. Never raises: see the outcome."""
    try:
        return _process(plan, sink, job)
    except WriteError as error:
        return Outcome(job, fatal=error)
    except MaskforgeError as error:
        problem = error.problem(file=str(job.source), place=job.place)
        if error.code == "wrong-format" and not job.named:
            return Outcome(job, problems=(_stray(problem),), stray=True)
        return Outcome(job, problems=(problem,))
    except MemoryError:
        message = "the image must fit into memory, but it does not"
        return Outcome(job, problems=(Problem("too-large", str(job.source), message),))
    except Exception as error:  # a defect of ours must cost one image, not the run
        where = traceback.extract_tb(error.__traceback__)[-1]
        message = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
        return Outcome(job, problems=(Problem("internal", str(job.source), message),))


def _stray(problem: Problem) -> Problem:
    """Return what is said of a file that may have nothing to do with annotations: a note, unless
    it has, in another format."""
    if problem.cure:
        return replace(problem, severity="warning")
    return replace(problem, message=f"left alone: {problem.message}", severity="note")


def died(job: Job) -> Outcome:
    """Return the outcome of a job whose worker ended without an answer, twice."""
    message = "the worker converting this file ended without an answer, perhaps for lack of memory"
    return Outcome(job, problems=(Problem("worker-died", str(job.source), message),))


def _process(plan: Plan, sink: Sink, job: Job) -> Outcome:
    annotation = job.annotation() or _read(plan, job)
    if job.split is not None:
        annotation = replace(annotation, split=job.split)
    if annotation.mask is not None:
        from maskforge.readers.masks import decoding  # where none is read, starting takes no longer

        annotation = replace(annotation, digest=decoding.digest(annotation.mask))
    wrong = [problem for problem in annotation.problems if problem.severity == "error"]
    if wrong and plan.bad_shape == "withhold":
        return Outcome(job, problems=_withheld(wrong))
    problems = [replace(problem, severity="warning") for problem in wrong]
    problems += [problem for problem in annotation.problems if problem.severity != "error"]
    picture, original = _picture(annotation, plan, problems)
    earlier, source = job.earlier, None if original is None else original.path
    if earlier is not None and _still_holds(earlier, annotation, picture, original, job, plan):
        now = {"source": job.shown, "place": annotation.place, "split": annotation.split}
        record = {**earlier.record, **now}
        kept = tuple(
            Put(name, entry, taken=name not in earlier.staged)
            for name, entry in earlier.files.items()
        )
        return Outcome(
            job, record, _remembered(record, job), kept, source, annotation.picture, kept=True
        )
    made = outputs(annotation, picture, original, job, plan, problems)
    placed = sink.put(made, earlier)
    problems += placed.problems
    drawn = annotation.picture
    return Outcome(job, placed.record, tuple(problems), placed.files, source, drawn, made.piece)


def _withheld(wrong: list[Problem]) -> tuple[Problem, ...]:
    """Return what is said of an image that has no mask, since one would lack regions."""
    cure = "correct the shape, or leave out such regions only with --bad-shape skip"
    shown = [replace(problem, cure=problem.cure or cure) for problem in wrong[:MOST_SHAPES]]
    if more := len(wrong) - len(shown):
        last = shown[-1]
        shown[-1] = replace(last, message=f"{last.message}; and {more} more shapes of this image")
    return tuple(shown)


def _read(plan: Plan, job: Job) -> Annotation:
    reader = readers.load(plan.reader)
    items = reader.read(job.source, plugins.options(reader, plan.reader_options))
    try:
        item = next(items, None)
    except ReadError as error:
        other = other_format(job.source, plan.reader) if error.code == "wrong-format" else None
        if other is None:
            raise
        raise ReadError(
            f"this is not in the format {plan.reader}, but in {other}",
            code="wrong-format",
            file=str(job.source),
            cure=f"maskforge {other} {job.source}",
        ) from error
    if isinstance(item, Annotation):
        return item
    if isinstance(item, Problem):
        refuse(item)
    raise ReadError("the file describes no image", code="wrong-format", file=str(job.source))


def _picture(
    annotation: Annotation, plan: Plan, problems: list[Problem]
) -> tuple[Picture | None, Original | None]:
    """Return the image, and its file where it is one.

    A missing or damaged one is fatal only where the size comes from it.
    """
    declared = annotation.height is not None and annotation.width is not None
    sized = declared or plan.assume_size is not None or annotation.mask is not None
    try:
        picture = images.picture(annotation, plan.images_from, max_pixels=plan.max_pixels)
        original = None
        if picture is not None and picture.path is not None:
            original = Original(picture.path, picture.entry or _digest_of(picture.path))
    except ReadError as error:
        if not sized or error.code == "too-large":
            raise
        found = error.problem(file=str(annotation.source), place=annotation.place)
        problems.append(replace(found, severity="warning"))
        return None, None
    if picture is not None and picture.path is not None:
        problems += images.notes(annotation, picture)
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


def _digest_of(path: Path) -> Entry:
    try:
        return digest_of(path)
    except OSError as error:
        raise ReadError(
            f"the image cannot be read: {error.strerror}", code="bad-image", file=str(path)
        ) from error


def _still_holds(
    earlier: Earlier,
    annotation: Annotation,
    picture: Picture | None,
    original: Original | None,
    job: Job,
    plan: Plan,
) -> bool:
    """Tell whether nothing is missing of what was made of this very annotation and image.

    Where they stand in the input may have changed, unless problems tell of it. Files must be called
    as they would be now: some layouts number images, which others before them move; and an image
    may have been renamed. Never so for a file of all images, which is made anew.
    """
    record = earlier.record
    size, is_digest = (None, None) if original is None else original.entry[:2]
    are_same = (record.get("digest"), record.get("image_bytes"), record.get("image_digest")) == (
        annotation.digest,
        size,
        is_digest,
    )
    place = (record.get("source"), record.get("place"))
    stands = place == (job.shown, annotation.place) or not record.get("problems")
    if not (earlier.whole and are_same and stands):
        return False
    places = _called(picture, annotation, job, plan)[1]
    away = None if original is None else way_to(original.path, plan.folder)
    return (
        record.get("mask") == places.mask
        and record.get("image") in (None, places.image)
        and record.get("original") in (None, away)
    )


def _remembered(previous: Mapping[str, Any], job: Job) -> tuple[Problem, ...]:
    """Return the problems of an earlier run, their files again below the root of the input."""
    root = _root(job)
    found = (Problem(**problem) for problem in previous.get("problems", ()))
    return tuple(replace(problem, file=str(Path(root, problem.file))) for problem in found)


def outputs(
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
    if len(annotation.regions) > MOST_LABELS:
        count = len({region.label for region in annotation.regions})
        if count > MOST_LABELS:
            raise ReadError(
                f"an image must have at most {MOST_LABELS} different labels, "
                f"but this one has {count}",
                code="too-large",
                file=str(annotation.source),
                cure="is the label a number or a name of each object? the class belongs there",
            )
    left: list[Region] = []
    if annotation.mask is not None:
        raster, exif = _of_mask(annotation.mask, picture, plan, problems)
    else:
        annotation, exif = _in_output_frame(annotation, picture, plan)
        annotation, left = relabelled(annotation, plan)
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
    if left:
        record["left_out"] = areas(left, annotation, plan)
    writer, layout = writers.load(plan.writer), plan.laid_out
    options = plugins.options(writer, plan.writer_options)
    names, places = _called(picture, annotation, job, plan)
    writes_mask = not writer.COLLECTION or writer.picture is not None
    if writes_mask:
        record["mask"] = places.mask
    files: dict[str, Made | Original] = {}
    if plan.places_images and picture is not None and places.image:
        try:
            files[places.image] = _image(picture, original, annotation, names, plan)
            record["image"] = places.image
        except ReadError as error:
            found = error.problem(file=str(picture.path or annotation.source))
            problems.append(replace(found, severity="warning"))
    scene = _scene(raster, annotation, names, places, picture, original, record, job, plan)
    if plan.instances and places.instance:
        instance = writers.load("instance")
        assert not instance.COLLECTION
        painted = plugins.options(instance, {"palette": True})
        files[places.instance] = Made(instance.encode(scene, painted))
        record["instance"] = places.instance
    if plan.previews and places.preview:
        files[places.preview] = _preview(places.preview, raster, picture, plan, problems)
        record["preview"] = places.preview
    extra = layout.per_image(raster, names)
    files |= {name: Made(data) for name, data in extra.items()}
    if extra:
        record["extra"] = {name.rpartition("/")[2]: name for name in extra}
    piece, data = None, writer.encode(scene, options)
    if writer.COLLECTION:
        assert places.collection is not None
        piece = Piece(places.collection, data, names)
        if writer.picture is not None:
            data = writer.picture(scene, options)
    if lost := {what: count for what, count in sorted(scene.lost.items()) if count}:
        record["lost"] = lost
    if scene.traced:
        record["traced"] = scene.traced
    if writes_mask:
        files[places.mask] = Made(data)
    return Outputs(record, files, piece, original)


def _scene(
    raster: Raster,
    annotation: Annotation,
    names: Names,
    places: Places,
    picture: Picture | None,
    original: Original | None,
    record: Mapping[str, Any],
    job: Job,
    plan: Plan,
) -> Scene:
    """Return what the writer sees of the image; the record knows whether that is placed.

    An image of another size that is not placed is none that belongs to the regions.
    """
    file_name, way = annotation.name, record["image"]
    if way is not None:
        file_name = names.stem + names.image_suffix
    elif original is not None:
        if picture is not None and (picture.height, picture.width) == raster.shape:
            way = way_to(original.path, plan.folder)
        inside = way_to(original.path, _root(job))
        if inside is not None and not inside.startswith("../"):
            # Sets of masks have their images in a folder, below which stems are names.
            short = job.stem + original.path.suffix
            file_name = short if inside.endswith(f"/{short}") else inside
    return Scene(
        raster,
        names,
        annotation if annotation.mask is None else None,
        file_name,
        way,
        places.collection or places.mask,
    )


def _root(job: Job) -> str:
    """Return the root of the input."""
    root = os.path.abspath(job.source)
    for _ in job.shown.split("/"):
        root = os.path.dirname(root)
    return root


def _called(
    picture: Picture | None, annotation: Annotation, job: Job, plan: Plan
) -> tuple[Names, Places]:
    """Return what an image is called, and where its files go."""
    layout, suffix = plan.laid_out, ".png"
    if layout.IMAGE_FORM == "as-is" and picture is not None:
        stays = _stays(picture, plan)
        suffix = picture.suffix if stays else images.written_suffix(picture.suffix)
    names = Names(job.stem, job.index, suffix, annotation.split, annotation.name)
    return names, layout.places(names, plan.kind)


def _of_mask(
    mask: MaskFile, picture: Picture | None, plan: Plan, problems: list[Problem]
) -> tuple[Raster, str]:
    """Return the raster of a mask at the output's size, and what EXIF had to do with it."""
    from maskforge.readers.masks import decoding, fitting

    channels, exif = decoding.read_label(mask, plan.classes), "none"
    if picture is not None:
        header = Header(picture.stored_height, picture.stored_width, picture.orientation)
        how = fitting.fit(header, channels.shape, mask, picture.path)
        if header.orientation != 1:
            exif = "image and annotation" if how.turned else "image"
        if how.resized:
            stored = f"{channels.shape[1]}x{channels.shape[0]}"
            message = (
                f"the mask is {stored}, its image {picture.width}x{picture.height}: "
                "brought to that size (nearest)"
            )
            problems.append(Problem("size-mismatch", str(mask), message, severity="warning"))
        channels = fitting.apply(how, channels, header)
    if plan.size is not None:
        height, width = channels.shape
        channels = resized(channels, transform.working_size((height, width), plan.size))
    raster = to_raster(channels, plan.classes)
    shown, ignored = set(raster.pixel_counts), plan.classes.ignore_index
    if ignored in shown and shown <= {ignored, plan.classes.background}:
        some = many(raster.pixel_counts[ignored], "pixel is", "pixels are")
        message = f"the mask shows no class: {some} ignored, and nothing else is in it"
        cure = "if they are an object, say what their value is with --labels"
        problems.append(Problem("mask-values", str(mask), message, cure=cure, severity="note"))
    return raster, exif


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
        if annotation.relative and chosen == "stored":
            stored = {"height": picture.stored_height, "width": picture.stored_width}
            annotation = transform.absolute(annotation, **stored)
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
    if annotation.relative:
        annotation = transform.absolute(annotation, height=height, width=width)
    sized = transform.working_size((height, width), plan.size or ())
    if sized != (height, width):
        matrix = transform.scale_matrix(sized[1] / width, sized[0] / height)
        height, width = sized
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
            message = (
                f"the region {region.label!r} covers no pixel: it is outside the image or too thin"
            )
            found.append(
                Problem(
                    "outside-image", str(annotation.source), message, region.place, "", "warning"
                )
            )
    return found


def _record(
    annotation: Annotation, raster: Raster, job: Job, exif: str, original: Original | None
) -> dict[str, Any]:
    """Return what the manifest says; ``image`` and ``original`` are told apart by the sink."""
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


def _stays(picture: Picture, plan: Plan) -> bool:
    """Tell whether an image is neither turned nor resized."""
    full = (picture.height, picture.width)
    return picture.orientation == 1 and transform.working_size(full, plan.size or ()) == full


def _image(
    picture: Picture,
    original: Original | None,
    annotation: Annotation,
    names: Names,
    plan: Plan,
) -> Made | Original:
    """Return the image as it is or, where it must be turned, resized or recoded, a new one."""
    as_is = _stays(picture, plan) and names.image_suffix == picture.suffix
    if as_is and original is not None:
        return original
    if original is None:
        source, origin = annotation.source, annotation.digest
    else:
        source, origin = original.path, original.entry.digest
    if as_is:
        return Made(picture.embedded or b"", source, origin)
    image = _decode(picture)
    height, width = transform.working_size((image.height, image.width), plan.size or ())
    if image.size != (width, height):
        image = image.convert("RGB") if image.mode == "P" else image
        image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
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


def _preview(
    name: str, raster: Raster, picture: Picture | None, plan: Plan, problems: list[Problem]
) -> Made:
    from maskforge.pictures import previews as preview  # fonts and drawing, for previews only

    image = None
    if picture is not None:
        try:
            near = (preview.LONG_SIDE, preview.LONG_SIDE)
            image = images.shown(_decode(picture, near=near), plan.window)
        except ReadError as error:
            found = error.problem(file=str(picture.path))
            problems.append(replace(found, severity="warning"))
    sheet = preview.draw(image, raster)
    return Made(preview.encode(sheet, suffix=os.path.splitext(name)[1]))
