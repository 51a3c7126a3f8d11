"""What becomes of one image, and what is wrong with it."""

import pytest
from projects import box, elsewhere, labelme_file  # noqa: F401

import maskforge
from maskforge.conversion import image


@pytest.mark.parametrize("labels", [["sky", "cat"], ["0:sky", "1:cat"]])
def test_a_region_that_covers_nothing_is_told_whatever_its_id(tmp_path, labels):
    shapes = [("sky", box(90, 90, 95, 95)), ("cat", box(1, 1, 5, 3)), ("cat", box(-9, -9, -5, -5))]
    labelme_file(tmp_path / "a.json", shapes)
    result = maskforge.convert(tmp_path, format="labelme", labels=labels)
    assert [(p.code, p.place, p.severity) for p in result.problems] == [
        ("outside-image", "shapes[0]", "warning"),
        ("outside-image", "shapes[2]", "warning"),
    ]


@pytest.mark.parametrize(
    ("shown", "is_converted"),
    [("ab", True), ("abab", True), ("abc", False), ("aabbc", False)],
)
def test_an_image_has_as_many_labels_as_there_are_ids(tmp_path, monkeypatch, shown, is_converted):
    monkeypatch.setattr(image, "MOST_LABELS", 2)
    labelme_file(tmp_path / "a.json", [(label, box(1, 1, 5, 3)) for label in shown])
    result = maskforge.convert(tmp_path, format="labelme", labels=["a", "b", "c"])
    assert result.converted == is_converted
    assert [problem.code for problem in result.problems] == ["too-large"] * (not is_converted)
