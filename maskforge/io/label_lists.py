"""Lists of labels in files, and where the class table of a conversion comes from.

One parser reads them all: ``labels.txt`` and its like, a name a line; ``class_names.txt`` and
``classes.txt``, where the line is the id, from 0; ``labelmap.txt`` of CVAT, ``class_dict.csv`` with
colours, ``names`` in a trainer's YAML, ``categories`` in COCO's JSON. Names may carry their ids
(``0:sky``). The text may be in any encoding that a person's editor writes.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

from maskforge.classes import BACKGROUND, HIGHEST_ID, ClassTable, Color, Parsed, parse
from maskforge.errors import ClassError, ReadError, many
from maskforge.io.ownership import Owned
from maskforge.labels import stem

Labels: TypeAlias = ClassTable | Sequence[str] | str | PathLike[str] | None
"""A class table, its names, the file that lists them, or None to look for labels.txt."""

_MOST_SHOWN = 5
"""Labels that are told with their places."""

COLLECTED = "collected from the input"

Found: TypeAlias = Callable[[], Mapping[str, int]]
"""Returns the labels of the input, and how many images have them; called only where they matter,
since it reads every file."""

Places: TypeAlias = Callable[[Set[str]], Mapping[str, Sequence[str]]]
"""Returns where regions have certain labels; it reads every file."""

BY_LINE = ("class_names.txt", "classes.txt", "label_names.txt", "labelmap.txt")
"""Files in which the line is the id."""

FILES = ("labels.txt", *BY_LINE)
"""Files beside masks that name their classes, the first that is there."""

MOST_BYTES = 1 << 24
"""A list of labels is no larger: 65,535 names of 256 bytes."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A class table, and in words where it comes from. implied: its list does not speak of id 0."""

    classes: ClassTable
    origin: str
    implied: bool = False


# Where the classes of a conversion come from


def find_table(
    sources: Sequence[Path], own: Listed | None, found: Found, *, files: Iterable[Path] = ()
) -> Listed:
    """Return the class table of a conversion for which the user named none.

    That of labels.txt beside a source, or beside a file of our own that it is called after, else
    ``own``, what the sources themselves bring, else that
    of labels.txt in the current folder, else all labels that occur. The one in the current folder
    counts only when it lists a label of the input: where one works on several projects it may be
    that of another. files: of many images, which the sources stand for.
    """
    for folder in dict.fromkeys(s if s.is_dir() else s.parent for s in sources):
        path = folder / "labels.txt"
        if path.is_file():
            return read(path)
    for source in dict.fromkeys((*(one for one in sources if one.is_file()), *files)):
        path = source.with_suffix(".labels.txt")
        # Beside a file that somebody else made it is a list that a run before has collected.
        if path.is_file() and Owned(source.parent, source.name).exists:
            return read(path)
    if own is not None:
        return own
    here = Path("labels.txt")
    origin = COLLECTED
    if here.is_file():
        listed = read(here)
        if {name for name in listed.classes.names if name != BACKGROUND} & found().keys():
            return listed
        origin += "; labels.txt in the current folder lists none of its labels"
    return Listed(ClassTable.collect(found()), origin)


def merged(tables: Sequence[Listed]) -> Listed:
    """Return one table for files that bring their own. Raises ClassError where they contradict."""
    if len({listed.classes for listed in tables}) == 1:
        return tables[0]
    by_id: dict[int, str] = {}
    for listed in tables:
        for number, name in zip(listed.classes.ids, listed.classes.names, strict=True):
            other = by_id.setdefault(number, name)
            if other != name:
                raise _contradiction(listed, f"id {number} is {other!r} and {name!r}")
    if len(set(by_id.values())) < len(by_id):
        twice = next(name for name in by_id.values() if list(by_id.values()).count(name) > 1)
        raise _contradiction(tables[-1], f"{twice!r} has several ids")
    origins = list(dict.fromkeys(listed.origin for listed in tables))
    more = f" and {len(origins) - 1} more" if len(origins) > 1 else ""
    return Listed(ClassTable.of(by_id), origins[0] + more)


def only(tables: Sequence[Listed]) -> Listed:
    """Return the table that all sources share. Raises ClassError where they have others."""
    for listed in tables[1:]:
        if listed.classes != tables[0].classes:
            one, other = (", ".join(t.classes.names) for t in (tables[0], listed))
            raise _contradiction(listed, f"there are {one} and {other}")
    return tables[0]


def _contradiction(listed: Listed, what: str) -> ClassError:
    return ClassError(
        f"all sources must mean the same classes, but with {listed.origin} {what}",
        cure="name the classes of all with --labels, or convert one after the other",
    )


