"""Hostile pickles run nothing, cost nothing, and end in a ReadError."""

from __future__ import annotations

import io
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskforge.errors import ReadError
from maskforge.io import unpickle

NDARRAY = b"cnumpy\nndarray\n"
EMPTY = NDARRAY + b"K\x00\x85X\x01\x00\x00\x00b\x86R"
OBJECT = b"cnumpy\ndtype\nX\x02\x00\x00\x00O8\x89\x88\x87R"
UINT8 = b"cnumpy\ndtype\nX\x02\x00\x00\x00u1\x89\x88\x87R"


def parse(data: bytes) -> dict[str, unpickle.Array]:
    return unpickle.arrays(io.BytesIO(data), size=len(data))


def dictionary(inside: bytes) -> bytes:
    """A pickle of an array of objects with a dictionary, into which ``inside`` sets entries."""
    return b"\x80\x04" + EMPTY + b"(K\x01)" + OBJECT + b"\x89]}" + inside + b"atb."


def entry(shape: bytes, data: bytes, dtype: bytes = UINT8) -> bytes:
    return b"X\x01\x00\x00\x00a" + EMPTY + b"(K\x01" + shape + dtype + b"\x89" + data + b"tbs"


class Runs:
    """Pickled, it asks to call a function with arguments."""

    def __init__(self, function: Any, *given: Any, state: Any = None) -> None:
        self.answer = (function, given) if state is None else (function, given, state)

    def __reduce__(self) -> Any:
        return self.answer


def hostile(mark: Path) -> dict[str, bytes]:
    touch = f"touch {mark}"
    whole = np.empty((), dtype=object)
    whole[()] = {"a.jpg": Runs(os.system, touch)}
    text = touch.encode()
    return {
        "reduce": pickle.dumps(Runs(os.system, touch), protocol=4),
        "reduce old": pickle.dumps(Runs(os.system, touch), protocol=2),
        "inside": pickle.dumps(whole, protocol=4),
        "eval": pickle.dumps(Runs(eval, f"open({str(mark)!r}, 'w')"), protocol=4),
        "global": b"cos\nsystem\n(X" + struct.pack("<I", len(text)) + text + b"tR.",
        "inst": b"(S'" + text + b"'\nios\nsystem\n.",
        "obj": b"(cos\nsystem\nX" + struct.pack("<I", len(text)) + text + b"o.",
        "stack global": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c"
        + bytes([len(text)])
        + text
        + b"\x85R.",
        "newobj": b"\x80\x04cos\nsystem\n\x8c" + bytes([len(text)]) + text + b"\x85\x81.",
        "extension": b"\x80\x04\x82\x01.",
        "persistent": b"Pos.system\n.",
        "build": b"\x80\x04cnumpy\ndtype\n}\x8c\x0c__setstate__cos\nsystem\nsb\x8c\x04true\x85b.",
        "build of a function": b"\x80\x04" + NDARRAY + b"}\x8c\x05shapeK\x01sb.",
        "other numpy function": b"\x80\x04cnumpy\nload\n\x8c\x01x\x85R.",
        "dotted": b"\x80\x04\x8c\x05numpy\x8c\x0ddtype.mro.sys\x93.",
        "ndarray of something": b"\x80\x04" + NDARRAY + b"J\xff\xff\xff\x7f\x85R.",
        "dtype of objects inside": dictionary(entry(b")", b"]N" + b"a", OBJECT)),
        "scalar": pickle.dumps(np.float64(3), protocol=4),
    }


@pytest.mark.parametrize("name", hostile(Path("x")))
def test_nothing_runs(tmp_path: Path, name: str) -> None:
    mark = tmp_path / "was-here"
    with pytest.raises(ReadError, match=r"must be a dictionary of arrays as numpy.save writes it"):
        parse(hostile(mark)[name])
    assert not mark.exists()


