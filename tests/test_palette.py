"""The VOC palette and colours as text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskforge.errors import UsageError
from maskforge.palette import display_palette, parse_color, voc_palette

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


def lab(rgb: np.ndarray) -> np.ndarray:
    """Return CIELAB (N, 3) of sRGB (N, 3), 0 … 255, white D65 (IEC 61966-2-1, CIE 15)."""
    part = rgb / 255.0
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124564, 0.3575761, 0.1804375],
                       [0.2126729, 0.7151522, 0.0721750],
                       [0.0193339, 0.1191920, 0.9503041]])  # fmt: skip
    xyz = linear @ to_xyz.T / [0.95047, 1.0, 1.08883]
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = root.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def test_lab_is_that_of_the_book() -> None:
    found = lab(np.array([[255.0, 0, 0], [255, 255, 255]]))
    assert found.round(1).tolist() == [[53.2, 80.1, 67.2], [100.0, 0.0, 0.0]]


def test_the_first_classes_are_shown_in_colours_that_people_tell_apart() -> None:
    greys = [[0, 0, 0], [255, 255, 255], [176, 179, 186], [110, 113, 120], [27, 29, 34]]
    shown = lab(np.concatenate([display_palette()[1:101], greys]).astype(float))
    apart = np.linalg.norm(shown[:, None] - shown[None], axis=2)
    apart[np.diag_indices(len(apart))] = np.inf
    assert apart[:100].min() >= 10
