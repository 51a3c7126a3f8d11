from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import maskforge
from maskforge.datasets import compare, load_pair
from maskforge.errors import ClassError, ReadError


def test_pairs_by_stem(files, ids):
    files.mask("truth/a.png", ids)
    files.mask("truth/b.png", ids)
    files.mask("pred/a.npy", np.minimum(ids, 1).astype(np.int32))
    files.mask("pred/c.png", ids)
    found = compare(files.root / "pred", files.root / "truth", labels="cat,dog")
    assert found.classes.names == ("_background_", "cat", "dog")
    (pair,) = found.pairs
    prediction, truth = load_pair(pair, found)
    np.testing.assert_array_equal(prediction, np.minimum(ids, 1))
    np.testing.assert_array_equal(truth, ids)
    codes = [(p.file.rpartition("/")[2], p.severity) for p in found.problems]
    assert codes == [("b.png", "error"), ("c.png", "warning")]


def test_0_and_255_on_one_side_only(files, ids):
    files.mask("truth/masks/a.png", np.where(ids == 1, 255, 0).astype(np.uint8))
    files.mask("pred/a_mask.png", (ids == 1).astype(np.uint8))
    found = compare(files.root / "pred", files.root / "truth")
    prediction, truth = load_pair(found.pairs[0], found)
    np.testing.assert_array_equal(prediction, ids == 1)
    np.testing.assert_array_equal(truth, ids == 1)


def test_a_prediction_of_background_alone(files, ids):
    files.mask("truth/a.png", ids)
    files.mask("pred/a.png", np.zeros_like(ids))
    found = compare(files.root / "pred", files.root / "truth")
    assert load_pair(found.pairs[0], found)[0].max() == 0


def test_the_names_of_the_predictions_serve_too(files, ids):
    files.mask("truth/a.png", ids)
    files.mask("pred/a.png", ids)
    files.text("pred/labels.txt", "_background_\ncat\ndog\ncow\n")
    found = compare(files.root / "pred", files.root / "truth")
    assert found.classes.names == ("_background_", "cat", "dog", "cow")


def test_an_output_and_a_onehot_file(files):
    shapes = [{"label": "cat", "points": [[1, 1], [3, 2]], "shape_type": "rectangle"}]
    content = {"imagePath": "a.png", "imageHeight": 3, "imageWidth": 4, "shapes": shapes}
    files.text("source/a.json", json.dumps(content | {"version": "5.5.0", "imageData": None}))
    files.image("source/a.png")
    maskforge.convert(files.root / "source", out=files.root / "o")
    maskforge.convert(files.root / "source", out=files.root / "o.npy", as_="onehot")
    found = compare(files.root / "o.npy", files.root / "o")
    assert found.classes.names == ("_background_", "cat")
    prediction, truth = load_pair(found.pairs[0], found)
    assert truth.sum() == 2
    np.testing.assert_array_equal(prediction, truth)


def test_an_output_is_known_by_its_manifest_in_any_layout(files):
    """Where masks are all called label.png, only the manifest tells whose they are."""
    shapes = [{"label": "cat", "points": [[1, 1], [3, 2]], "shape_type": "rectangle"}]
    content = {"imageHeight": 3, "imageWidth": 4, "version": "5.5.0", "imageData": None}
    for stem in "ab":
        parts = {"imagePath": f"{stem}.png", "shapes": shapes if stem == "b" else []}
        files.text(f"source/{stem}.json", json.dumps(content | parts))
        files.image(f"source/{stem}.png")
    for layout in ("labelme", "pairs"):
        maskforge.convert(files.root / "source", out=files.root / layout, layout=layout)
    found = compare(files.root / "labelme", files.root / "pairs")
    sums = [[int(ids.sum()) for ids in load_pair(pair, found)] for pair in found.pairs]
    assert sums == [[0, 0], [2, 2]]


def test_sizes_must_be_equal(files, ids):
    files.mask("truth/a.png", ids)
    files.mask("pred/a.png", ids[:, :3].copy())
    found = compare(files.root / "pred", files.root / "truth")
    with pytest.raises(ReadError, match=r"pred/a\.png: .*size of the truth, 4x3, but is 3x3"):
        load_pair(found.pairs[0], found)


def test_other_classes_are_refused(files, ids):
    for side, names in (("truth", "cat\ndog"), ("pred", "dog\ncat")):
        files.mask(f"{side}/a.png", ids)
        files.text(f"{side}/labels.txt", names)
    with pytest.raises(ClassError, match="must have the same classes"):
        compare(files.root / "pred", files.root / "truth")


def test_nothing_to_compare(files, ids, tmp_path):
    files.mask("truth/a.png", ids)
    files.mask("pred/b.png", ids)
    with pytest.raises(ReadError, match="no two belong together"):
        compare(files.root / "pred", files.root / "truth")
    with pytest.raises(ReadError, match="there must be a folder with masks"):
        compare(tmp_path / "nowhere", files.root / "truth")


def test_torch_is_not_loaded():
    code = (
        "import sys, maskforge.datasets; sys.exit('torch' in sys.modules or 'cv2' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