def check_labels(listed: Listed, found: Found, places: Places) -> None:
    """Raise ClassError, once and before anything is written, for all labels the table lacks.

    One such as ``bus-1`` is not lacking where ``bus`` is there.
    """
    classes, origin = listed.classes, listed.origin
    if origin.startswith(COLLECTED):
        return
    strangers = sorted(
        label for label in found() if label not in classes and stem(label) not in classes
    )
    if strangers:
        shown = places(set(strangers[:_MOST_SHOWN]))
        names = ", ".join(_met(label, shown[label]) for label in strangers[:_MOST_SHOWN])
        if others := strangers[_MOST_SHOWN:]:
            more = ", ".join(map(repr, others[:20])) + (" …" if len(others) > 20 else "")
            names += f" and {more}"
        cure = classes.hint(strangers)
        if origin != "given":
            cure += f"; the classes came from {origin}: choose others with --labels"
        known = ", ".join(name for name in classes.names if name != BACKGROUND)
        raise ClassError(
            f"every label must be in the class table ({known}), but the input also has {names}",
            cure=cure,
        )


def _met(label: str, places: Sequence[str]) -> str:
    """Return a label with how often it was met, and where: the first place in three files."""
    first: dict[str, str] = {}
    for place in places:
        first.setdefault(place.rpartition(": ")[0], place)
    if not first:
        return repr(label)
    shown = "; ".join(list(first.values())[:3]) + ("; …" if len(first) > 3 else "")
    times = f"{len(places)} regions in {many(len(first), 'file')}" if len(places) > 1 else "once"
    return f"{label!r} ({times}: {shown})"


# Lists


def given(labels: Labels) -> Listed | None:
    """Return the table that the user gave, None for none. Raises ReadError, ClassError."""
    if labels is None:
        return None
    if isinstance(labels, ClassTable):
        return Listed(labels, "given")
    if isinstance(labels, str | PathLike):
        path = Path(labels)
        if path.is_file():
            return read(path)
        if not isinstance(labels, str) or path.suffix.lower() in _SUFFIXES:
            raise ReadError("the list of labels must exist", code="unreadable", file=str(path))
        labels = labels.split(",")
    parsed = parse(labels)
    return Listed(parsed.classes, "given", parsed.implied)


def beside(folder: Path) -> Listed | None:
    """Return the table in the file that lies in ``folder``, None where none does."""
    for name in FILES:
        if (folder / name).is_file():
            return read(folder / name)
    return None


def read_table(path: Path) -> ClassTable:
    """Return the class table in the file ``path``. Raises ReadError, ClassError."""
    return read(path).classes


def read(path: Path) -> Listed:
    """Return the table in the file ``path``, and what else its list says.

    Raises ReadError, ClassError.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ReadError(
            f"the list of labels cannot be read: {error.strerror or error}",
            code="unreadable",
            file=str(path),
        ) from error
    try:
        if len(data) > MOST_BYTES:
            raise ClassError(f"a list of labels must have at most {MOST_BYTES} bytes")
        text = decode(data)
        if "\0" in text:
            raise ClassError("a list of labels must be text")
        parsed = _parsed(path, text)
    except ClassError as error:
        raise ClassError(error.message, code=error.code, file=str(path), cure=error.cure) from error
    return Listed(parsed.classes, str(path), parsed.implied)


def _parsed(path: Path, text: str) -> Parsed:
    suffix = path.suffix.lower()
    if suffix == ".json":
        return _of_json(text)
    if suffix in (".yaml", ".yml"):
        return _of_yaml(text)
    lines = [line for line in text.splitlines() if line.strip() and not _COMMENT.match(line)]
    if suffix == ".csv":
        return _of_csv(lines)
    if any(_CVAT.fullmatch(line.strip()) for line in lines):
        return _of_cvat(lines)
    lines = [_TABBED.sub(r"\1:", line) for line in lines]
    return parse(lines, by_line=path.name.casefold() in BY_LINE)


_COMMENT = re.compile(r"\s*#")
_TABBED = re.compile(r"\s*(\d{1,5})\t+\s*(?=\S)")
_SUFFIXES = (".txt", ".json", ".yaml", ".yml", ".csv")
_CVAT = re.compile(r"([^:#][^:]*):(\d{1,3},\d{1,3},\d{1,3})?:[^:]*:[^:]*")


def _of_cvat(lines: Iterable[str]) -> Parsed:
    """Read ``name:red,green,blue:parts:actions``, a class a line."""
    rows = [match for line in lines if (match := _CVAT.fullmatch(line.strip())) is not None]
    colors = [_color(row[2].split(",")) for row in rows if row[2]]
    return parse([row[1] for row in rows], by_line=True, colors=colors)


def _of_csv(lines: Sequence[str]) -> Parsed:
    """Read ``name,r,g,b``, a class a line below a heading."""
    rows = [[cell.strip() for cell in line.split(",")] for line in lines]
    rows = [row for row in rows if len(row) == 4 and all(cell.isdigit() for cell in row[1:])]
    if not rows:
        raise ClassError("a list of labels in CSV must have lines: name,red,green,blue")
    return parse([row[0] for row in rows], by_line=True, colors=[_color(row[1:]) for row in rows])


def _color(cells: Sequence[str]) -> Color:
    red, green, blue = (min(255, int(cell)) for cell in cells)
    return red, green, blue


def _of_json(text: str) -> Parsed:
    """Read ``categories`` of COCO, a list of them, a list of names, or names by number."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ClassError(f"a list of labels in JSON must be JSON, but: {error}") from error
    if isinstance(content, dict) and isinstance(content.get("categories"), list):
        content = content["categories"]
    if isinstance(content, list) and content and all(isinstance(x, str) for x in content):
        return parse(content, by_line=True)
    if isinstance(content, list) and all(isinstance(x, dict) for x in content):
        content = {str(x.get("id")): x.get("name") for x in content}
    if not isinstance(content, dict) or not content:
        raise ClassError("a list of labels in JSON must have names, or categories of id and name")
    return _by_number({str(k): v for k, v in content.items()})


