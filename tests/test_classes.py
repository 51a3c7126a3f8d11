"""labels.txt, ids, collected tables."""

from __future__ import annotations

import pickle
import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskforge.classes import BACKGROUND, IGNORE, ClassTable
from maskforge.errors import ClassError

words = st.text(string.ascii_letters + "äß猫 _-.0", min_size=1, max_size=6).filter(
    lambda w: w == w.strip() and w not in (BACKGROUND, IGNORE)
)
tables = st.builds(
    lambda names, ignore: ClassTable((BACKGROUND, *names), has_ignore=ignore),
    st.lists(words, unique=True, max_size=6),
    st.booleans(),
)


@pytest.mark.parametrize(
    ("text", "names", "ignore"),
    [
        ("_background_\nperson\n", ("person",), False),
        ("__ignore__\n_background_\ncat\ndog\n", ("cat", "dog"), True),
        ("__ignore__\ncat\n", ("cat",), True),
        ("dog\ncat", ("dog", "cat"), False),
        ("\ufeff_background_\r\n\r\n  cat \r\n\r\ndog\r\n", ("cat", "dog"), False),
        ("", (), False),
        ("traffic light\n", ("traffic light",), False),
        ("2\n1\n", ("2", "1"), False),
    ],
)
def test_from_text(text: str, names: tuple[str, ...], ignore: bool) -> None:
    table = ClassTable.from_text(text)
    assert table.names == (BACKGROUND, *names)
    assert table.has_ignore is ignore
    assert [table.id_of(n) for n in table.names] == list(range(len(table)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cat\ndog\ncat\n", r"once, but \['cat'\]"),
        ("cat\n_background_\n", "_background_ must come before all classes.*number 2"),
        ("_background_\n__ignore__\ncat\n", "__ignore__ must come first.*number 2"),
        ("_background_\n_background_\n", "once"),
        ("__ignore__\n__ignore__\n", "once"),
    ],
)
def test_from_text_refuses(text: str, message: str) -> None:
    with pytest.raises(ClassError, match=message):
        ClassTable.from_text(text)


@pytest.mark.parametrize("names", [(), ("person",), (BACKGROUND, "a", "a"), (BACKGROUND, IGNORE)])
def test_the_constructor_refuses(names: tuple[str, ...]) -> None:
    with pytest.raises(ClassError):
        ClassTable(names)


@given(tables)
def test_text_round_trip(table: ClassTable) -> None:
    again = ClassTable.from_text(table.to_text())
    assert again == table
    assert again.hash == table.hash


@pytest.mark.parametrize("name", [" person", "person ", "", "a\nb", "a\u2028b", "a\x0cb"])
def test_names_that_labels_txt_cannot_hold_are_refused_or_cleaned(name: str) -> None:
    """A table that is collected and written must read back as itself: ids hang on it."""
    try:
        table = ClassTable.collect({name, "zebra"})
    except ClassError:
        return
    assert ClassTable.from_text(table.to_text()) == table


@given(tables, tables)
def test_the_hash_is_that_of_the_numbers(one: ClassTable, other: ClassTable) -> None:
    assert (one.hash == other.hash) == (one == other)


def test_the_hash_cannot_be_confused_by_line_breaks() -> None:
    try:
        joined = ClassTable((BACKGROUND, "a\nb"))
    except ClassError:
        return
    assert joined.hash != ClassTable((BACKGROUND, "a", "b")).hash


@pytest.mark.parametrize(
    ("count", "dtype", "ignore"),
    [(1, np.uint8, 255), (254, np.uint8, 255), (255, np.uint16, 65535), (300, np.uint16, 65535)],
)
def test_dtype_and_ignore_index(count: int, dtype: type, ignore: int) -> None:
    """``count`` classes besides the background; 255 is free as long as the ids end at 254."""
    table = ClassTable.from_names([f"c{i}" for i in range(count)])
    assert len(table) == count + 1
    assert table.dtype is dtype
    assert table.ignore_index == ignore == table.id_of(IGNORE)
    assert max(table.id_of(n) for n in table.names) < ignore
    assert table.palette.shape == (count + 1, 3)


def test_too_many_classes() -> None:
    with pytest.raises(ClassError, match="65535"):
        ClassTable((BACKGROUND, *map(str, range(65535))))


def test_contains_and_ids() -> None:
    table = ClassTable.from_names(["cat"])
    assert "cat" in table
    assert BACKGROUND in table
    assert IGNORE in table  # understood even where it is not listed
    assert "dog" not in table
    assert 1 not in table
    with pytest.raises(ClassError, match="'cta'") as caught:
        table.id_of("cta")
    assert caught.value.code == "unknown-label"
    assert "did you mean 'cat'" in caught.value.cure


def test_hint_minds_neither_case_nor_strangers() -> None:
    table = ClassTable.from_names(["Person", "bottle"])
    assert "did you mean 'Person'" in table.hint(["person"])
    assert "--unknown" in table.hint(["xyz"])


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ({"dog", "cat"}, ("cat", "dog")),
        ({"3", "1"}, ("1", "2", "3")),
        ({"10", "9"}, tuple(map(str, range(1, 11)))),
        ({"0", "1"}, ("0", "1")),
        ({"01", "1"}, ("01", "1")),
        ({"1", "cat"}, ("1", "cat")),
        ({"1001", "2"}, ("1001", "2")),
        ({"²", "1"}, ("1", "²")),
        ({"-1", "1"}, ("-1", "1")),
        (set(), ()),
        ({BACKGROUND, "cat"}, ("cat",)),
    ],
)
def test_collect(labels: set[str], names: tuple[str, ...]) -> None:
    assert ClassTable.collect(labels) == ClassTable((BACKGROUND, *names))


def test_collect_notes_ignore() -> None:
    assert ClassTable.collect({IGNORE, "cat"}).has_ignore
    assert ClassTable.collect({IGNORE, "2"}).names == (BACKGROUND, "1", "2")


@given(st.lists(words, max_size=8), st.randoms(use_true_random=False))
def test_collect_does_not_depend_on_order(labels: list[str], chance: object) -> None:
    mixed = labels * 2
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert ClassTable.collect(labels) == ClassTable.collect(mixed)


def test_collect_survives_a_label_of_thousands_of_digits() -> None:
    label = "1" * 5000
    assert ClassTable.collect({label}).names == (BACKGROUND, label)


@given(tables)
def test_travels_between_processes(table: ClassTable) -> None:
    again = pickle.loads(pickle.dumps(table))
    assert again == table
    assert again.id_of(IGNORE) == table.ignore_index
    assert hash(again) == hash(table)
