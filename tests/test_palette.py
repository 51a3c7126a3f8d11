"""The VOC palette and colours as text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskforge.errors import UsageError
from maskforge.palette import parse_color, voc_palette

PUBLISHED = {  # VOC2012 development kit
    0: (0, 0, 0),
    1: (128, 0, 0),
    2: (0, 128, 0),
    3: (128, 128, 0),
    4: (0, 0, 128),
    15: (192, 128, 128),
    20: (0, 64, 128),
    255: (224, 224, 192),
}


def test_the_published_colours() -> None:
    palette = voc_palette()
    assert palette.shape == (256, 3)
    assert palette.dtype == np.uint8
    assert {i: tuple(palette[i].tolist()) for i in PUBLISHED} == PUBLISHED


def test_colours_differ_and_repeat_after_256() -> None:
    palette = voc_palette(600)
    assert len(np.unique(palette[:256], axis=0)) == 256
    np.testing.assert_array_equal(palette[256:512], palette[:256])


def test_nobody_can_change_it_for_others() -> None:
    with pytest.raises(ValueError, match="read-only"):
        voc_palette()[0, 0] = 1


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 255))
def test_parse_color(red: int, green: int, blue: int) -> None:
    text = f"#{red:02x}{green:02X}{blue:02x}"
    assert parse_color(text) == (red, green, blue)
    assert parse_color(text[1:]) == (red, green, blue)


@pytest.mark.parametrize("text", ["", "#fff", "#12345g", "#1234567", "red", "##123456"])
def test_parse_color_refuses(text: str) -> None:
    with pytest.raises(UsageError, match="#rrggbb"):
        parse_color(text)
