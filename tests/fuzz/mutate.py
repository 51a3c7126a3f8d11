"""Damage to annotation files at four levels: bytes, structure, numbers, types.

All that happens is decided by the generator that is passed in, so that a case can be made again
from its seed.
"""

from __future__ import annotations

import copy
import csv
import io
import json
import random
import re
from collections.abc import Callable
from typing import Any, TypeAlias

LEVELS = ("bytes", "structure", "numbers", "types")

Spot: TypeAlias = tuple[Any, Any]
"""A container and the key or index of one of its values."""

_TOKENS = [
    *(b"{ } [ ] : , \" \\ \\u0000 \\ud800 null true NaN Infinity 1e999 -0 # // ' \n \r\n \t").split(
        b" "
    ),
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\x81\x30",
    b"\xc0\xaf",
    b"\x80",
    b"\n\n",
    b'""',
    b",,",
]
_NUMBERS: list[Any] = [
    0, -1, 1, 2, 3, 255, 256, 65535, 65536, 100_000, 2**31 - 1, 2**31, 2**32, 2**53 + 1, 2**63,
    2**64, -(2**63), 10**30, 10**400, -(10**400), 0.5, -0.0, 1e-320, 1e6, 1e6 + 1, -1e6, 1e9,
    1e15, 1e308, -1e308, float("nan"), float("inf"), float("-inf"), 1.5, 0.1, 99_999.99,
]  # fmt: skip
_NUMBER_TOKENS = ["1e999", "-0", "1.", ".5", "007", "0x10", "1_000", "+1", "1e", "--1", "-", "∞"]
_STRINGS = [
    "", " ", ".", "..", "/", "\\", "../../../../x.jpg", "/etc/passwd", "/dev/zero", "C:\\x.png",
    "\\\\host\\share\\x.jpg", "file:///etc/passwd", "http://localhost/x.png", "a\x00b.jpg",
    "con", "x" * 5000 + ".jpg", "a/" * 2500 + "b", "\ud800", "\u2028", "\n", "_background_",
    "__ignore__", "9" * 5000, "1", "-1", "NaN", "{}", "[]", "person\n", "ｐｅｒｓｏｎ", "é",
    "e\u0301", "\x1b[31m", "%s", "{0}", "<b>", "null", "true", "polygon", "mask", "rect",
    "circle", "point", "ellipse", "linestrip", "oriented_rectangle", "points", "line",
]  # fmt: skip
_DEEP = "@deep:{}:{}@"
_RAW = "@raw:{}@"


class _Twin(str):
    """A key that equals no other, so that an object can have the same key twice."""

    __slots__ = ()
    __hash__ = object.__hash__
    __eq__ = object.__eq__


def mutate(
    data: bytes, level: str, rng: random.Random, *, others: list[bytes], suffix: str
) -> bytes:
    """Return ``data``, a sound file, with some damage of the ``level``.

    others: sound files of the same reader, to take pieces from. suffix: ".json" or ".csv".
    """
    if level == "bytes":
        return _bytes(data, rng, others)
    document = _csv_load(data) if suffix == ".csv" else json.loads(data)
    other = data if suffix == ".csv" else rng.choice(others)
    donor = json.loads(other) if other.lstrip()[:1] in (b"{", b"[") else document
    act = {"structure": _structure, "numbers": _numbers, "types": _types}[level]
    for _ in range(1 + int(rng.expovariate(0.7))):
        act(document, rng, donor)
    return _csv_dump(document) if suffix == ".csv" else _dump(document)


def _bytes(data: bytes, rng: random.Random, others: list[bytes]) -> bytes:
    if rng.random() < 0.06:
        text = data.decode("utf-8", "replace")
        codec = rng.choice(["utf-16", "utf-16-be", "utf-32", "gb18030", "cp1252", "utf-8-sig"])
        return text.encode(codec, "replace")
    buffer = bytearray(data)
    for _ in range(1 + int(rng.expovariate(1.2))):
        at = rng.randrange(len(buffer) + 1)
        span = min(int(rng.expovariate(1 / 12)) + 1, 4000)
        match rng.randrange(9):
            case 0 if at < len(buffer):
                buffer[at] ^= 1 << rng.randrange(8)
            case 1 if at < len(buffer):
                buffer[at] = rng.randrange(256)
            case 2:
                buffer[at:at] = rng.choice(_TOKENS)
            case 3:
                del buffer[at : at + span]
            case 4 if rng.random() < 0.4:
                del buffer[at:]
            case 5:
                buffer[at:at] = buffer[at : at + span] * rng.choice([1, 2, 50])
            case 6:
                donor = rng.choice(others)
                start = rng.randrange(len(donor) + 1)
                buffer[at : at + span] = donor[start : start + int(rng.expovariate(1 / 200)) + 1]
            case 7:
                buffer[at : at + 1] = rng.choice(_TOKENS)
            case _:
                buffer[at : at + span] = rng.randbytes(span)
        if not buffer:
            break
    return bytes(buffer)


