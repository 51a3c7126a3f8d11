"""Errors as exceptions and as data."""

from __future__ import annotations

import pickle
import re

import pytest

from maskforge import errors
from maskforge.errors import (
    CODES,
    ClassError,
    GeometryError,
    MaskforgeError,
    Problem,
    ReadError,
    UsageError,
    WriteError,
    many,
)

EVERY = [MaskforgeError, ReadError, GeometryError, ClassError, WriteError, UsageError]


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        (ReadError, ValueError),
        (GeometryError, ValueError),
        (ClassError, ValueError),
        (UsageError, ValueError),
        (WriteError, OSError),
    ],
)
def test_each_is_also_what_python_programmers_expect(kind: type, base: type) -> None:
    assert issubclass(kind, base)
    assert issubclass(kind, MaskforgeError)


@pytest.mark.parametrize("kind", EVERY)
def test_says_what_where_and_the_cure(kind: type[MaskforgeError]) -> None:
    error = kind("x must be 1", code="bad-field", file="a.json", place="shapes[0]", cure="write 1")
    assert str(error) == "a.json: shapes[0]: x must be 1 (write 1) [bad-field]"
    assert str(kind("x must be 1")) == "x must be 1"
    assert str(kind("x must be 1", place="p", cure="c")) == "p: x must be 1 (c)"


@pytest.mark.parametrize("kind", EVERY)
def test_travels_between_processes(kind: type[MaskforgeError]) -> None:
    error = kind("m", code="too-large", file="f", place="p", cure="c")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert vars(again) == vars(error)
    assert str(again) == str(error)


@pytest.mark.parametrize("kind", EVERY)
def test_has_a_code_of_its_own(kind: type[MaskforgeError]) -> None:
    assert kind("m").code in CODES
    assert kind("m").problem(file="f").code == kind.code


def test_becomes_a_problem_with_the_gaps_filled() -> None:
    error = ReadError("m", file="a.json")
    assert error.problem(file="b.json", place="p") == Problem("bad-field", "a.json", "m", "p")
    assert ReadError("m").problem(file="b.json").file == "b.json"


def test_problem_as_text_and_data() -> None:
    problem = Problem("no-label", "a.json", "m", place="p", cure="c", severity="warning")
    assert str(problem) == "a.json: p: m (c) [no-label]"
    assert str(Problem("no-label", "a.json", "m")) == "a.json: m [no-label]"
    assert problem.as_dict() == {
        "code": "no-label",
        "file": "a.json",
        "message": "m",
        "place": "p",
        "cure": "c",
        "severity": "warning",
    }
    assert Problem(**problem.as_dict()) == problem  # type: ignore[arg-type]


def test_problem_codes_are_stable() -> None:
    with pytest.raises(ValueError, match="code must be one of"):
        Problem("no-such-code", "f", "m")
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in CODES)


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    assert errors.__doc__ is not None
    drawn = set(re.findall(r"(\w+Error)(?:\((\w+)\))?", errors.__doc__))
    real = {(kind.__name__, kind.__bases__[1].__name__) for kind in EVERY[1:]}
    assert drawn == {("MaskforgeError", ""), *real}


def test_numbers_and_what_is_counted_agree():
    assert [many(n, "image") for n in (0, 1, 2, 1234)] == [
        "0 images", "1 image", "2 images", "1,234 images",
    ]  # fmt: skip
    assert [many(n, "minute") for n in (1.0, 2.5)] == ["1 minute", "2.5 minutes"]
    assert [many(n, "pixel is", "pixels are") for n in (1, 2)] == ["1 pixel is", "2 pixels are"]
