"""The conversion: read → rasterize → write, over a whole input, with a result at the end."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

from maskforge import layouts, plugins, readers, styles, writers
from maskforge.classes import BACKGROUND, ClassTable
from maskforge.conversion import account, splitting
from maskforge.conversion import sources as inputs
from maskforge.conversion.labels import table_of
from maskforge.conversion.result import Conversion
from maskforge.conversion.settings import ONE_FILE, TRACING, Plan, Settings
from maskforge.conversion.sinks import Place, Progress, Run
from maskforge.conversion.workers import options as told_to
from maskforge.conversion.workers import team as team_of
from maskforge.errors import ReadError, UsageError
from maskforge.io import files, label_lists
from maskforge.readers import Reader

Source: TypeAlias = str | PathLike[str]


def convert(
    source: Source | Sequence[Source],
    *,
    format: str | None = None,  # the word users type
    reader_options: Mapping[str, object] | None = None,
    engine_options: Mapping[str, object] | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Conversion:
    """Convert annotations to masks: what ``maskforge.convert`` does, with the same arguments.

    Errors and problems name settings as the command line does.
    """
    sources = [Path(source)] if isinstance(source, str | PathLike) else [Path(s) for s in source]
    if not sources:
        raise UsageError("there must be a source, but none was given")
    chosen = Settings.of(settings)
    reason = "named by the caller"
    if format is None:
        format, reason = inputs.detect(sources)  # noqa: A001
    if chosen.images_from is not None and not chosen.images_from.is_dir():
        raise UsageError(f"--images-from must be a folder, but {str(chosen.images_from)!r} is none")
    reader = readers.load(format)
    given = dict(reader_options or {})
    if not reader.REGIONS:
        given |= {"labels": chosen.labels, "relabelling": chosen.relabelling}
    options = plugins.options(reader, given)
    told = told_to(chosen.engine, engine_options or {})
    plan = _plan(chosen, sources, format.replace("_", "-"), reader, reader_options or {})
    place = Place(plan.out, is_file=plan.is_file)
    place.refuse(overwrite=plan.overwrite, resume=plan.resume)
    # Where it is no list it is refused before data are read.
    named = label_lists.given(chosen.labels) if reader.REGIONS else None
    passed: list[Path] = []
    root, paths = inputs.root_of(sources), inputs.find(sources, reader, passed=passed)
    jobs, problems, tables = inputs.plan(paths, reader, options, root=root, named=set(sources))
    if not reader.REGIONS and not tables and problems:
        inputs.refuse(problems[0])
    if not jobs and not problems:
        raise ReadError(
            f"there must be {reader.TITLE} files, but none was found",
            code="unreadable",
            file=", ".join(map(str, sources)),
        )
    with team_of(plan.engine, plan.workers, len(jobs), told) as team:
        team.needs = tuple(str(folder) for folder in (root, plan.images_from) if folder is not None)
        table, doubts = table_of(
            jobs, named, tables, plan, sources=sources, reader=reader, options=options, team=team
        )
        problems += doubts
        classes, classes_from = plan.laid_out.table(table.classes), table.origin
        for name in plan.priority:
            classes.id_of(name)
        if plan.style is not None:
            styles.parse(plan.style, classes)
        run = Run(replace(plan, classes=classes), root, place)
        problems += run.keep_clear(jobs)
        splitting.decide(jobs, plan, team)
        run.check(jobs)
        many = len(jobs)
        done = run.carry_out(jobs, problems, team, progress=progress)
    return Conversion(
        out=place.out,
        manifest=place.stage.folder / place.manifest,
        reader=plan.reader,
        reason=reason,
        writer=plan.writer,
        classes=classes,
        classes_from=classes_from,
        records=done.records,
        problems=tuple(done.problems),
        kept=done.kept,
        failed=done.failed,
        copied=done.copied,
        left=tuple(done.exchanged.left),
        aside=tuple(done.exchanged.aside),
        listed=done.listed,
        account=account.of(
            done.records,
            files=len(paths) - done.strays,
            images=many - done.strays,
            passed=passed,
            unannotated=account.unannotated(sources, done.used) if reader.REGIONS else (),
        ),
    )


def _plan(
    chosen: Settings,
    sources: Sequence[Path],
    format: str,
    reader: Reader,
    reader_options: Mapping[str, object],
) -> Plan:
    """Return what can be decided before the input is read: all but the classes."""
    name = chosen.as_ or reader.DEFAULT_OUTPUT
    if chosen.layout is not None and chosen.as_ is None:
        name = layouts.load(chosen.layout).MASK_WRITER or name
    writer = writers.load(name)
    laid_out = chosen.layout or (ONE_FILE if writer.COLLECTION else layouts.usual(name))
    layout = layouts.load(laid_out)
    is_file = writer.COLLECTION and laid_out == ONE_FILE
    if writer.COLLECTION and not (is_file or layouts.collects(layout, writers.kind(writer))):
        raise UsageError(f"{name} makes one file of all images and cannot have layout {laid_out!r}")
    if name == "instance" and not reader.REGIONS:
        raise UsageError("masks do not tell instances apart: there are no instance images of them")
    wanted = writer_options(chosen, name)
    if reader.REGIONS and (of_masks := [one for one in TRACING if one in wanted]):
        raise UsageError(
            f"--{of_masks[0].replace('_', '-')} must be given for masks only: regions that were "
            "drawn stay as they are"
        )
    known = plugins.effective(writer, {})
    if chosen.overlap == "keep":
        if "keep_overlaps" not in known:
            cure = "add --as onehot"
            raise UsageError(f"--overlap keep must not be given for {name} masks", cure=cure)
        wanted["keep_overlaps"] = True
    options = plugins.effective(writer, wanted)
    if is_file:
        ending = writer.SUFFIX
        if ending in reader.SUFFIXES:
            ending = f"-{name}{ending}"
    elif laid_out != ONE_FILE:
        ending = f"-{laid_out}"
    else:
        style = str(options.get("style", "masks" if writer.FOLDER == "masks" else name))
        ending = f"-{files.safe_name(style.replace('#', '').replace(',', '-'))}"
    decided: dict[str, Any] = {
        "reader": format,
        "writer": name,
        "layout": laid_out,
        "out": _output(chosen.out, sources, format, ending, writer.SUFFIX if is_file else ""),
        "classes": ClassTable((BACKGROUND,)),  # until they are known
        "reader_options": plugins.effective(reader, reader_options),
        "writer_options": options,
        "overlap": "last" if chosen.overlap == "keep" else chosen.overlap,
        "size": chosen.size or layout.SIZE,
        "instances": chosen.instances and layout.INSTANCES and reader.REGIONS,
    }
    same = {one.name: getattr(chosen, one.name) for one in fields(Settings)}
    return Plan(**(same | decided))


def writer_options(chosen: Settings, name: str) -> dict[str, object]:
    """Return what ``chosen`` says to the writer ``name``. Raises UsageError for others' options."""
    known = plugins.effective(writers.load(name), {})
    wanted = {}
    for one in fields(Settings):
        value = getattr(chosen, one.name)
        if not one.metadata.get("writer") or value == one.default:
            continue
        if one.name not in known:
            others = (other for other in plugins.names("writers") if _has(other, one.name))
            option = one.name.replace("_", "-")
            raise UsageError(
                f"--{option} must not be given for {name} masks",
                cure=f"add --as {' or '.join(others)}",
            )
        wanted[one.name] = value
    return wanted


def _has(writer: str, option: str) -> bool:
    return option in plugins.effective(writers.load(writer), {})


def _output(
    out: Path | None, sources: Sequence[Path], format: str, ending: str, suffix: str
) -> Path:
    """Return the output's place: the given one, else one beside the first source.

    ending: what follows the source's name. suffix: of a file, "" of a folder.
    """
    first = sources[0]
    name = Path(os.path.abspath(first)).name
    base = (name if first.is_dir() else Path(name).stem) or format
    if out is not None:
        return out / f"{base}{ending}" if suffix and out.suffix != suffix else out
    if str(first) == ".":
        # The current folder is the project's: what it becomes lies in it, not beside it.
        return Path(f"{format}{ending}")
    return first.parent / f"{base}{ending}"
