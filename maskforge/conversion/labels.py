"""Labels in a conversion: collected from the input, renamed, looked up in a class table.

Which table counts is told in :mod:`maskforge.io.label_lists`; what a label becomes before it is
looked up, in :mod:`maskforge.labels`.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from maskforge import labels, plugins, readers, rules
from maskforge.classes import BACKGROUND, BACKGROUNDS
from maskforge.conversion.settings import Plan
from maskforge.conversion.sources import KEEP, MOST_LABELS, Job
from maskforge.engines import Team
from maskforge.errors import Problem, ReadError
from maskforge.io import label_lists
from maskforge.io.label_lists import Listed
from maskforge.raster.annotation import Annotation, Region
from maskforge.raster.raster import rasterize
from maskforge.readers import Reader


def table_of(
    jobs: list[Job],
    named: Listed | None,
    tables: Sequence[Listed],
    plan: Plan,
    *,
    sources: Sequence[Path],
    reader: Reader,
    options: object,
    team: Team,
) -> tuple[Listed, list[Problem]]:
    """Return the class table of a conversion, and what looks odd about labels and classes.

    named: the table that the user named. tables: what the sources bring. Raises ClassError for
    labels that the table lacks, where ``unknown`` is "error".
    """
    if not reader.REGIONS:
        return label_lists.only(tables), []
    collected = cache(partial(collect, jobs, reader, options, team))
    found = cache(lambda: _renamed(collected(), plan))
    table = named
    if table is None:
        own = label_lists.merged(tables) if tables else None
        if own is not None:
            own = replace(own, classes=own.classes.relabelled(plan.relabelling)[0])
        described = () if reader.labels is not None else {job.source: None for job in jobs}
        table = label_lists.find_table(sources, own, found, files=described)
    if plan.unknown == "error":
        where = partial(_places_of, jobs=jobs, plan=plan)
        label_lists.check_labels(table, found, where)
    return table, list(_doubts(table, collected, plan, str(sources[0])))


def collect(jobs: list[Job], reader: Reader, options: object, team: Team) -> Counter[str]:
    """Return how many images have each label; ``team`` reads files that were not read yet.

    Where the team is this process, files are read whole as long as there is room for what they say,
    and their jobs in ``jobs`` hold it from then on: nobody need read them again.
    Files that cannot be read, or have more labels than there are ids, are left to the conversion,
    which records what is wrong with them.
    """
    if team.HERE:
        _read_ahead(jobs, reader, options)
    found: Iterable[Set[str]] = (
        job.labels if isinstance(job.waiting, Annotation | bytes | None) else job.waiting.labels
        for job in jobs
    )
    unread = [job.source for job in jobs if job.waiting is None]
    if unread and reader.labels is not None:
        work = partial(_labels_in, reader.labels, options)
        found = itertools.chain(found, team.run(work, unread, on_death=_no_labels))
    counts: Counter[str] = Counter()
    for some in found:
        if len(some) <= MOST_LABELS:
            counts.update(some)
    return counts


def _places_of(wanted: Set[str], jobs: Sequence[Job], plan: Plan) -> dict[str, list[str]]:
    """Return where regions have one of ``wanted``, labels as the user renamed them, by label.

    What cannot be read is left out.
    """
    found: dict[str, list[str]] = {label: [] for label in wanted}
    reader, rules = readers.load(plan.reader), plan.relabelling
    options = plugins.options(reader, plan.reader_options)
    for job in jobs:
        try:
            annotation = job.annotation() or next(reader.read(job.source, options), None)
        except Exception:  # the conversion would meet it again
            continue
        for region in annotation.regions if isinstance(annotation, Annotation) else ():
            label = rules(region.label)
            if label in wanted:
                found[str(label)].append(f"{job.source}: {region.place}")
    return found


def _read_ahead(jobs: list[Job], reader: Reader, options: object) -> None:
    room = KEEP
    for index, job in enumerate(jobs):
        if room <= 0:
            return
        if job.waiting is None:
            try:
                annotation = next(reader.read(job.source, options), None)
            except Exception:  # the conversion meets it again, and it costs this image only
                continue
            if isinstance(annotation, Annotation):
                room -= annotation.nbytes
                # A region that was left out with a warning has a label, too.
                if annotation.embedded is None and not annotation.problems:
                    met = frozenset(region.label for region in annotation.regions)
                    jobs[index] = replace(job, waiting=annotation, labels=met)


def _labels_in(read: Callable[[Path, Any], set[str]], options: object, path: Path) -> set[str]:
    try:
        return read(path, options)
    except ReadError:
        return _no_labels(path)


def _no_labels(path: Path) -> set[str]:
    return set()


def _renamed(counts: Mapping[str, int], plan: Plan) -> Counter[str]:
    found: Counter[str] = Counter()
    for label, count in counts.items():
        if (new := plan.relabelling(label)) is not None:
            found[new] += count
    return found


def _doubts(
    table: Listed, collected: Callable[[], Mapping[str, int]], plan: Plan, file: str
) -> Iterator[Problem]:
    """Yield what looks odd about labels and classes: probably they were meant otherwise."""
    classes, is_collected = table.classes, table.origin.startswith(label_lists.COLLECTED)
    counts: Mapping[str, int] = {}
    if is_collected or plan.relabelling or plan.unknown == "error":
        counts = collected()
    if plan.relabelling:
        yield from plan.relabelling.doubts(counts, file)
    counts = _renamed(counts, plan)
    for names in labels.twins({*classes.names, *counts}):
        met = [(name, counts.get(name, 0)) for name in names]
        shown = ", ".join(f"{name!r} ({n:,} image{'' if n == 1 else 's'})" for name, n in met)
        yield Problem(
            "label-doubt",
            file,
            f"labels must differ in more than case, but there are {shown}",
            cure=f"if they are one class: --map {','.join(names[:-1])}={names[-1]}",
            severity="warning",
        )
    others = [n for n in classes.names if n.casefold() in BACKGROUNDS and n != BACKGROUND]
    if others and classes.background is not None:
        yield Problem(
            "label-doubt",
            file,
            f"there must be one background, but {others[0]!r} is a class beside {BACKGROUND!r}",
            cure=f"if both are the background: --map {others[0]}={BACKGROUND}",
            severity="warning",
        )
    for pattern, names in labels.families(counts).items() if is_collected else ():
        new = pattern.rstrip("*-_ ")
        yield Problem(
            "label-doubt",
            file,
            f"{names[0]!r} … {names[-1]!r} are {len(names)} classes, and look like one",
            cure=f"if they are one class: --map '{pattern}={new}'",
            severity="note",
        )


def relabelled(annotation: Annotation, plan: Plan) -> tuple[Annotation, list[Region]]:
    """Return the annotation with the labels that the user made of its own, and what is left out.

    Where the class table has ``bus`` and no ``bus-1``, that is a bus, and all that is labelled so
    is one thing: labelme 3 told things apart that way.
    """
    relabel, classes = plan.relabelling, plan.classes
    if not relabel and all(region.label in classes for region in annotation.regions):
        return annotation, []
    regions, left = [], []
    for region in annotation.regions:
        label, group = relabel(region.label), region.group
        if label is not None and label not in classes and labels.stem(label) in classes:
            group = label if group is None else group
            label = labels.stem(label)
        if label is None or (label not in classes and plan.unknown == "skip"):
            left.append(region)
        elif (label, group) == (region.label, region.group):
            regions.append(region)
        else:
            regions.append(replace(region, label=label, group=group))
    return replace(annotation, regions=tuple(regions)), left


def areas(left: list[Region], annotation: Annotation, plan: Plan) -> dict[str, list[int]]:
    """Return how many regions of each label were left out, and the pixels that they cover."""
    found: dict[str, list[int]] = {}
    if not left:
        return found
    cover = rules.load(plan.rule).cover
    alone = replace(annotation, regions=tuple(left))
    raster = rasterize(alone, plan.classes, cover, unknown="ignore", max_pixels=plan.max_pixels)
    for region, pixels in zip(left, raster.region_area.tolist(), strict=True):
        counted = found.setdefault(region.label, [0, 0])
        counted[0] += 1
        counted[1] += pixels
    return found
