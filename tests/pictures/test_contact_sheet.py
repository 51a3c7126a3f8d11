"""Contact sheets: which pictures are on them, how large they are, and what memory they take."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import pytest
from PIL import Image

from maskforge.pictures import contact_sheet


def named(count):
    return [f"some/folder/picture {n:06d}" for n in range(count)]


def shade(name):
    return int(name[-6:]) % 200 + 55


def load(name, size=(640, 480)):
    return Image.new("RGB", size, (shade(name), 0, 0))


def reds(sheet):
    """The shades of the pictures on a sheet."""
    return {color[0] for _, color in sheet.getcolors(2**24) if color[1:] == (0, 0)}


@pytest.mark.parametrize("count", [1, 2, 5, 12, 47, 48, 49, 100_000])
def test_at_most_48_are_shown_at_even_distances(count):
    asked = []

    def noted(name):
        asked.append(name)
        return load(name)

    names = named(count)
    sheet = contact_sheet.draw(names, noted)
    assert asked == [names[at] for at in contact_sheet.chosen(count)]
    assert len(asked) == min(count, 48)
    gaps = {after - before for before, after in pairwise(contact_sheet.chosen(count))}
    assert not gaps or max(gaps) - min(gaps) <= 1
    assert {shade(name) for name in asked} <= reds(sheet)
    assert sheet.width <= contact_sheet.WIDTH


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (3000, 100), (1, 1), (100, 4000)])
def test_pictures_of_any_shape_are_whole(size):
    sheet = contact_sheet.draw(named(3), lambda name: load(name, size))
    colors = sheet.getcolors(2**24)
    shown = {color[0]: n for n, color in colors if color[1:] == (0, 0) and color[0] > 50}
    scale = min(320 / size[0], 240 / size[1])
    area = max(1, round(size[0] * scale)) * max(1, round(size[1] * scale))
    assert shown == dict.fromkeys((55, 56, 57), area)


def test_none_is_a_sheet_too():
    assert contact_sheet.draw([], load).width > 0


def test_names_stand_below_and_what_is_left_out_is_said():
    alone = contact_sheet.draw(["a 000000"], load)
    picture = alone.crop((16, 16, 336, 256))
    assert picture.getcolors() == [(320 * 240, (55, 0, 0))]
    below = alone.crop((16, 256, 336, 290))
    assert below.getcolors() is None or len(below.getcolors()) > 4
    all_of_them = contact_sheet.draw(named(48), load)
    some = contact_sheet.draw(named(49), load)
    assert some.height > all_of_them.height


def test_what_load_says_is_written_in_place_of_the_name():
    one = contact_sheet.draw(["a 000000"], lambda name: (load(name), "said"))
    other = contact_sheet.draw(["b 000000"], lambda name: (load(name), "said"))
    assert one.tobytes() == other.tobytes()
    assert one.tobytes() != contact_sheet.draw(["a 000000"], load).tobytes()


def test_pictures_are_not_kept():
    """The loaded ones lie in Pillow's memory: those alive at once are counted."""
    alive, most = set(), 0

    class Counted(Image.Image):
        def __del__(self):
            alive.discard(id(self))

    def counted(name):
        nonlocal most
        picture = Counted()
        picture.__dict__.update(load(name).__dict__)
        alive.add(id(picture))
        most = max(most, len(alive))
        return picture

    tracemalloc.start()
    contact_sheet.draw(named(10_000), counted)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most <= 2
    assert peak < 2**24
