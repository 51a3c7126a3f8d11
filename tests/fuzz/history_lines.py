"""Commands as a person types them, and where they write."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

SMALL = ("--threads", "1", "--option", "width=4", "--option", "depth=2", "--steps", "1", "--size",
         "full", "--batch", "2", "--no-tensorboard")  # fmt: skip
"""Settings with which a training takes a moment."""


@dataclass(frozen=True)
class Conversion:
    """A conversion. style: of colour masks; more: options that change no name of an output."""

    reader: str
    source: str | None
    format: str
    out: str | None = None
    as_: str | None = None
    layout: str = "pairs"
    style: str | None = None
    more: tuple[str, ...] = ()
    flag: str = ""

    flags = ("--overwrite", "--resume")
    has_manifest = True
    is_comparable = True

    def words(self, *, out: str | None = None, flag: bool = True) -> list[str]:
        """Return what follows ``maskforge``."""
        words = [self.reader, *([self.source] if self.source else [])]
        words += ["--as", self.as_] if self.as_ else []
        words += ["--layout", self.layout] if self.layout != "pairs" else []
        words += ["--style", self.style] if self.style else []
        words += self.more
        target = out or self.out
        words += ["-o", target] if target else []
        return [*words, self.flag] if flag and self.flag else words

    @property
    def is_mission(self) -> bool:
        """Whether it is one of the lines that the project is for."""
        plain = (self.out, self.as_, self.layout, self.more) == (None, None, "pairs", ())
        lines = {("labelme", None), ("via", None), ("ochuman", "purple-yellow")}
        return plain and self.source != "." and (self.reader, self.style) in lines

    @property
    def writer(self) -> str:
        """What is written."""
        by_layout = {"voc": "palette", "labelme": "palette", "article": "color"}
        by_format = {"labelme": "label", "via": "onehot", "ochuman": "color", "masks": "label"}
        return self.as_ or by_layout.get(self.layout) or by_format[self.format]

    @property
    def is_file(self) -> bool:
        """Whether the output is one file with companions, and not a folder."""
        return self.writer == "onehot"

    @property
    def target(self) -> str:
        """The folder or the file that is written, as the help tells it."""
        source = Path(self.source or ".")
        is_dir = self.source is None or not self.source.endswith(".json")
        base = self.format if str(source) == "." else source.name if is_dir else source.stem
        if self.is_file:
            if self.out is None:
                return os.path.normpath(source.parent / f"{base}.npy")
            base = Path.cwd().name if str(source) == "." else base
            return self.out if self.out.endswith(".npy") else f"{self.out}/{base}.npy"
        if self.out is not None:
            return self.out
        tail = (self.style or "purple-yellow") if self.writer == "color" else "masks"
        last = f"{base}-{tail if self.layout == 'pairs' else self.layout}"
        return os.path.normpath(source.parent / last)

    @property
    def key(self) -> str:
        """What the output is known by."""
        return Path(self.target).name if self.is_file else "convert"

    @property
    def kind(self) -> str:
        """What is counted."""
        return self.reader


@dataclass(frozen=True)
class Tool:
    """A command that works on images, masks or networks, and always is told where to write."""

    command: str
    arguments: tuple[str, ...]
    out: str
    more: tuple[str, ...] = ()
    flag: str = ""

    has_manifest = False
    is_mission = False

    def words(self, *, out: str | None = None, flag: bool = True) -> list[str]:
        """Return what follows ``maskforge``."""
        more = () if self.command == "train" and self.flag == "--resume" else self.more
        words = [self.command, *self.arguments, *more, "-o", out or self.out]
        return [*words, self.flag] if flag and self.flag else words

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags that it knows about what stands there."""
        return ("--overwrite",) if self.command == "export" else ("--overwrite", "--resume")

    @property
    def is_file(self) -> bool:
        """Whether the output is one file, and not a folder."""
        return self.command == "export"

    @property
    def is_comparable(self) -> bool:
        """Whether it makes the same bytes each time; a training writes how long it took."""
        return self.command != "train"

    @property
    def target(self) -> str:
        """The folder or the file that is written."""
        return self.out

    @property
    def key(self) -> str:
        """What the output is known by."""
        return Path(self.out).name if self.is_file else self.command

    @property
    def kind(self) -> str:
        """What is counted."""
        return self.command

    @property
    def is_inside(self) -> bool:
        """Whether it writes into one of its sources, where it looks for no images then."""
        target = os.path.realpath(self.out)
        sources = [os.path.realpath(one) for one in self.arguments]
        return any((target + os.sep).startswith(source + os.sep) for source in sources)


Line: TypeAlias = Conversion | Tool


def without_flag(line: Line) -> Line:
    """Return the command without ``--overwrite`` and ``--resume``."""
    return replace(line, flag="")