def _by_number(names: dict[str, Any]) -> Parsed:
    for number, name in names.items():
        if not number.isdigit() or int(number) > HIGHEST_ID or not isinstance(name, str):
            raise ClassError(
                f"a class must have a name and an id of 0 … {HIGHEST_ID}, "
                f"but got {name!r} and {number!r}"
            )
    ordered = sorted(names.items(), key=lambda item: int(item[0]))
    return parse([f"{number}:{name}" for number, name in ordered])


def _of_yaml(text: str) -> Parsed:
    """Read ``names`` of a trainer's YAML: a list in brackets, or a block with dashes or numbers."""
    lines = [_uncommented(line) for line in text.splitlines()]
    at = next((i for i, line in enumerate(lines) if re.match(r"names\s*:", line)), None)
    if at is None:
        raise ClassError("a list of labels in YAML must have names:")
    inline = lines[at].partition(":")[2].strip()
    block = list(_block(lines[at + 1 :]))
    if inline.startswith(("[", "{")):
        whole = " ".join([inline, *block])
        inside = whole[1 : whole.find("]" if whole[0] == "[" else "}")]
        block = [part.strip() for part in inside.split(",") if part.strip()]
    if not block:
        raise ClassError("names: in YAML must list the classes")
    if all(re.match(r"\d+\s*:", line) for line in block):
        pairs = (line.partition(":") for line in block)
        return _by_number({number.strip(): _bare(name) for number, _, name in pairs})
    return parse([_bare(line.removeprefix("-")) for line in block], by_line=True)


_UNCOMMENTED = re.compile(r'(?:"(?:[^"\\]|\\.)*(?:"|$)|(?! #).)*')


def _uncommented(line: str) -> str:
    """Return what is before a comment, which begins with `` #`` outside of double quotes."""
    found = _UNCOMMENTED.match(line)
    return found[0].rstrip() if found is not None else ""


def _block(lines: Iterable[str]) -> Iterable[str]:
    """Yield what belongs to a key: what is indented, or begins with a dash, below it."""
    for line in lines:
        if line and not line.startswith((" ", "-", "\t", "]", "}")):
            return
        if line.strip():
            yield line.strip()


def _bare(text: str) -> str:
    """Return a YAML text without its quotes."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))  # escapes are those of JSON, nearly all of them
        except ValueError:
            return text[1:-1]
    is_quoted = len(text) > 1 and text[0] == text[-1] == "'"
    return text[1:-1].replace("''", "'") if is_quoted else text


# Encodings


_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode(data: bytes) -> str:
    """Return the text of a file as an editor saved it. Raises ClassError.

    UTF-8, or with a mark at the beginning UTF-16 or UTF-32; else, where two bytes a character make
    Chinese of all that is no ASCII, GB 18030, else the Western code page of Windows.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(name)
            except UnicodeDecodeError as error:
                raise ClassError(
                    f"the text must be {name}, as its mark says, but: {error}"
                ) from error
    if len(data) > 3 and data[1::2].count(0) * 4 > len(data):
        return data.decode("utf-16-le", "replace")  # without its mark
    for name in ("utf-8", *(("gb18030",) if _is_in_pairs(data) else ()), "cp1252"):
        try:
            return data.decode(name)
        except UnicodeDecodeError:
            continue
    raise ClassError("the list of labels must be text", cure="save it as UTF-8")


def _is_in_pairs(data: bytes) -> bool:
    """Tell whether bytes above 0xa0 stand in pairs only, as the characters of GB 2312 do."""
    return all(len(run) % 2 == 0 and min(run) > 0xA0 for run in re.findall(rb"[\x80-\xff]+", data))
