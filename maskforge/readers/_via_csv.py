"""VIA 1 and VIA 2 CSV: one row a region, or one row for an image without regions.

The shape and the attributes are JSON inside the CSV's quotes. VIA does not quote file names, so a
comma in one moves the columns; they are counted from the right then.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import msgspec

from maskforge.errors import Problem, ReadError
from maskforge.readers import _json
from maskforge.readers._names import shorten
from maskforge.readers._via_entry import Entry, Project, RawRegion, problem_at

NAME, SIZE, COUNT = "filename", "file_size", "region_count"
SHAPE, ATTRIBUTES = "region_shape_attributes", "region_attributes"


class _Image:
    """The rows of one image, as they come."""

    def __init__(self, filename: str, place: str) -> None:
        self.filename = filename
        self.place = place
        self.count = ""
        self.regions: list[RawRegion] = []
        self.content: list[msgspec.Raw] = []
        self.failure: Problem | None = None

    def add(self, row: dict[str, str], *, place: str, file: str) -> None:
        """Take one row's region; the first one that cannot be read spoils the image."""
        self.count = row[COUNT]
        shape = row[SHAPE].strip()
        if shape in ("", "{}"):
            return
        said = row[ATTRIBUTES].strip()
        raw = msgspec.Raw(_UNDEFINED.sub(r"\1null", said or "{}").encode())
        try:
            attributes = _json.load(raw, dict[str, object], file=file)
        except ReadError as error:
            self.failure = self.failure or problem_at(error, f"{place}, {ATTRIBUTES}", file=file)
            return
        self.regions.append(RawRegion(place, msgspec.Raw(shape.encode()), attributes))
        self.content += (self.regions[-1].shape, raw)

    def entry(self, *, file: str) -> Entry | Problem:
        """Return the image, once its last row is in."""
        if self.failure is not None:
            return self.failure
        problems: tuple[Problem, ...] = ()
        count = str(len(self.regions))
        if self.count.isdecimal() and (self.count.lstrip("0") or "0") != count:
            message = f"{COUNT} is {shorten(self.count)}, but there are {count} regions"
            cure = "if no rows were deleted on purpose, save the file in VIA again"
            problems = (Problem("bad-field", file, message, self.place, cure, "warning"),)
        return Entry(
            filename=self.filename,
            place=self.place,
            prefix="",
            regions=tuple(self.regions),
            content=tuple(self.content),
            references=(self.filename,),
            problems=problems,
        )


_UNDEFINED = re.compile(r'("[^"\\]*"\s*:\s*)undefined\b')
"""What VIA writes for an attribute without a value, which is no JSON."""


def is_header(line: str) -> bool:
    """Tell whether ``line`` is the first line of VIA's CSV."""
    return NAME in line and SHAPE in line and ATTRIBUTES in line.replace(SHAPE, "")


def read_csv(text: str, *, file: str) -> Project:
    """Return the images of a CSV file, in the order of their first rows.

    Raises ReadError (not-csv) when the table itself cannot be read.
    """
    images: dict[tuple[str, str], _Image] = {}
    for line, row in _rows(text):
        place = f"line {line}"
        key = (row[NAME], row[SIZE])
        if key not in images:
            images[key] = _Image(row[NAME], place)
        images[key].add(row, place=place, file=file)
    return Project([image.entry(file=file) for image in images.values()])


def _rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of each row's last line, and the row's columns by name."""
    delimiter = max(",;\t", key=text.lstrip().partition("\n")[0].count)
    # No field is longer than the file, which is in memory already.
    old_limit = csv.field_size_limit(max(len(text), 1))
    table = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [(table.line_num, row) for row in table if row]
    except csv.Error as error:
        raise ReadError(
            f"must be the CSV that VIA writes, but {error}",
            code="not-csv",
            place=f"line {table.line_num}",
        ) from error
    finally:
        csv.field_size_limit(old_limit)
    header = [name.strip().lstrip("#") for name in rows[0][1]] if rows else []
    missing = [name for name in (NAME, SHAPE, ATTRIBUTES) if name not in header]
    if missing:
        raise ReadError(
            f"the header must name {NAME}, {SHAPE} and {ATTRIBUTES}, but it lacks {missing}",
            code="not-csv",
            place="line 1",
            cure="of VIA 3, give the project's JSON: its CSV has other columns",
        )
    for line, row in rows[1:]:
        yield line, _by_name(header, row, line=line, delimiter=delimiter)


def _by_name(header: list[str], row: list[str], *, line: int, delimiter: str) -> dict[str, str]:
    surplus = len(row) - len(header)
    if surplus > 0 and header[0] == NAME:
        row = [delimiter.join(row[: surplus + 1]), *row[surplus + 1 :]]
    if len(row) != len(header):
        raise ReadError(
            f"a row must have {len(header)} columns, but got {len(row)}",
            code="not-csv",
            place=f"line {line}",
            cure="the file may be cut off: save it in VIA again",
        )
    return {SIZE: "", COUNT: "", **dict(zip(header, row, strict=True))}
