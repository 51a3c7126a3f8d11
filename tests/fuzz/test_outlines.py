"""That the check of outlines finds what is wrong, and nothing."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parent))

import outlines

from maskforge.raster import trace
from maskforge.raster.geometry import Polygon


def test_some_hundred_regions() -> None:
    seen = outlines.run(400, 5_000)
    assert seen["regions"] >= 400
    assert seen["holes"] > 20
    assert seen["points after"] < seen["points before"]
    assert not outlines.is_wrong(seen), seen


def test_holes_that_are_lost_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trace.polygons

    def without_holes(*args: object, **kwargs: object) -> object:
        for parts in whole(*args, **kwargs):  # type: ignore[arg-type]
            yield tuple(Polygon(part.exterior) for part in parts)

    monkeypatch.setattr(outlines.trace, "polygons", without_holes)
    seen = outlines.run(100, 5_000)
    assert seen["pixels that differ, traced"] > 0
    assert outlines.is_wrong(seen)


def test_slivers_are_counted() -> None:
    left = Polygon(np.array([[0, 0], [2, 0], [2, 2], [0, 2]], dtype=np.float64))
    right = Polygon(np.array([[2.25, 0], [4, 0], [4, 2], [1.75, 2]]))
    assert outlines.slivers([(left,), (right,)], height=2, width=4) == 2 * 4 // 2
    assert outlines.is_wrong(Counter({"slivers": 2, "subpixels": 10_000}))
    assert not outlines.is_wrong(Counter({"slivers": 1, "subpixels": 10_000}))
