"""Lists that say which examples are for training and which are held back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from maskforge.errors import Problem, ReadError
from maskforge.readers.masks.dataset import Example
from maskforge.readers.masks.naming import SPLITS
from maskforge.readers.masks.pairing import MASK_SUFFIXES, unique_keys

_FOLDERS = ("", "ImageSets/Segmentation", "ImageSets", "splits", "lists")


def by_lists(
    examples: Sequence[Example], root: Path
) -> tuple[list[Example], list[str], list[Problem]]:
    """Return the examples in the splits that the lists below ``root`` give them, notes, problems.

    ``train.txt``, ``val.txt``, ``test.txt``, ``trainval.txt`` hold a name a line, or a line of
    paths that begins with the image's. Without lists nothing changes; with them, what none of
    them names is left out.
    """
    lists = _lists(root)
    if not lists:
        return list(examples), [], []
    names = _Finder(examples)
    chosen: dict[str, Example] = {}
    problems: list[Problem] = []
    for split, path in lists:
        for number, line in enumerate(_lines(path), start=1):
            example = names.find(line)
            if line and example is None:
                message = (
                    f"the list names {line[:80]!r}, of which there are not both image and mask"
                )
                problems.append(
                    Problem("no-image", str(path), message, f"line {number}", "", "warning")
                )
            elif (
                example is not None
                and chosen.setdefault(example.name, replace(example, split=split)).split != split
            ):
                message = f"{example.name!r} is in the list of another split too"
                problems.append(
                    Problem("name-collision", str(path), message, f"line {number}", "", "warning")
                )
    notes = [f"split: {', '.join(path.relative_to(root).as_posix() for _, path in lists)}"]
    if len(chosen) < len(examples):
        notes.append(f"{len(examples) - len(chosen)} pairs are in no list and were left out")
    return list(chosen.values()), notes, problems


class _Finder:
    """Finds examples by what lists call them: a stem, a file name, a path."""

    def __init__(self, examples: Iterable[Example]) -> None:
        by_name = {example.name: example for example in examples}
        self._exact = by_name
        lasts = unique_keys(by_name, lambda name: name.rpartition("/")[2])
        self._last = {last: by_name[name] for last, name in lasts.items()}

    def find(self, line: str) -> Example | None:
        for text in (line, line.split()[0] if line.split() else ""):
            stem = _stem(text.replace("\\", "/"))
            for name in (text, stem):
                found = self._exact.get(name) or self._last.get(name.rpartition("/")[2])
                if found is not None:
                    return found
        return None


def _lists(root: Path) -> list[tuple[str | None, Path]]:
    """Return the lists of the first folder that has some, with their splits."""
    for folder in _FOLDERS:
        found = [
            (split, root / folder / f"{name}.txt")
            for name, split in SPLITS.items()
            if (root / folder / f"{name}.txt").is_file()
        ]
        if found:
            return list(found)
        if (root / folder / "trainval.txt").is_file():
            return [(None, root / folder / "trainval.txt")]
    return []


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(
            f"the list must be UTF-8 text, but: {error}", code="unreadable", file=str(path)
        ) from error
    return [line.strip() for line in text.splitlines()]


def _stem(text: str) -> str:
    suffix = Path(text).suffix.lower()
    return text[: -len(suffix)] if suffix in MASK_SUFFIXES else text
