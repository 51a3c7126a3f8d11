"""Records: dictionaries that lie in memory as JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskforge.records import Records, to_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_what_is_written_is_json(value: object) -> None:
    assert json.loads(to_json(value)) == value
    assert b"\n" not in to_json(value)


@pytest.mark.parametrize("name", ["é", "caf\udce9", "\ud800", "a\x00b", "sep\u2028"])
def test_every_name_comes_back(name: str) -> None:
    assert json.loads(to_json({"stem": name})) == {"stem": name}


@given(st.lists(st.dictionaries(st.text(), VALUES, max_size=3), max_size=5))
def test_a_sequence_of_dictionaries(values: list[dict[str, object]]) -> None:
    records = Records(values)
    assert list(records) == values
    assert len(records) == len(values)
    assert records[1:] == values[1:]
    assert bool(records) == bool(values)


def test_what_is_taken_out_is_a_copy() -> None:
    records = Records([{"a": 1}])
    records[0]["a"] = 2
    assert records[0] == {"a": 1}
    records[0] = {"a": 3}
    records.append({"b": 4})
    assert [records[0], records[-1]] == [{"a": 3}, {"b": 4}]
    with pytest.raises(IndexError):
        records[2]
