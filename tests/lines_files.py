"""A format of lines, made for tests of what a conversion does before it converts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from strategies import region

from maskforge.conversion import sources as inputs
from maskforge.errors import Problem, ReadError
from maskforge.raster.annotation import Annotation


@dataclass(frozen=True)
class Options:
    pass


def reader(*, many: bool, default: str | None = None) -> ModuleType:
    """A format of lines: an image name, then its labels; 'bad' is a problem, 'broken' raises.

    A label with a minus is that of a region that covers nothing and is left out with a warning.
    """
    made = ModuleType("reader")
    made.SUFFIXES = (".lines",)
    made.DEFAULT_FILE = default
    made.REGIONS = True
    made.sniff = lambda path, head: "begins with lines" if head.startswith(b"lines") else None

    def read(path: Path, options: object) -> Iterator[Annotation | Problem]:
        for line in path.read_text().splitlines()[1:]:
            name, *labels = line.split()
            if name == "bad":
                yield Problem("bad-field", str(path), "bad line")
            elif name == "broken":
                raise ReadError("broken line")
            else:
                regions = tuple(region(label) for label in labels if label[0] != "-")
                warnings = tuple(
                    Problem("empty-shape", str(path), x) for x in labels if x[0] == "-"
                )
                yield Annotation(name, path, "", regions, place=line, problems=warnings)

    def labels(path: Path, options: object) -> set[str]:
        lines = path.read_text().splitlines()[1:]
        if "broken" in lines:
            raise ReadError("broken line")
        return {label.lstrip("-") for line in lines for label in line.split()[1:]}

    made.read, made.labels = read, None if many else labels
    return made


def lay(folder: Path, texts: dict[str, str]) -> Path:
    """Write ``texts`` into files below ``folder``, which is returned."""
    for name, text in texts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return lay(
        tmp_path,
        {
            "b/one.lines": "lines\nx/p.jpg cat\nq.png dog\n",
            "b/two.lines": "other\nr.png cow\n",
            "a.lines": "lines\np.jpg cat\nbad\np.png cat\n",
            "note.txt": "lines\n",
        },
    )


def planned(tree: Path, module: ModuleType) -> inputs.Planned:
    return inputs.plan(inputs.find([tree], module), module, Options(), root=tree)
