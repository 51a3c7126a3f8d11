"""labels.txt, ids, collected tables."""

from __future__ import annotations

import pickle
import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskforge.classes import BACKGROUND, HIGHEST_ID, IGNORE, ClassTable, parse
from maskforge.errors import ClassError

words = st.text(string.ascii_letters + "äß猫 _-.0", min_size=1, max_size=6).filter(
    lambda w: w == w.strip() and w not in (BACKGROUND, IGNORE)
)


@st.composite
def tables(draw: st.DrawFn) -> ClassTable:
    """Tables with ids of their own, or none, with a background anywhere, or none."""
    names = draw(st.lists(words, unique=True, max_size=6))
    at = draw(st.none() | st.integers(0, len(names)))
    if at is not None or not names:
        names.insert(at or 0, BACKGROUND)
    ids: tuple[int, ...] = ()
    if draw(st.booleans()):
        numbers = st.integers(0, HIGHEST_ID)
        found = draw(st.sets(numbers, min_size=len(names), max_size=len(names)))
        ids = tuple(sorted(found))
    ignore = draw(st.none() | st.integers(0, 65535).filter(lambda i: i not in (ids or range(9))))
    return ClassTable(tuple(names), draw(st.booleans()) or ignore is not None, ids, ignore)


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


@pytest.mark.parametrize("names", [(), (BACKGROUND, "a", "a"), (BACKGROUND, IGNORE)])
def test_the_constructor_refuses(names: tuple[str, ...]) -> None:
    with pytest.raises(ClassError):
        ClassTable(names)


@given(tables())
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


@given(tables(), tables())
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


@given(tables())
def test_travels_between_processes(table: ClassTable) -> None:
    again = pickle.loads(pickle.dumps(table))
    assert again == table
    assert again.id_of(IGNORE) == table.ignore_index
    assert hash(again) == hash(table)


@pytest.mark.parametrize(
    ("names", "ids", "known", "background", "ignore"),
    [
        ("0:sky,cup", (0, 1), ("sky", "cup"), None, 255),
        ("0:sky,5:cup", (0, 5), ("sky", "cup"), None, 255),
        ("7:road,11:wall", (0, 7, 11), (BACKGROUND, "road", "wall"), 0, 255),
        ("0:road,1:Background", (0, 1), ("road", "Background"), None, 255),
        ("0:road,9:_background_", (0, 9), ("road", BACKGROUND), 9, 255),
        ("0:background,1:cup", (0, 1), (BACKGROUND, "cup"), 0, 255),
        ("3:cup,0:__ignore__", (3,), ("cup",), None, 0),
        ("none:_background_,3:cup", (3,), ("cup",), None, 255),
        ("0:cat,1:dog,void", (0, 1), ("cat", "dog"), None, 2),
        ("__ignore__,1:cat,300:dog", (0, 1, 300), (BACKGROUND, "cat", "dog"), 0, 65535),
        ("1:a:b,2: c ", (0, 1, 2), (BACKGROUND, "a:b", "c"), 0, 255),
        ("cup,1:lid", (0, 1, 2), (BACKGROUND, "cup", "1:lid"), 0, 255),
    ],
)
def test_names_that_carry_their_ids(
    names: str, ids: tuple[int, ...], known: tuple[str, ...], background: int | None, ignore: int
) -> None:
    table = ClassTable.from_names(names.split(","))
    assert (table.ids, table.names) == (ids, known)
    assert (table.background, table.ignore_index) == (background, ignore)
    assert table.uncovered == (ignore if background is None else background)


def test_where_the_line_is_the_id() -> None:
    found = parse(["sky", "cup", "void"], by_line=True).classes
    assert (found.names, found.background, found.ignore_index) == (("sky", "cup"), None, 2)
    found = parse(["Background", "cup"], by_line=True).classes
    assert (found.names, found.ids) == ((BACKGROUND, "cup"), (0, 1))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"ids": (0,)}, "an id of its own"),
        ({"ids": (3, 1)}, "ascending"),
        ({"ids": (1, 1)}, "ascending"),
        ({"ids": (0, 65535)}, "0 … 65534"),
        ({"ids": (-1, 0)}, "0 … 65534"),
        ({"ignore": 1}, "no class, not 1"),
        ({"ignore": 65536}, "0 … 65535"),
        ({"ignore": -2}, "0 … 65535"),
        ({"colors": ((0, 0, 0),)}, "a colour a class, 2, not 1"),
    ],
)
def test_the_constructor_refuses_ids(fields: dict, message: str) -> None:
    with pytest.raises(ClassError, match=message):
        ClassTable(("a", "b"), **fields)


@given(tables())
def test_channels_and_ids_are_two_ways_to_count(table: ClassTable) -> None:
    channels = np.arange(len(table) + 1)
    assert table.stored.dtype == table.dtype
    assert table.stored.tolist() == [*table.ids, table.ignore_index]
    np.testing.assert_array_equal(table.channels_of(table.stored), channels)
    assert [table.name_of(i) for i in table.stored.tolist()] == [*table.names, IGNORE]
    dense = table.channels
    assert (dense.ids, dense.names) == (tuple(range(len(table))), table.names)
    assert dense.ignore_index == 255
    assert dense.channels is dense
    assert table.is_dense == (dense == table)


def test_colors_are_the_table_s_own_or_those_of_voc_by_id() -> None:
    assert ClassTable(("a", "b"), ids=(1, 15)).palette.tolist() == [[128, 0, 0], [192, 128, 128]]
    own = ClassTable(("a", "b"), colors=((1, 2, 3), (4, 5, 6)))
    assert own.palette.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_what_people_write_for_the_background_means_it() -> None:
    assert ClassTable((BACKGROUND, "cat")).id_of("background") == 0
    assert ClassTable((BACKGROUND, "background")).id_of("background") == 1
    assert "background" not in ClassTable(("cat",))


@pytest.mark.parametrize("lines", [["void"], ["0:void"]])
def test_one_name_alone_is_a_class_whatever_it_is(lines: list[str]) -> None:
    found = parse(lines, by_line=True).classes
    assert (found.names, found.ids, found.has_ignore) == (("void",), (0,), False)
