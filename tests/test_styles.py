"""From the text of a style to colours."""

from __future__ import annotations

import pytest

from maskforge import styles
from maskforge.classes import ClassTable
from maskforge.errors import UsageError

TABLE = ClassTable.from_names(["person", "dog"])


@pytest.mark.parametrize(
    ("style", "background", "thing"),
    [
        ("black-white", [0, 0, 0], [255, 255, 255]),
        ("white-black", [255, 255, 255], [0, 0, 0]),
        ("purple-yellow", [120, 0, 120], [235, 235, 50]),
        ("#010203,#fffefd", [1, 2, 3], [255, 254, 253]),
    ],
)
def test_two_colours_paint_every_class_alike(
    style: str, background: list[int], thing: list[int]
) -> None:
    assert styles.parse(style, TABLE).tolist() == [background, thing, thing, [127, 127, 127]]


def test_palette_gives_each_class_its_own() -> None:
    colors = styles.parse("palette", TABLE).tolist()
    assert colors == [[0, 0, 0], [128, 0, 0], [0, 128, 0], [127, 127, 127]]


def test_a_list_gives_one_colour_a_class() -> None:
    colors = styles.parse("#000001, #000002,#000003", TABLE).tolist()
    assert colors == [[0, 0, 1], [0, 0, 2], [0, 0, 3], [127, 127, 127]]


def test_a_list_of_another_length_names_how_many_are_needed() -> None:
    with pytest.raises(
        UsageError, match=r"2 colours .* or 3, .*_background_, person, dog, but got 4"
    ):
        styles.parse("#000001,#000002,#000003,#000004", TABLE)
    with pytest.raises(UsageError, match="but got 1"):
        styles.parse("#000001", TABLE)


def test_unknown_names_and_colours() -> None:
    with pytest.raises(UsageError, match=r"style must be one of \['black-white'.*'purple'"):
        styles.parse("purple", TABLE)
    with pytest.raises(UsageError, match="a colour must be written #rrggbb, but got '#12'"):
        styles.parse("#12,#000000", TABLE)


def test_palette_ends_where_colours_repeat() -> None:
    many = ClassTable.from_names([str(i) for i in range(255)])
    with pytest.raises(UsageError, match="255 distinct colours, but the class table has 256"):
        styles.parse("palette", many)