def test_the_marks_would_be_made_by_an_unpickler(tmp_path: Path) -> None:
    """The pickles above are live: what pickle itself does with one of them."""
    mark = tmp_path / "was-here"
    pickle.loads(hostile(mark)["reduce"])
    assert mark.exists()


def test_the_smallest_good_file() -> None:
    found = parse(dictionary(entry(b"K\x01K\x02K\x03\x87", b"C\x06abcdef")))
    assert found["a"].shape == (1, 2, 3)
    assert isinstance(found["a"].data, unpickle.Blob)
    assert found["a"].data.size == 6


HUGE = (2**31 - 1).to_bytes(4, "little")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (entry(b"J" + HUGE + b"J" + HUGE + b"\x86", b"C\x01a"), "other data than its shape needs"),
        (entry(b"K\x02\x85", b"C\x01a"), "other data than its shape needs"),
        (entry(b"J\xff\xff\xff\xff\x85", b"C\x00"), "a shape that is none"),
        (entry(b"\x88\x85", b"C\x01a"), "a shape that is none"),
        (entry(b"]", b"C\x01a"), "a shape that is none"),
        (entry(b"K\x00J" + HUGE + b"\x86", b"C\x00"), "an empty array of absurd shape"),
        (entry(b"(" + b"K\x01" * 9 + b"t", b"C\x01a"), "a shape that is none"),
        (entry(b"K\x01\x85", b"\x8e" + b"\xff" * 8), "bytes where .* are left"),
        (entry(b"K\x01\x85", b"B" + HUGE), "2147483647 bytes where"),
        (entry(b"K\x01\x85", b"N"), "other data than its shape needs"),
        (b"X" + HUGE + b"a", "a string of 2147483647 bytes"),
        (b"X\x01\x00\x00\x00\xff", "not UTF-8"),
        (b"K\x01K\x02s", "a key that is no string"),
        (b"aaaa", "an item for what is no list"),
        (b"h\x07", "a reference to nothing"),
        (b"s", "an entry for what is no dictionary"),
        (b"\x8a\xff" + b"\x01" * 255, "."),
        (b"\x80\x09", "an unknown pickle protocol"),
        (b"t", "."),
        (b"\xff", r"opcode b'\\xff'"),
    ],
)
def test_what_does_not_fit_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ReadError, match=message):
        parse(dictionary(data))


def test_a_mark_that_hides_the_stack() -> None:
    with pytest.raises(ReadError, match="an empty stack"):
        parse(b"\x80\x04K\x01(.")


def test_a_list_that_holds_itself() -> None:
    loop = b"\x80\x04]q\x00h\x00a."
    with pytest.raises(ReadError, match="something else than a dictionary"):
        parse(loop)


def test_endless_steps_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpickle, "MAX_STEPS", 1000)
    with pytest.raises(ReadError, match="more than 1000 steps"):
        parse(b"\x80\x04]" + b"Na" * 1000)


def good_file() -> bytes:
    array = np.empty((), dtype=object)
    array[()] = {"a.jpg": np.eye(4, dtype=np.uint8).reshape(2, 2, 4), "b.jpg": np.zeros((2, 3, 4))}
    return pickle.dumps(array, protocol=4)


GOOD = good_file()


@pytest.mark.parametrize("length", range(0, len(GOOD), 7))
def test_every_truncation_is_refused(length: int) -> None:
    with pytest.raises(ReadError, match="must be a dictionary of arrays"):
        parse(GOOD[:length])


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_any_changed_byte_is_read_or_refused(place: int, byte: int) -> None:
    damaged = GOOD[:place] + bytes([byte]) + GOOD[place + 1 :]
    try:
        found = parse(damaged)
    except ReadError:
        return
    for array in found.values():
        assert isinstance(array.data, unpickle.Blob)
        assert array.data.offset + array.data.size <= len(damaged)


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ReadError, match="must be a dictionary of arrays"):
        parse(data)
