"""How labels are compared, renamed and chosen."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskforge import labels
from maskforge.errors import UsageError
from maskforge.labels import Relabelling


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("car", "car"),
        ("  a \t big\ncar ", "a big car"),
        ("cafe\u0301", "café"),
        ("\u200bcar", "car"),
        ("c\u00ada\u200br\ufeff", "car"),
        ("\u202ecar\u202c", "car"),
        ("\u2066car\u2069", "car"),
        # Farsi and emoji mean something else without their joiners.
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("\u200dcar\u200c", "car"),
        ("\u200b", ""),
    ],
)
def test_labels_are_compared_as_people_see_them(text: str, label: str) -> None:
    assert labels.clean(text) == label


@given(st.text(max_size=20))
def test_what_is_clean_stays_so(text: str) -> None:
    once = labels.clean(text)
    assert labels.clean(once) == once
    assert labels.clean(unicodedata.normalize("NFD", text)) == once
    assert len(once.splitlines()) <= 1


@pytest.mark.parametrize(
    ("label", "stem"),
    [
        ("bus-1", "bus"),
        ("road bike-12", "road bike"),
        ("bus_1", None),
        ("bus-1a", None),
        ("bus-", None),
        ("-1", None),
        ("7-1", None),
        ("bus", None),
    ],
)
def test_a_stem_is_what_labelme_3_numbered(label: str, stem: str | None) -> None:
    assert labels.stem(label) == stem


RULES = Relabelling.of(["bus-*=bus", "car, van=vehicle", "bus-7=seven"], ["bus", "veh?cle"])


@pytest.mark.parametrize(
    ("label", "new"),
    [
        ("bus-1", "bus"),
        ("bus-7", "bus"),  # the first rule that fits
        ("van", "vehicle"),
        ("car", "vehicle"),
        ("cart", None),
        ("vehicle", "vehicle"),
        ("veh?cle", "veh?cle"),
        ("vehhcle", "vehhcle"),
        ("vehccle", "vehccle"),
        ("vehcle", None),
        ("Bus", None),
        ("_background_", "_background_"),
        ("__ignore__", "__ignore__"),
    ],
)
def test_rules_rename_and_choose(label: str, new: str | None) -> None:
    assert RULES(label) == new


def test_labels_are_left_out_or_ignored_after_they_were_renamed() -> None:
    rules = Relabelling.of({"a": "b"}, drop=["b", "_background_"], ignored=["c*"])
    shown = ["a", "b", "c", "cd", "d", "_background_"]
    assert [rules(label) for label in shown] == [None, None, *["__ignore__"] * 2, "d", None]


def test_signs_of_patterns_are_letters_to_all_else() -> None:
    rules = Relabelling.of(["a.[1]*=x"])
    assert [rules(label) for label in ("a.[1]", "a.[1] b", "aa1", "a.1")] == [
        "x",
        "x",
        "aa1",
        "a.1",
    ]


def test_a_name_may_have_an_equals_sign() -> None:
    assert Relabelling.of(["a=b=c"])("a=b") == "c"


@pytest.mark.parametrize("rule", ["", "a", "=a", "a=", "a,,b=c", "a= \u200b"])
def test_a_rule_has_two_sides(rule: str) -> None:
    with pytest.raises(UsageError, match="must have labels on both sides"):
        Relabelling.of([rule])


def test_no_rules_are_none() -> None:
    assert not Relabelling.of()
    assert not Relabelling.of([], ["", " "])
    assert Relabelling.of(drop=["a"])


def test_idle_rules_are_told_with_what_was_meant() -> None:
    rules = Relabelling.of(["persn=dog", "1=road"])
    first, second = rules.doubts(["person", "car"], "masks")
    assert str(first) == (
        "masks: --map must name labels of the input, but 'persn' is none "
        "(did you mean 'person'?) [label-doubt]"
    )
    assert second.cure == "they are 'car', 'person'"
    [of_many] = Relabelling.of(only=["x"]).doubts([f"cell_{n}" for n in range(9)], "masks")
    assert of_many.cure.endswith("'cell_7' …")
    assert rules.doubts([], "masks")[0].cure == ""


def test_idle_rules_are_found() -> None:
    rules = Relabelling.of(["a=b", "x=y", "q*=r"], ["b", "z"], ["y"], ["a"])
    assert rules.idle(["a", "c"]) == [
        ("--map", "x"),
        ("--map", "q*"),
        ("--only", "z"),
        ("--drop", "y"),
        ("--ignore-labels", "a"),
    ]


def test_what_became_of_labels_is_told() -> None:
    rules = Relabelling.of(["a,b=c"], drop=["d"], ignored=["e"])
    assert rules.told("abcdef") == [
        "classes: a, b → c",
        "classes: d left out",
        "classes: e → __ignore__",
    ]


def test_twins_differ_in_case_only() -> None:
    assert labels.twins(["car", "Straße", "Car", "bus", "STRASSE", "CAR"]) == [
        ["CAR", "Car", "car"],
        ["STRASSE", "Straße"],
    ]


def test_families_are_three_numbers_of_one_name() -> None:
    met = ["cell_10", "cell_9", "cell_1", "bus-1", "bus-2", "level1", "level2", "level3", "7-1"]
    assert labels.families(met) == {"cell_*": ["cell_1", "cell_9", "cell_10"]}


def test_background_and_ignore_have_one_name_for_people() -> None:
    names = ("_background_", "__ignore__", "_mine_")
    assert [labels.name_of_class(n) for n in names] == ["background", "ignore", "_mine_"]
