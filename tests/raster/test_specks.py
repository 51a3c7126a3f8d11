"""Specks and pin holes removed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_images import Ids, small
from strategies import numbers

from maskforge.raster import regions, specks


@pytest.mark.parametrize(
    ("before", "area", "after"),
    [
        ("1111 1121 1111", 2, "1111 1111 1111"),  # a speck
        ("1111 1001 1111", 3, "1111 1111 1111"),  # a pin hole
        ("1111 1001 1111", 2, "1111 1001 1111"),  # as large as asked
        ("1132 1152 1122", 2, "1112 1122 1122"),  # specks join what they border on longest …
        ("1152 1122 1122", 2, "1122 1122 1122"),  # … of equals the larger one
        ("1112 1152 1122", 2, "1112 1112 1122"),
        ("1115222", 2, "1111222"),  # … or the lower one
        ("2225111", 2, "2221111"),
        ("1105011", 2, "1111111"),  # and what they join grows
        ("123 456 789", 2, None),
        ("123 456 789", 9, None),
        ("11 11", 9, "11 11"),  # all there is
        ("1122 1233 1122", 2, "1122 1133 1122"),
    ],
)
def test_what_becomes_of_specks(before: str, area: int, after: str | None) -> None:
    image = numbers(before)
    got = specks.removed(image, area=area)
    if after is not None:
        assert got.label_image.tolist() == numbers(after).tolist()
    assert got.pixels == (got.label_image != image).sum()
    assert regions.of_label_image(got.label_image).areas.min() >= min(
        area, 4 if len(image) == 2 else 9
    )
    assert got.instances is None


def test_parts_are_counted_and_the_type_stays() -> None:
    image = numbers("1121 1111 3311").astype(np.uint16)
    got = specks.removed(image, area=3)
    assert (got.parts, got.pixels) == (2, 3)
    assert got.label_image.dtype == np.uint16


def test_a_kept_value_stays_and_takes_what_borders_on_it() -> None:
    image = numbers("0000 0910 0000 0009")
    got = specks.removed(image, area=2, keep=[9])
    assert got.label_image.tolist() == numbers("0000 0900 0000 0009").tolist()
    got = specks.removed(numbers("9199"), area=3, keep=[9])
    assert got.label_image.tolist() == [[9, 9, 9, 9]]


def test_instances_are_parts_of_their_own() -> None:
    image, instances = numbers("1111 1111"), numbers("2223 2222")
    got = specks.removed(image, instances, area=2)
    assert got.label_image.tolist() == image.tolist()
    assert got.instances is not None
    assert got.instances.tolist() == [[2] * 4] * 2
    assert (got.parts, got.pixels) == (1, 1)


@given(small, st.integers(1, 6), st.booleans(), st.sampled_from([(), (0,), (1, 3)]))
def test_what_is_left_is_large_enough(
    image: Ids, area: int, with_instances: bool, keep: tuple[int, ...]
) -> None:
    instances = image.T.reshape(image.shape) % 2 if with_instances else None
    got = specks.removed(image, instances, area=area, keep=keep)
    both = got.label_image + (0 if got.instances is None else got.instances * 16)
    left = regions.of_label_image(both)
    small_ones = left.areas < area
    assert len(left) == 1 or np.isin(left.value[small_ones] % 16, keep).all()
    if area == 1:
        assert (got.parts, got.pixels) == (0, 0)
        assert (got.label_image == image).all()
    for value in keep:
        assert (got.label_image[image == value] == value).all()
    again = specks.removed(got.label_image, got.instances, area=area, keep=keep)
    assert (again.parts, again.pixels) == (0, 0)
