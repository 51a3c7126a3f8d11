"""The samples give the same bytes as under 0.1: masks, one-hot files, images, lists.

Of previews, which are for people, the digests are those of today.
"""

import json
import sys
from pathlib import Path

import PIL
import pytest

sys.path.append(str(Path(__file__).parent / "golden"))
from make_samples_0_1 import CONVERSIONS, HERE, digests

KNOWN = json.loads((HERE / "samples_0_1.json").read_text(encoding="utf-8"))
BY_PILLOW = {"previews", "all-previews", "label_viz.png", "SegmentationClassVisualization"}
"""Kinds of files that another version of Pillow may write otherwise, and images made anew."""

SHEETS = {f"{name}.jpg" for name in BY_PILLOW}
"""All previews on one picture, which 0.1 did not draw."""


@pytest.mark.parametrize("name", CONVERSIONS)
def test_samples_give_the_same_bytes_as_under_0_1(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    known, found = KNOWN[name], digests(name, tmp_path / "out")
    assert found.keys() - SHEETS == known.keys()
    same_pillow = KNOWN["pillow"] == PIL.__version__
    kinds = {kind for kind in known if same_pillow or kind not in BY_PILLOW}
    if not same_pillow:
        kinds -= {"images", "JPEGImages", "img.png", "features"}
    assert {kind: found[kind] for kind in kinds} == {kind: known[kind] for kind in kinds}
