"""The lists that several layouts write at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from maskforge.classes import ClassTable


def lines(items: Iterable[str]) -> bytes:
    """Return ``items`` one a line, UTF-8."""
    return "".join(f"{item}\n" for item in items).encode("utf-8", "replace")


def labels(classes: ClassTable) -> dict[str, bytes]:
    """Return labels.txt."""
    return {"labels.txt": classes.to_text().encode("utf-8", "replace")}


def splits(stems: Mapping[str, list[str]]) -> dict[str, bytes]:
    """Return train.txt, val.txt …: the stems of each split; nothing when there is no split."""
    return {f"{split}.txt": lines(stems[split]) for split in sorted(stems) if split != "all"}
