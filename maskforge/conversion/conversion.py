"""The conversion: read → rasterize → write, over a whole input, with a result at the end."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypeAlias

from maskforge import plugins, styles
from maskforge import splits as split_
from maskforge.classes import BACKGROUND, ClassTable
from maskforge.conversion import run as run_
from maskforge.conversion import settings as settings_
from maskforge.conversion import sources as inputs
from maskforge.conversion.result import Conversion
from maskforge.conversion.run import Place, Progress, Run
from maskforge.conversion.settings import Images, Settings
from maskforge.errors import ReadError, UsageError
from maskforge.io import files, label_lists
from maskforge.io.images import Exif
from maskforge.io.label_lists import Labels
from maskforge.raster.geometry import MAX_PIXELS
from maskforge.raster.overlap import Overlap
from maskforge.raster.raster import Unknown

Source: TypeAlias = str | PathLike[str]


def convert(
    source: Source | Sequence[Source],
    *,
    format: str | None = None,  # the word users type
    out: Source | None = None,
    as_: str | None = None,
    style: str | None = None,
    labels: Labels = None,
    rule: str = "pixel-center",
    overlap: Overlap | Literal["keep"] = "last",
    priority: Sequence[str] = (),
    unknown: Unknown = "error",
    layout: str = "pairs",
    size: tuple[int, int] | None = None,
    exif: Exif = "auto",
    images: Images = "auto",
    images_from: Source | None = None,
    assume_size: tuple[int, int] | None = None,
    previews: bool = True,
    instances: bool = True,
    split: Sequence[float] | None = None,
    seed: int = 0,
    workers: int | None = 1,
    engine: str | None = None,
    overwrite: bool = False,
    resume: bool = False,
    strict: bool = False,
    max_pixels: int = MAX_PIXELS,
    reader_options: Mapping[str, object] | None = None,
    progress: Progress | None = None,
) -> Conversion:
    """Convert annotations to masks; does what the commands ``maskforge FORMAT SOURCE`` do.

    source: annotation files and folders. format: a reader ("labelme", "via", "ochuman"), None to
    find it by content. out: where to, None for a name made from the source's. as_: a writer, None
    for the layout's or the reader's own. labels: a class table, names, or the file that lists
    them; None looks for labels.txt beside the source and in the current folder, else collects them.
    size: (width, height) of the outputs. images_from: a folder to look for images in first.
    assume_size: (width, height) of images that are not found and whose size nothing declares.
    split: fraction of val, or those of train, val, test.
    workers: processes, None for as many as help. reader_options: the reader's own, such as
    ``{"attribute": "Name"}``. strict: the first problem of an image raises ReadError.

    Raises UsageError for arguments that do not fit together, ClassError for labels outside the
    class table, ReadError when no source can be read, WriteError when an output cannot be written.
    All else that is wrong in the data is in the result's ``problems``.
    """
    sources = [Path(source)] if isinstance(source, str | PathLike) else [Path(s) for s in source]
    if not sources:
        raise UsageError("there must be a source, but none was given")
    if overwrite and resume:
        raise UsageError("overwrite and resume contradict each other", cure="give one of them")
    if split is not None:
        split_.check(split)
    _check_choices(layout=layout, as_=as_, rule=rule, engine=engine, style=style)
    reason = "named by the caller"
    if format is None:
        format, reason = inputs.detect(sources)  # noqa: A001
    reader = settings_.reader(format)
    options = settings_.options(reader, reader_options or {})
    writer_name = _writer(as_, layout, reader)
    writer_options = _writer_options(writer_name, style, overlap)
    collection = settings_.is_collection(writer_name)
    place = Place(
        _output(out, sources, format, writer_name, writer_options, layout), collection=collection
    )
    base = Settings(
        reader=format.replace("_", "-"),
        writer=writer_name,
        out=place.out,
        classes=ClassTable((BACKGROUND,)),  # until they are known
        reader_options=settings_.effective(reader, reader_options or {}),
        writer_options=writer_options,
        layout=layout,
        rule=rule.replace("_", "-"),
        overlap="last" if overlap == "keep" else overlap,
        priority=tuple(priority),
        unknown=unknown,
        size=size or settings_.layout(layout).SIZE,
        exif=exif,
        images=images,
        images_from=None if images_from is None else Path(images_from),
        assume_size=assume_size,
        previews=previews,
        instances=instances and settings_.layout(layout).INSTANCES,
        max_pixels=max_pixels,
    )
    place.refuse(overwrite=overwrite, resume=resume)
    table = None if labels is None else label_lists.find_table(labels, sources, set)
    root = inputs.root_of(sources)
    jobs, problems = inputs.plan(inputs.find(sources, reader), reader, options, root=root)
    if not jobs and not problems:
        raise ReadError(
            f"there must be {reader.TITLE} files, but none was found",
            code="unreadable",
            file=", ".join(map(str, sources)),
        )
    with run_.team(engine, workers, len(jobs)) as team:
        found_labels = cache(partial(inputs.collect_labels, jobs, reader, options, team))
        classes, classes_from = table or label_lists.find_table(None, sources, found_labels)
        if unknown == "error":
            label_lists.check_labels(classes, classes_from, found_labels)
        for name in priority:
            classes.id_of(name)
        if style is not None:
            styles.parse(style, classes)
        run = Run(replace(base, classes=classes), root, place, resume=resume, strict=strict)
        problems += run.keep_clear(jobs)
        run.check(jobs, split=split is not None)
        done = run.carry_out(jobs, problems, team, split=split, seed=seed, progress=progress)
    return Conversion(
        out=place.out,
        manifest=place.stage.folder / place.manifest,
        reader=base.reader,
        reason=reason,
        writer=writer_name,
        classes=classes,
        classes_from=classes_from,
        records=done.records,
        problems=tuple(done.problems),
        kept=done.kept,
        failed=done.failed,
        copied=done.copied,
        left=tuple(done.exchanged.left),
        aside=tuple(done.exchanged.aside),
    )


def _check_choices(
    *, layout: str, as_: str | None, rule: str, engine: str | None, style: str | None
) -> None:
    """Raise UsageError for a name that is none, before anything is read."""
    settings_.layout(layout)
    plugins.load("rules", rule)
    if as_ is not None:
        settings_.writer(as_)
    if engine is not None:
        plugins.load("engines", engine)
    if style is not None:
        styles.check(style)


def _writer(as_: str | None, layout: str, reader: Any) -> str:
    wanted: str = as_ or settings_.layout(layout).MASK_WRITER or reader.DEFAULT_OUTPUT
    settings_.writer(wanted)
    if settings_.is_collection(wanted) and layout != "pairs":
        raise UsageError(f"{wanted} makes one file of all images and cannot have layout {layout!r}")
    return wanted.replace("_", "-")


def _writer_options(writer: str, style: str | None, overlap: str) -> dict[str, object]:
    module = settings_.writer(writer)
    values: dict[str, object] = {}
    if style is not None:
        values["style"] = style
    if overlap == "keep":
        values["keep_overlaps"] = True
    known = settings_.effective(module, {})
    for name, cure in (("style", "--as color"), ("keep_overlaps", "--as onehot")):
        if name in values and name not in known:
            shown = "--style" if name == "style" else "--overlap keep"
            raise UsageError(f"{shown} must not be given for {writer} masks", cure=f"add {cure}")
    return settings_.effective(module, values)


def _output(
    out: Source | None,
    sources: Sequence[Path],
    format: str,
    writer: str,
    writer_options: Mapping[str, object],
    layout: str,
) -> Path:
    """Return the output's place: the given one, else one beside the first source."""
    collection = settings_.is_collection(writer)
    suffix: str = settings_.writer(writer).SUFFIX
    if out is not None:
        path = Path(out)
        if collection and path.suffix != suffix:
            return path / f"{_base(sources[0], format)}{suffix}"
        return path
    first = sources[0]
    folder = Path(os.path.abspath(first)).parent if first.is_dir() else first.parent
    if str(first) == ".":
        # The current folder is the project's: what it becomes lies in it, not beside it.
        folder, base = Path(), format
    else:
        base = _base(first, format)
        folder = first.parent
    if collection:
        return folder / f"{base}{suffix}"
    style = str(writer_options.get("style", "")) if writer == "color" else ""
    tail = files.safe_name(style.replace("#", "").replace(",", "-")) if style else "masks"
    return folder / f"{base}-{tail if layout == 'pairs' else layout}"


def _base(source: Path, format: str) -> str:
    name = Path(os.path.abspath(source)).name
    return (name if source.is_dir() else Path(name).stem) or format
