"""Splits are decided before the first image is converted."""

import json

import numpy as np
import pytest
from PIL import Image
from projects import box, elsewhere, labelme_file  # noqa: F401

import maskforge
from maskforge.conversion import image, splitting

SHADES = {"a": 10, "b": 20, "c": 10, "d": 30}  # a and c are one picture


@pytest.fixture
def folder(tmp_path):
    for name, shade in SHADES.items():
        labelme_file(tmp_path / f"photos/{name}.json", [("cat", box(1, 1, 5, 3))], image=False)
        pixels = np.full((6, 9, 3), shade, np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"photos/{name}.png")
    return tmp_path / "photos"


def splits_of(result):
    return {record["stem"]: record["split"] for record in result.records}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("labels", [None, ["cat"]])  # None: files are read for their labels before
def test_copies_of_one_picture_come_into_one_split(folder, workers, labels):
    for seed in range(4):
        result = maskforge.convert(
            folder, split=[0.5], seed=seed, labels=labels, workers=workers, overwrite=seed > 0
        )
        found = splits_of(result)
        assert found["a"] == found["c"]
        assert set(found.values()) == {"train", "val"}


def test_workers_know_the_split(folder, monkeypatch):
    seen = {}

    def look(plan, sink, job):
        seen[job.stem] = job.split
        return real(plan, sink, job)

    real = image.process
    monkeypatch.setattr(image, "process", look)
    result = maskforge.convert(folder, split=[0.5])
    assert seen == splits_of(result)
    assert None not in seen.values()


def test_only_images_of_one_size_are_read_to_find_copies(folder, monkeypatch):
    read = []
    monkeypatch.setattr(splitting, "_digest", lambda path: read.append(path.stem) or path.stem)
    (folder / "d.png").write_bytes((folder / "d.png").read_bytes() + b"\0")
    (folder / "b.png").write_bytes((folder / "b.png").read_bytes() + b"\0\0")
    maskforge.convert(folder, split=[0.5])
    assert read == ["a", "c"]


def test_an_image_that_cannot_be_found_or_read_has_a_split_too(folder):
    (folder / "b.png").unlink()
    (folder / "d.json").write_text("{")
    result = maskforge.convert(folder, format="labelme", split=[0.5])
    assert result.failed == 1
    assert set(splits_of(result)) == {"a", "b", "c"}
    assert None not in splits_of(result).values()


def test_what_is_asked_for_goes_before_what_the_source_says(tmp_path):
    people = [
        {
            "file_name": f"{n}.png",
            "image_id": str(n),
            "height": 6,
            "width": 9,
            "annotations": [
                {"segms": {"outer": [[1, 1, 5, 1, 5, 4]], "height": 6, "width": 9, "inner": []},
                 "keypoints": [0] * 57}
            ],
        }
        for n in range(4)
    ]  # fmt: skip
    source = tmp_path / "ochuman.json"
    source.write_text(json.dumps({"images": people}))
    some = {"images": "none", "previews": False}
    published = splits_of(maskforge.convert(source, out=tmp_path / "a", **some))
    asked = splits_of(maskforge.convert(source, out=tmp_path / "b", split=[0.5], **some))
    assert published != asked
    assert sorted(asked.values()) == ["train", "train", "val", "val"]
