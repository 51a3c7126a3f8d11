"""YOLO segmentation: a text file for each image, a line for each object, coordinates as fractions.

https://docs.ultralytics.com/datasets/segment/. A folder with ``data.yaml``, or that file: its
``train``, ``val`` and ``test`` are the splits. Or a folder of label files, or one of them; names
are then those of ``classes.txt`` or ``labels.txt`` beside them or above, else the numbers.

Kept: every image; one with an empty label file, or none, is all background. Class k is class k + 1,
since 0 is the background, unless a labels.txt says otherwise. A line of four numbers is a box,
which is left out and told, or filled (``boxes``). Dropped: nothing else.

Fractions are of the upright image, which has pixel (0, 0) at [0, 1) x [0, 1): ultralytics turns
images as their EXIF says. What is read is the shape; ultralytics itself draws it with
``cv2.fillPoly`` on truncated vertices (the rule ``opencv``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from maskforge.errors import GeometryError, Problem, ReadError, many, shorten
from maskforge.io.digests import digest
from maskforge.io.label_lists import Listed
from maskforge.raster.annotation import Annotation, Region, Unread
from maskforge.raster.geometry import Box, Geometry, Polygon, points, ring
from maskforge.readers import _yolo
from maskforge.readers._yolo import Item

TITLE = "YOLO segmentation"
SUFFIXES: tuple[str, ...] = ()
DEFAULT_OUTPUT = "label"
DEFAULT_FILE = None
REGIONS = True
labels = None

_FILL = "maskforge yolo --boxes fill fills them"


@dataclass(frozen=True, slots=True)
class Options:
    """What a user can say about such files."""

    boxes: Literal["skip", "fill"] = field(
        default="skip", metadata={"help": "lines that are a box: leave out, or fill"}
    )


def sniff(path: Path, head: bytes) -> str | None:
    """Return why a folder, or a file with these first bytes, is such a data set, or None."""
    return _yolo.why(path, head)


def read(path: Path, options: Options) -> Iterator[Annotation | Unread | Listed | Problem]:
    """Yield the class table, and the images by split and name, undecoded.

    Raises ReadError, ClassError.
    """
    found = _yolo.opened(path)
    if not found.items:
        raise ReadError(
            "there must be label files, or images that data.yaml names, but there are none",
            code="wrong-format",
            file=str(path),
        )
    names, listed = found.names, found.listed
    if listed is None:
        numbers = sorted(_yolo.numbers(item.labels for item in found.items))
        names = {number: str(number) for number in numbers}
        listed = _yolo.table(names, "the numbers in the label files, plus 1")
    yield listed
    without = [item for item in found.items if not item.labels.is_file()]
    for item in found.items:
        yield Described(item, names, options)
    if without:
        yield Problem(
            "no-mask",
            str(path),
            f"every image should have a label file, but {many(len(without), 'has', 'have')} none, "
            "and are all background",
            without[0].name,
            severity="note",
        )


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """An image of such a set, whose label file is read when its turn comes."""

    item: Item
    names: Mapping[int, str]
    options: Options

    @property
    def name(self) -> str:
        """The image's name."""
        return self.item.name

    @property
    def source(self) -> Path:
        """The label file."""
        return self.item.labels

    @property
    def key(self) -> str:
        """Nothing: the label file is all of it."""
        return ""

    @property
    def place(self) -> str:
        """Where it stands: the label file is all of it."""
        return ""

    @property
    def image(self) -> Path:
        """Where the image should be."""
        return self.item.image

    @property
    def split(self) -> str | None:
        """The split that it is in."""
        return self.item.split

    @property
    def labels(self) -> frozenset[str]:
        """The labels of its regions."""
        found = set()
        for line in _yolo.sound(self.item.labels):
            first, *values = line.split()
            number = _yolo.number_of(first)
            is_drawn = len(values) != 4 or self.options.boxes == "fill"
            if is_drawn and number is not None and number in self.names:
                found.add(self.names[number])
        return frozenset(found)

    def annotation(self) -> Annotation:
        """Decode it. Raises ReadError."""
        path = self.item.labels
        regions: list[Region] = []
        problems: list[Problem] = []
        boxes = 0
        lines = _yolo.lines_of(path)
        for number, line in enumerate(lines, start=1):
            place = f"line {number}"
            try:
                label, shape = _region(line, self.names)
            except GeometryError as error:
                problem = error.problem(file=str(path), place=place)
                is_empty = error.code == "empty-shape"
                problems.append(replace(problem, severity="warning") if is_empty else problem)
                continue
            if isinstance(shape, Box) and self.options.boxes == "skip":
                boxes += 1
                continue
            regions.append(Region(label, (shape,), place=place))
        if boxes and boxes == len(lines):
            raise ReadError(
                f"objects must have polygons, but {many(boxes, 'is a box', 'are boxes')}, and "
                "nothing else is in this image",
                code="no-mask",
                file=str(path),
                cure=_FILL,
            )
        if boxes:
            message = (
                f"objects must have polygons, but {many(boxes, 'is a box', 'are boxes')}: left out"
            )
            problems.append(Problem("no-mask", str(path), message, "", _FILL, "warning"))
        text = repr((sorted(self.names.items()), self.options.boxes, lines))
        return Annotation(
            name=self.name,
            source=path,
            digest=digest(text.encode()),
            regions=tuple(regions),
            image=self.image,
            split=self.split,
            problems=tuple(problems),
            relative=True,
        )


def _region(line: str, names: Mapping[int, str]) -> tuple[str, Geometry]:
    """Return label and geometry of a line. Raises GeometryError."""
    first, *rest = line.split()
    try:
        number, values = _yolo.number_of(first), [float(value) for value in rest]
    except ValueError as error:
        raise GeometryError("a line must be a class and numbers", code="bad-field") from error
    if number is None or number not in names:
        shown = ", ".join(f"{k} {name!r}" for k, name in list(names.items())[:9])
        raise GeometryError(
            f"a class must be one of {shown}, but got {shorten(first, 20)}", code="unknown-label"
        )
    if len(values) == 4:
        x, y, width, height = points([values[:2], values[2:]]).reshape(-1).tolist()
        if width <= 0 or height <= 0:
            raise GeometryError(
                f"a box must have an extent, but got {width:g} x {height:g}", code="empty-shape"
            )
        return names[number], Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    if len(values) % 2 or len(values) < 4:
        raise GeometryError(
            f"a line must have a class and x, y of 3 points or more, or the 4 numbers of a box, "
            f"but has {len(values)} numbers",
            code="bad-field",
        )
    return names[number], Polygon(ring([values[i : i + 2] for i in range(0, len(values), 2)]))
