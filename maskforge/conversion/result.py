"""What a conversion came to: counts, classes and problems, for terminal, notebook or machine."""

from __future__ import annotations

import base64
import html
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from maskforge.classes import IGNORE, ClassTable
from maskforge.conversion.account import Account
from maskforge.errors import Problem
from maskforge.palette import display_index, display_palette

_THUMBNAILS, _THUMBNAIL = 6, (240, 240)
"""How many previews a notebook shows, and their size at most."""


@dataclass(frozen=True, slots=True)
class ClassCount:
    """One row of the table: a class and how much of it the masks hold.

    color: RGB, as previews show the class.
    """

    id: int
    name: str
    color: tuple[int, int, int]
    images: int
    pixels: int
    share: float


@dataclass(frozen=True, eq=False)
class Conversion:
    """The result of :func:`maskforge.convert`; iterates over its records.

    out: the folder, or the file of a one-hot dictionary. records: one per converted image, as in
    the manifest. classes_from: in words, where the class table came from. failed: images or files
    that were not converted. kept: images that an earlier run had done. copied: bytes of images that
    take room of their own in the output. left: files of an earlier output that had to stay, since
    they were changed, or nobody else has the image any more. aside: images whose place was needed,
    and where they were moved to, for the same reason. listed: the file that lists the problems,
    None where this run wrote none. account: what came in, and what became of it.
    """

    out: Path
    manifest: Path
    reader: str
    reason: str
    writer: str
    classes: ClassTable
    classes_from: str
    records: Sequence[dict[str, Any]]
    problems: tuple[Problem, ...]
    kept: int
    failed: int
    copied: int = 0
    left: tuple[str, ...] = ()
    aside: tuple[tuple[str, str], ...] = ()
    listed: Path | None = None
    account: Account = field(default_factory=Account)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the records, one for each converted image."""
        return iter(self.records)

    def __repr__(self) -> str:
        return f"<Conversion: {self}>"

    @property
    def converted(self) -> int:
        """Images that have a mask now."""
        return len(self.records)

    @property
    def exit_code(self) -> int:
        """0 clean, 1 finished with problems in the data, 3 nothing could be read."""
        if not self.records:
            return 3
        return 1 if any(problem.severity != "note" for problem in self.problems) else 0

    def class_counts(self) -> list[ClassCount]:
        """Return a row for each class of the table, and for the ignore index where it occurs."""
        pixels: Counter[int] = Counter()
        images: Counter[int] = Counter()
        for record in self.records:
            for class_id, count in record["pixels"].items():
                pixels[int(class_id)] += count
                images[int(class_id)] += 1
        total = sum(pixels.values()) or 1
        names = dict(zip(self.classes.ids, self.classes.names, strict=True))
        if pixels[self.classes.ignore_index]:
            names[self.classes.ignore_index] = IGNORE
        return [
            ClassCount(i, name, _color(i, self.classes), images[i], pixels[i], pixels[i] / total)
            for i, name in names.items()
        ]

    def contested(self) -> dict[tuple[str, str], int]:
        """Return the pixels two classes claimed: {(name on top, name below): pixels}."""
        counts: Counter[tuple[str, str]] = Counter()
        for record in self.records:
            for pair, pixels in record["contested"].items():
                top, below = (self.classes.name_of(int(i)) for i in pair.split(">"))
                counts[top, below] += pixels
        return dict(counts.most_common())

    def as_dict(self) -> dict[str, Any]:
        """Return the result for JSON."""
        return {
            "out": str(self.out),
            "manifest": str(self.manifest),
            "format": self.reader,
            "reason": self.reason,
            "as": self.writer,
            "classes_from": self.classes_from,
            "classes": [
                {
                    "id": c.id,
                    "name": c.name,
                    "images": c.images,
                    "pixels": c.pixels,
                    "share": c.share,
                }
                for c in self.class_counts()
            ],
            "contested": [
                {"top": top, "below": below, "pixels": pixels}
                for (top, below), pixels in self.contested().items()
            ],
            "converted": self.converted,
            "account": asdict(self.account),
            "kept": self.kept,
            "failed": self.failed,
            "copied_bytes": self.copied,
            "left": list(self.left),
            "aside": dict(self.aside),
            "problems": [problem.as_dict() for problem in self.problems],
            "exit_code": self.exit_code,
        }

    def __str__(self) -> str:
        what = f"{self.converted} image{'' if self.converted == 1 else 's'} converted"
        more = [f"{self.kept} of them by an earlier run"] if self.kept else []
        more += [f"{self.failed} failed"] if self.failed else []
        wrong = sum(problem.severity != "note" for problem in self.problems)
        more += [f"{wrong} problem{'' if wrong == 1 else 's'}"] if wrong else []
        return ", ".join([what, *more]) + (f" → {self.out}" if self.converted else "")

    def _repr_html_(self) -> str:
        """Show the result in a notebook: previews, the class table, and the problems."""
        rows = "".join(
            f"<tr><td>{c.id}</td><td><span style='display:inline-block;width:1em;height:1em;"
            f"background:rgb{c.color}'></span> {html.escape(c.name)}</td>"
            f"<td>{c.images}</td><td>{c.pixels:,}</td><td>{c.share:.2%}</td></tr>"
            for c in self.class_counts()
        )
        head = "".join(f"<th>{t}</th>" for t in ("id", "class", "images", "pixels", "share"))
        problems = "".join(f"<li>{html.escape(str(p))}</li>" for p in self.problems[:20])
        rest = len(self.problems) - 20
        more = f"<li>… and {rest} more</li>" if rest > 0 else ""
        listed = f"<ul>{problems}{more}</ul>" if problems else ""
        shown = "".join(self._thumbnails())
        told = f"<p>{html.escape(str(self))}</p>{shown and f'<p>{shown}</p>'}"
        return f"{told}<table><tr>{head}</tr>{rows}</table>{listed}"

    def _thumbnails(self) -> Iterator[str]:
        """Yield the first previews, small, each as an element that needs no file."""
        from PIL import Image  # only where somebody looks

        folder = self.manifest.parent
        names = (record.get("preview") for record in self.records[:_THUMBNAILS])
        for name in filter(None, names):
            file = io.BytesIO()
            with suppress(OSError), Image.open(folder / name) as preview:  # it may be gone
                preview.thumbnail(_THUMBNAIL)
                preview.convert("RGB").save(file, "JPEG", quality=80)
            if data := file.getvalue():
                source = f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
                yield f"<img src='{source}' title='{html.escape(name)}' style='margin:2px'>"


def _color(class_id: int, classes: ClassTable) -> tuple[int, int, int]:
    if class_id == classes.ignore_index:
        return 176, 179, 186  # as previews show it
    red, green, blue = display_palette()[display_index(class_id, classes.background)].tolist()
    return red, green, blue
