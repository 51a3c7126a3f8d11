"""Masks without names whose highest id looks like void."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from maskforge.datasets import check, open_dataset

SIDE = 64


def quarters(count=4):
    """A mask of four classes, 0 to 3, a quarter each."""
    ids = np.zeros((SIDE, SIDE), np.uint8)
    ids[: SIDE // 2, SIDE // 2 :], ids[SIDE // 2 :, : SIDE // 2] = 1, 2
    ids[SIDE // 2 :, SIDE // 2 :] = 3
    return ids


def bands(rng):
    """Two pixels wide between the quarters, as between the objects of VOC."""
    ids = quarters()
    ids[31:33], ids[:, 31:33] = 4, 4
    return ids


def pieces(rng):
    """Single pixels along the borders, and a blob, as in CamVid."""
    ids = quarters()
    ids[32, 1::3] = ids[1::3, 32] = 4
    ids[2:9, 2:9] = 4
    return ids


def pole(rng):
    """Thin, but alone."""
    ids = quarters()
    ids[3:60, 40:42] = 4
    return ids


def grains(rng):
    """Many, but all in one class."""
    ids = quarters()
    ids[1:30:3, 1:30:3] = 4
    return ids


def large(rng):
    """In the middle of all, and large."""
    ids = quarters()
    ids[20:44, 20:44] = 4
    return ids


def written(path, draw, *, masks=5, without=0):
    rng = np.random.default_rng(0)
    for folder in ("images", "masks"):
        (path / folder).mkdir(parents=True)
    for number in range(masks):
        ids = quarters() if number < without else draw(rng)
        Image.fromarray(ids).save(path / f"masks/{number}.png")
        Image.fromarray(ids).convert("RGB").save(path / f"images/{number}.png")
    return path


def doubts(path, **options):
    found = check(open_dataset(path, **options))
    assert not found.errors
    return [problem for problem in found.problems if "looks like void" in problem.message]


@pytest.mark.parametrize("draw", [bands, pieces])
def test_void_is_told_with_the_option_that_ignores_it(tmp_path, draw):
    [doubt] = doubts(written(tmp_path, draw))
    assert (doubt.code, doubt.severity, doubt.file) == ("label-doubt", "warning", str(tmp_path))
    assert "id 4 has no name and lies along the borders" in doubt.message
    assert "say --ignore 4 if it is void" in doubt.cure
    assert doubts(tmp_path, ignore=4) == []


@pytest.mark.parametrize("draw", [pole, grains, large])
def test_classes_are_none(tmp_path, draw):
    assert doubts(written(tmp_path, draw)) == []


def test_what_has_a_name_is_a_class(tmp_path):
    written(tmp_path, pieces)
    assert doubts(tmp_path, labels=["a", "b", "c", "edge"]) == []


@pytest.mark.parametrize(("without", "count"), [(1, 1), (2, 0)])
def test_void_is_nearly_everywhere(tmp_path, without, count):
    assert len(doubts(written(tmp_path, pieces, without=without))) == count


def test_a_few_masks_tell_nothing(tmp_path):
    assert doubts(written(tmp_path, pieces, masks=3)) == []
