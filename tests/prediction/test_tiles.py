"""Tiles: they cover an image, overlap enough, and are put together by weight."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskforge.prediction import tiles
from maskforge.prediction.tiles import Mosaic, Tile


@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    tile=st.integers(4, 40),
    overlap=st.floats(0, 0.9),
)
def test_tiles_cover_every_pixel_and_overlap_enough(height, width, tile, overlap):
    covered = np.zeros((height, width), int)
    found = tiles.cut(height, width, tile=tile, overlap=overlap)
    for part in found:
        assert part.bottom - part.top == min(tile, height)
        assert part.right - part.left == min(tile, width)
        covered[part.top : part.bottom, part.left : part.right] += 1
    assert covered.min() >= 1
    tops = sorted({part.top for part in found})
    assert all(b - a <= max(1, tile * (1 - overlap)) for a, b in pairwise(tops))


@pytest.mark.parametrize(("tile", "overlap"), [(0, 0.2), (8, 0.95), (8, -0.1)])
def test_impossible_tiles(tile, overlap):
    with pytest.raises(ValueError, match="tile must be >= 1, overlap 0"):
        tiles.cut(10, 10, tile=tile, overlap=overlap)


def test_where_tiles_overlap_the_nearer_middle_counts_more():
    mosaic = Mosaic(2, 1, 6)
    mosaic.add(Tile(0, 0, 1, 4), np.stack([np.full((1, 4), 0.0), np.full((1, 4), 1.0)]))
    mosaic.add(Tile(0, 2, 1, 6), np.stack([np.full((1, 4), 1.0), np.full((1, 4), 0.0)]))
    # Weights by column: 0.5 1.5 1.5 0.5 of the first tile, two columns later of the second.
    expected = [0, 0, 0.25, 0.75, 1, 1]
    found = mosaic.result()
    assert found.dtype == np.float32
    assert np.allclose(found[0, 0], expected)
    assert np.allclose(found[1, 0], 1 - np.array(expected))


@given(height=st.integers(1, 40), width=st.integers(1, 40), tile=st.integers(4, 20))
def test_what_is_cut_is_put_together_as_it_was(height, width, tile):
    values = np.random.default_rng(0).random((3, height, width), dtype=np.float32)
    mosaic = Mosaic(3, height, width)
    for part in tiles.cut(height, width, tile=tile, overlap=0.3):
        mosaic.add(part, values[:, part.top : part.bottom, part.left : part.right])
    assert np.allclose(mosaic.result(), values, atol=1e-6)
