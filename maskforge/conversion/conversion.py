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
from maskforge.conversion.settings import ONE_FILE, Plan, Settings
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
        classes, classes_from = table.classes, table.origin
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
    layout = layouts.load(chosen.layout)
    name = chosen.as_ or layout.MASK_WRITER or reader.DEFAULT_OUTPUT
    writer = writers.load(name)
    is_file = writer.COLLECTION and chosen.layout == ONE_FILE
    if writer.COLLECTION and not (is_file or layouts.collects(layout, writers.kind(writer))):
        raise UsageError(
            f"{name} makes one file of all images and cannot have layout {chosen.layout!r}"
        )
    if name == "instance" and not reader.REGIONS:
        raise UsageError("masks do not tell instances apart: there are no instance images of them")
    known = plugins.effective(writer, {})
    wanted: dict[str, object] = {}
    if chosen.style is not None:
        if "style" not in known:
            cure = "add --as color"
            raise UsageError(f"--style must not be given for {name} masks", cure=cure)
        wanted["style"] = chosen.style
    if chosen.overlap == "keep":
        if "keep_overlaps" not in known:
            cure = "add --as onehot"
            raise UsageError(f"--overlap keep must not be given for {name} masks", cure=cure)
        wanted["keep_overlaps"] = True
    writer_options = plugins.effective(writer, wanted)
    if is_file:
        ending = writer.SUFFIX
    elif chosen.layout != ONE_FILE:
        ending = f"-{chosen.layout}"
    else:
        style = str(writer_options.get("style", "masks"))
        ending = f"-{files.safe_name(style.replace('#', '').replace(',', '-'))}"
    decided: dict[str, Any] = {
        "reader": format,
        "writer": name,
        "out": _output(chosen.out, sources, format, ending),
        "classes": ClassTable((BACKGROUND,)),  # until they are known
        "reader_options": plugins.effective(reader, reader_options),
        "writer_options": writer_options,
        "overlap": "last" if chosen.overlap == "keep" else chosen.overlap,
        "size": chosen.size or layout.SIZE,
        "instances": chosen.instances and layout.INSTANCES and reader.REGIONS,
    }
    same = {one.name: getattr(chosen, one.name) for one in fields(Settings)}
    return Plan(**(same | decided))


def _output(out: Path | None, sources: Sequence[Path], format: str, ending: str) -> Path:
    """Return the output's place: the given one, else one beside the first source.

    ending: what follows the source's name, of a folder with a hyphen, of a file its suffix.
    """
    first = sources[0]
    name = Path(os.path.abspath(first)).name
    base = (name if first.is_dir() else Path(name).stem) or format
    if out is not None:
        is_file = ending.startswith(".")
        return out / f"{base}{ending}" if is_file and out.suffix != ending else out
    if str(first) == ".":
        # The current folder is the project's: what it becomes lies in it, not beside it.
        return Path(f"{format}{ending}")
    return first.parent / f"{base}{ending}"