def _structure(document: Any, rng: random.Random, donor: Any) -> None:
    container, key = spot = _pick(document, rng)
    value = container[key]
    match rng.randrange(9):
        case 0:
            del container[key]
        case 1 if isinstance(container, list):
            container[key:key] = [value] * rng.choice([1, 2, 30])
        case 1:
            container[_Twin(key)] = copy.deepcopy(_value(_pick(document, rng)))
        case 2 if isinstance(container, dict):
            name = _pick(document, rng, of=dict)[1]
            container[rng.choice([name, "", "x", f"{key} ", f"{key}".upper()])] = container.pop(key)
        case 3:
            other = _pick(document, rng)
            ours, theirs = copy.deepcopy(value), copy.deepcopy(_value(other))
            _set(spot, theirs)
            _set(other, ours)
        case 4:
            _set(spot, copy.deepcopy(_value(_pick(donor, rng))))
        case 5:
            _set(spot, _DEEP.format(rng.choice(["[", "{"]), rng.choice([1, 8, 40, 900, 100_000])))
        case 6:
            _set(spot, rng.choice([[value], {"x": value}, [value] * 3, [], {}, None]))
        case 7 if isinstance(container, list):
            rng.shuffle(container)
        case 8 if isinstance(value, list):
            _set(spot, value * rng.choice([0, 2, 20]))
        case _:
            _set(spot, copy.deepcopy(_value(_pick(document, rng))))


def _numbers(document: Any, rng: random.Random, donor: Any) -> None:
    spot = _pick(document, rng, leaf=(int, float)) or _pick(document, rng)
    value = _value(spot)
    match rng.randrange(8):
        case 0:
            _set(spot, _RAW.format(rng.choice(_NUMBER_TOKENS)))
        case 1 if isinstance(value, float):
            _set(spot, value * rng.choice([-1, 0.5, 1e6, 1e30, -1e6, 1000]))
        case 2 if isinstance(value, int) and abs(value) < 1e300:
            _set(spot, rng.choice([value + 0.5, float(value), value + 1, value - 1]))
        case 3:  # all numbers of one list at once
            container = spot[0]
            if isinstance(container, list) and not isinstance(document, str):
                hostile = rng.choice(_NUMBERS)
                container[:] = [hostile if isinstance(v, int | float) else v for v in container]
        case _:
            _set(spot, rng.choice(_NUMBERS))


def _types(document: Any, rng: random.Random, donor: Any) -> None:
    spot = _pick(document, rng)
    if rng.random() < 0.35:  # text where text belongs: names, labels, paths
        _set(_pick(document, rng, leaf=(str,)) or spot, rng.choice(_STRINGS))
        return
    value = _value(spot)
    choices: list[Callable[[], Any]] = [
        lambda: None,
        lambda: rng.choice([True, False]),
        lambda: rng.choice(_NUMBERS[:8]),
        lambda: rng.choice(_STRINGS),
        lambda: rng.choice(_STRINGS),
        lambda: [value],
        lambda: {str(rng.choice(["0", "x", "name"])): value},
        lambda: str(value)[:300] if not isinstance(value, str) else 7,
        lambda: list(value.values()) if isinstance(value, dict) else list(str(value)[:20]),
        lambda: dict(enumerate(value)) if isinstance(value, list) else {},
    ]
    _set(spot, rng.choice(choices)())


def _pick(
    document: Any,
    rng: random.Random,
    *,
    of: type | None = None,
    leaf: tuple[type, ...] | None = None,
) -> Any:
    """Return a place in ``document``, chosen by walking down, None when none is found.

    Walking down, unlike a choice among all values, does not drown the few keys in a sea of
    coordinates.
    """
    for _ in range(30):
        here, spot = document, None
        while isinstance(here, dict | list) and here:
            keys = list(here) if isinstance(here, dict) else range(len(here))
            key = rng.choice(keys)
            if of is None or isinstance(here, of):
                spot = (here, key)
            here = here[key]
            if leaf is None and rng.random() < 0.22:
                break
        fits = leaf is None or (isinstance(here, leaf) and not isinstance(here, bool))
        if spot is not None and fits:
            return spot
    return None if leaf else ({"x": document}, "x")


def _value(spot: Spot) -> Any:
    container, key = spot
    try:
        return container[key]
    except (KeyError, IndexError):
        return None


def _set(spot: Spot, value: Any) -> None:
    container, key = spot
    if isinstance(container, dict) or key < len(container):
        container[key] = value


def _dump(document: Any) -> bytes:
    try:
        text = json.dumps(document, ensure_ascii=False)
    except (RecursionError, ValueError):  # swapped into itself
        return b'{"version": "5.0.1", "shapes": ['
    return _filled(text).encode("utf-8", "surrogatepass")


def _filled(text: str) -> str:
    if "@" not in text:
        return text
    text = re.sub(r'"@raw:([^"@]*)@"', r"\1", text)

    def deep(match: re.Match[str]) -> str:
        count = int(match[2])
        if match[1] == "[":
            return "[" * count + "]" * count
        return '{"a":' * count + "0" + "}" * count

    return re.sub(r'"@deep:([\[{]):(\d+)@"', deep, text)


def _csv_load(data: bytes) -> list[Any]:
    rows: list[Any] = []
    for row in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")):
        rows.append([json.loads(c) if c[:1] == "{" else int(c) if c.isdigit() else c for c in row])
    return rows


def _csv_dump(rows: Any) -> bytes:
    text = io.StringIO(newline="")
    table = csv.writer(text)
    for row in rows if isinstance(rows, list) else [rows]:
        cells = row if isinstance(row, list) else [row]
        table.writerow([c if isinstance(c, str) else _filled(_cell(c)) for c in cells])
    return text.getvalue().encode("utf-8", "surrogatepass")


def _cell(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (RecursionError, ValueError):
        return "{"
