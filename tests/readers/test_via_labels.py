"""Which attribute says the class, and what its values mean."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskforge.errors import ReadError
from maskforge.readers._via_entry import Entry, Project, RawRegion
from maskforge.readers._via_labels import choose, value_labels

TEXTS = {"o1": " Cat ", "o2": "", "7": "Seven"}


def project(*regions: dict[str, object], **declared: dict[str, str]) -> Project:
    raw = tuple(RawRegion("regions[0]", msgspec.Raw(b"{}"), item) for item in regions)
    return Project([Entry("a.jpg", "", "", raw, ())], declared)


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        ("car", ("car",)),
        ("  big car ", ("big car",)),
        ("", ()),
        ("  ", ()),
        ("o1", ("Cat",)),
        ("o2", ("o2",)),
        (1, ("1",)),
        (1.0, ("1",)),
        (-2.5, ("-2.5",)),
        (7, ("Seven",)),
        (0, ("0",)),
        (10**400, ()),
        (1e300, (str(int(1e300)),)),
        (float("nan"), ()),
        (float("inf"), ()),
        (True, ()),
        (False, ()),
        (None, ()),
        ({}, ()),
        ({"o1": True}, ("Cat",)),
        ({"b": True, "x": False, "a": True}, ("b", "a")),
        ({"x": False}, ()),
        ({"x": "true", "y": 1, "z": None}, ()),
        ({"": True}, ()),
        (["b", "o1", "b", 3, None, ["a"], {"c": True}], ("b", "Cat", "3")),
        ([], ()),
    ],
)
def test_values(value: object, labels: tuple[str, ...]) -> None:
    assert value_labels(value, TEXTS) == labels


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(json_values, st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3))
def test_labels_are_distinct_stripped_and_never_empty(value: object, texts: dict[str, str]) -> None:
    labels = value_labels(value, texts)
    assert len(set(labels)) == len(labels)
    assert all(label and label == label.strip() for label in labels)


@pytest.mark.parametrize(
    ("regions", "chosen"),
    [
        ([{"damage": "dent"}], "damage"),
        ([{"damage": "dent", "": "x"}], "damage"),
        ([{"damage": "dent", "Name": "car"}], "Name"),
        ([{"type": "a", "CATEGORY": "b"}], "CATEGORY"),
        ([{"class": "a"}, {"name": "b"}, {"label": "c"}], "label"),
        ([{"other": "a", "TyPe ": "b"}], "TyPe "),
    ],
)
def test_the_obvious_attribute(regions: list[dict[str, object]], chosen: str) -> None:
    assert choose(project(*regions), attribute=None, default=None).attribute == chosen


def test_the_attribute_asked_for() -> None:
    labelling = choose(
        project({"name": "a", "k": "o"}, k={"o": "Oak"}), attribute="k", default=None
    )
    assert labelling.labels({"name": "a", "k": "o"}) == ("Oak",)
    assert labelling.labels({"name": "a"}) == ()


def test_the_case_of_the_attribute_asked_for_matters_only_where_it_tells_two_apart() -> None:
    one = project({"Name": "a", "kind": "b"})
    assert choose(one, attribute="nAME", default=None).attribute == "Name"
    two = project({"Name": "a", "name": "b"})
    assert choose(two, attribute="name", default=None).attribute == "name"
    with pytest.raises(ReadError, match="'NAME' is not; there are: "):
        choose(two, attribute="NAME", default=None)


def test_a_declared_attribute_counts() -> None:
    regions = project({"damage": "dent"}, label={})
    with pytest.raises(ReadError, match=r"'label' must say the class, but it is empty in every"):
        choose(regions, attribute=None, default=None)
    assert choose(regions, attribute="damage", default=None).labels({"damage": "x"}) == ("x",)


@pytest.mark.parametrize(
    ("regions", "attribute"),
    [
        ([{"color": "red", "shape": {"round": True, "flat": True}, "none": ""}], None),
        ([{"color": "red", "shape": ["round", "flat"], "none": {}}], "colour"),
    ],
)
def test_no_obvious_attribute_lists_what_there_is(
    regions: list[dict[str, object]], attribute: str | None
) -> None:
    listing = "'color' ('red'), 'shape' ('round', 'flat'), 'none' (always empty)"
    with pytest.raises(ReadError, match=re.escape(listing)) as caught:
        choose(project(*regions), attribute=attribute, default="thing")
    assert caught.value.code == "no-label"
    assert "--attribute NAME" in caught.value.cure


def test_two_spellings_of_one_word_are_not_obvious() -> None:
    with pytest.raises(ReadError, match="cannot be told"):
        choose(project({"name": "a", "Name": "b"}), attribute=None, default=None)


def test_a_long_list_is_cut() -> None:
    region: dict[str, object] = {f"k{number}": "x" * 500 for number in range(40)}
    with pytest.raises(ReadError, match="and 28 more") as caught:
        choose(project(region), attribute=None, default=None)
    assert len(caught.value.message) < 2000


@pytest.mark.parametrize(
    ("regions", "why"),
    [
        ([{}], "regions have no attribute that says their class"),
        ([{"": "x"}], "regions have no attribute that says their class"),
        ([{"kind": ""}, {"kind": {}}], "regions have nothing in any attribute that says"),
    ],
)
def test_regions_without_any_label_are_objects(regions: list[dict[str, object]], why: str) -> None:
    found = choose(project(*regions), attribute=None, default=None)
    assert (found.attribute, found.default) == (None, "object")
    assert found.assumed.startswith(why)
    named = choose(project(*regions), attribute=None, default="cow")
    assert (named.default, named.assumed) == ("cow", "")


def test_the_default_is_for_regions_without_a_label_only() -> None:
    labelling = choose(project({"k": "a"}, {}), attribute=None, default="thing")
    assert labelling.labels({"k": "a"}) == ("a",)
    assert labelling.labels({"k": {"x": False}}) == ("thing",)


def test_a_file_without_regions_needs_no_attribute() -> None:
    assert choose(project(a={}, b={}), attribute=None, default=None).attribute is None
