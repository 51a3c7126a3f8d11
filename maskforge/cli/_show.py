"""The result of a conversion on a terminal: classes, problems, and what to open."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from maskforge.cli import _console, _sources
from maskforge.cli._console import escape
from maskforge.conversion.result import Conversion
from maskforge.errors import Problem, many
from maskforge.labels import name_of_class

ROWS = 30
"""Classes up to which those are shown that do not occur."""

_LEARNT = ("label", "palette", "onehot", "color")
"""Kinds of masks that a network is trained on as they are."""

MOST = 4
"""Problems of one code shown without --verbose."""


def show(result: Conversion, *, found_by_content: bool, verbose: bool) -> None:
    """Print the result to standard error, so that standard output stays for machines."""
    console = _console.console(quiet=False)
    if found_by_content:
        console.print(f"format: {result.reader} [dim]({escape(result.reason)})[/]")
    if result.records:
        console.print(_classes(result))
        for (top, below), pixels in list(result.contested().items())[:6]:
            console.print(
                f"[dim]overlap: {escape(top)} lies over {escape(below)} on "
                f"{many(pixels, 'pixel')}[/]"
            )
    if result.records:
        for line in result.account.lines():
            console.print(f"[dim]{escape(line)}[/]")
    _problems(console, result.problems, verbose=verbose)
    style = "bold" if result.records else "bold red"
    console.print(f"[{style}]{escape(str(result))}[/]")
    for line in [*_what_was_kept(result), *_what_to_open(result)]:
        console.print(line)
    if result.listed is not None:
        console.print(f"problems: {escape(str(result.listed))}")
    if result.records and result.writer in _LEARNT:
        _console.then(console, ["train", str(result.out)])


def show_errors(result: Conversion, *, verbose: bool) -> None:
    """Print what was not converted, and why."""
    console = _console.console(quiet=False)
    errors = [problem for problem in result.problems if problem.severity == "error"]
    _problems(console, errors, verbose=verbose)
    if not result.records:
        console.print(f"[bold red]{escape(str(result))}[/]")


def _classes(result: Conversion) -> Table:
    table = Table(title=f"classes: {escape(result.classes_from)}", title_justify="left", box=None)
    for name, side in (
        ("id", "right"),
        ("class", "left"),
        ("images", "right"),
        ("pixels", "right"),
        ("share", "right"),
    ):
        table.add_column(name, justify="right" if side == "right" else "left", header_style="dim")
    rows = result.class_counts()
    absent = [row for row in rows if not row.pixels]
    if len(rows) > ROWS:
        rows = [row for row in rows if row.pixels]
    for row in rows:
        red, green, blue = row.color
        swatch = f"[rgb({red},{green},{blue})]██[/] "
        dim = "" if row.pixels else "[yellow]"
        table.add_row(
            str(row.id),
            f"{swatch}{dim}{escape(name_of_class(row.name))}",
            f"{row.images:,}",
            f"{row.pixels:,}",
            f"{row.share:.2%}",
        )
    if len(rows) + len(absent) > ROWS:
        table.caption = f"and {len(absent)} more, which no image shows"
        table.caption_justify = "left"
    return table


def _problems(console: Console, problems: Sequence[Problem], *, verbose: bool) -> None:
    """Print the problems, by code; of each code only the first few without ``verbose``."""
    by_code: dict[str, list[Problem]] = {}
    for problem in problems:
        by_code.setdefault(problem.code, []).append(problem)
    for code, found in by_code.items():
        color = "red" if any(p.severity == "error" for p in found) else "yellow"
        shown = found if verbose else found[:MOST]
        cures = dict.fromkeys(filter(None, map(_sources.cure_of, shown)))
        for problem in shown:
            where = f"{problem.file}: {problem.place}" if problem.place else problem.file
            console.print(f"[{color}]{code}[/] {escape(where)}: {escape(problem.message)}")
        if len(shown) < len(found):
            console.print(
                f"[{color}]{code}[/] … and {len(found) - len(shown)} more (-v lists them)"
            )
        for cure in cures:
            console.print(f"    [dim]→ {escape(cure)}[/]")


def _what_was_kept(result: Conversion) -> list[str]:
    """Say what room the images take, and which files of an earlier output could not go."""
    lines = []
    if result.copied:
        lines.append(
            f"images copied: {result.copied / 1e6:,.1f} MB (--images link or none takes no room)"
        )
    if result.left:
        shown = ", ".join(result.left[:4]) + (" …" if len(result.left) > 4 else "")
        lines.append(
            f"[yellow]left in place[/]: {many(len(result.left), 'file')} of the earlier "
            f"output, changed since, or with an original that is gone or changed: {escape(shown)}"
        )
    lines += [
        f"[yellow]set aside[/]: {escape(name)} → {escape(where)}, as nobody else has it any more"
        for name, where in result.aside[:MOST]
    ]
    if len(result.aside) > MOST:
        lines.append(f"[yellow]set aside[/]: … and {len(result.aside) - MOST} more")
    return lines


def _what_to_open(result: Conversion) -> list[str]:
    if not result.records:
        return []
    lines = []
    preview = next((r["preview"] for r in result.records if r.get("preview")), None)
    if preview is not None:
        folder = result.manifest.parent / preview.split("/")[0]
        sheets = (folder.with_name(f"{folder.name}.jpg"), folder.with_name("previews.jpg"))
        place = next((str(sheet) for sheet in sheets if sheet.is_file()), f"{folder}/")
        if result.writer in ("label", "onehot", "instance", "npy"):
            lines.append(
                f"label PNGs hold class ids and look black: open {escape(place)}"
                if result.writer == "label"
                else f"to look at: {escape(place)}"
            )
        else:
            lines.append(f"to look at: {escape(place)}")
    elif result.writer == "label":
        lines.append(
            "label PNGs hold class ids and look black: maskforge inspect says what is in one"
        )
    return lines
