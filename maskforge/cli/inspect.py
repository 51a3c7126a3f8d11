"""Say what a mask file really holds: mode, ids, palette, damage."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from maskforge.cli import _console, _help, _options
from maskforge.cli._console import plain
from maskforge.errors import Problem, ReadError, many

if TYPE_CHECKING:
    from maskforge.readers.masks.inspection import Inspection


@_help.command("inspect")
@click.argument("files", nargs=-1, required=True, type=_help.path(), metavar="FILE|DIR...")
@_help.option(
    "--labels",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The class table that the masks should fit. [default: the one in the mask]",
)
@_options.json_option("What was found")
def command(files: tuple[str, ...], *, labels: Path | None, as_json: bool) -> int:
    """Say what mask files really hold: mode, bit depth, size, ids, palette, class table, and what
    is probably wrong with them (JPEG damage, 0/255, painted colours, a palette that OpenCV reads
    as colours …). Of a folder all masks are looked at, and summed up. Exit code 1 when something is
    wrong.

    \b
    Examples:
      maskforge inspect mask.png
      maskforge inspect dir-masks/
      maskforge inspect dir-masks/masks/*.png --json
      maskforge inspect segmentation_train.npy
    """
    from maskforge.io.label_lists import read_table
    from maskforge.readers.masks.inspection import inspect
    from maskforge.readers.masks.kinds import manifest

    _check_files([*files, *filter(None, [labels])])
    given = read_table(labels) if labels is not None else None
    told: list[str] = []
    found: list[Inspection] = []
    for file in files:
        inside = _masks_in(Path(file))
        classes, colors = manifest.names(Path(file)) if given is None else (given, None)
        if inside and classes is None and (listed := Path(file, "labels.txt")).is_file():
            classes = read_table(listed)
        one = [inspect(path, classes=classes, colors=colors) for path in inside or [Path(file)]]
        found += one
        told.append("\n".join(_summed_up(file, one)) if inside else str(one[0]))
    if as_json:
        click.echo(json.dumps([one.as_dict() for one in found], ensure_ascii=False, indent=1))
    else:
        click.echo(plain("\n\n".join(told)))
    is_wrong = any(one.problems for one in found)
    if not as_json and not is_wrong and len(files) == 1 and Path(files[0], "masks").is_dir():
        _console.then(_console.console(quiet=False), ["train", files[0]])
    return 1 if is_wrong else 0


def _masks_in(folder: Path) -> list[Path]:
    """Return the masks in a folder: those in its folder ``masks`` where it has one."""
    from maskforge.io import scan
    from maskforge.readers.masks.pairing import MASK_SUFFIXES

    if not folder.is_dir():
        return []
    masks = folder / "masks"
    found = scan.find(masks if masks.is_dir() else folder, MASK_SUFFIXES)
    if not found:
        raise ReadError(
            "there must be masks in the folder, but there are none",
            code="unreadable",
            file=str(folder),
            cure="name the folder of the masks",
        )
    return found


def _summed_up(folder: str, found: Sequence[Inspection]) -> Iterator[str]:
    """Yield what is in the masks of a folder, a line each."""
    masks_only = [one for one in found if not _is_photograph(one)]
    yield f"{folder}: {many(len(masks_only), 'mask')}" + (
        f", and {many(len(found) - len(masks_only), 'image')} that are no masks"
        if len(masks_only) < len(found)
        else ""
    )
    forms = Counter(f"{one.format}, mode {one.mode}, {one.bits} bit" for one in found)
    sizes = Counter(f"{one.width}x{one.height}" for one in found)
    for counted in (forms, sizes):
        rest = f", and {len(counted) - MOST} others" if len(counted) > MOST else ""
        yield "  " + "; ".join(f"{what} ({n:,})" for what, n in counted.most_common(MOST)) + rest
    pixels: Counter[tuple[int | str, str]] = Counter()
    masks: Counter[tuple[int | str, str]] = Counter()
    for one in masks_only:
        for value in one.values:
            pixels[value.value, value.name] += value.pixels
            masks[value.value, value.name] += 1
    total = sum(one.width * one.height for one in masks_only) or 1
    shown = sorted(dict(pixels.most_common(VALUES)), key=_place)
    for key in shown:
        share = pixels[key] / total
        count = many(masks[key], "mask")
        yield f"  {key[0]!s:>9} {share:>9.3%}  in {count:<12}  {key[1]}".rstrip()
    if len(pixels) > len(shown):
        yield f"  … and {many(len(pixels) - len(shown), 'value')} more"
    for mark, problems in (
        (
            "!",
            [
                p
                for one in found
                for p in one.problems
                if p.code == _NONE or not _is_photograph(one)
            ],
        ),
        ("·", [note for one in masks_only for note in one.notes]),
    ):
        kinds: dict[str, list[Problem]] = {}
        for problem in problems:
            kinds.setdefault(problem.code, []).append(problem)
        for same in kinds.values():
            first = same[0]
            yield f"  {mark} {many(len(same), 'time')}: {first.file}: {first.message}"
            if first.cure:
                yield f"    → {first.cure}"


def _is_photograph(one: Inspection) -> bool:
    return any(problem.code == _NONE for problem in one.problems)


def _place(key: tuple[int | str, str]) -> tuple[int, int, str]:
    """Return where a value stands: ids by number, colours after them."""
    text = str(key[0])
    return (0, int(text), "") if text.lstrip("-").isdigit() else (1, 0, text)


_NONE = "no-mask"
"""The code of what is said of a photograph: that is all there is to say of it."""

MOST, VALUES = 3, 30
"""Forms and sizes, and values, that are shown of a folder."""


def _check_files(paths: Iterable[str | Path]) -> None:
    """Raise ReadError for what is there, but neither file nor folder: a pipe makes us wait."""
    for path in map(Path, paths):
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise ReadError(
                "there must be a file or folder, but this is a pipe or device",
                code="unreadable",
                file=str(path),
            )
