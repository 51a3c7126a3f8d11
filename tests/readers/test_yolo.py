"""YOLO data sets: where images and labels lie, what lines say, and how sizes come to be known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import maskforge
from maskforge.errors import Problem, ReadError, UsageError
from maskforge.io.label_lists import Listed
from maskforge.raster.geometry import Box, Polygon
from maskforge.readers import yolo

SQUARE = "0 0.25 0.5 0.75 0.5 0.75 1 0.25 1"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def photo(path: Path, size: tuple[int, int] = (8, 4), **more: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (len(path.stem), 50, 70)).save(path, **more)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A set with two splits, as ultralytics has it."""
    root = tmp_path / "set"
    names = "names:\n  0: cat\n  1: 'dog''s'\n"
    put(
        root / "data.yaml",
        f"# mine\npath: .\ntrain: images/train # these\nval: images/val\n{names}",
    )
    photo(root / "images/train/day/a.jpg")
    photo(root / "images/train/b.png")
    photo(root / "images/val/c.jpg")
    put(root / "labels/train/day/a.txt", f"{SQUARE}\n\n1 0 0 1 0 1 0.5 0 0.5\n")
    put(root / "labels/train/b.txt", "")
    return root


def parts(path: Path, **options: Any) -> tuple[Listed, list[Problem], list[Any]]:
    listed, *rest = yolo.read(path, yolo.Options(**options))
    assert isinstance(listed, Listed)
    problems = [item for item in rest if isinstance(item, Problem)]
    return listed, problems, [item for item in rest if not isinstance(item, Problem)]


def one(tmp_path: Path, text: str, **options: Any) -> Any:
    put(tmp_path / "s/classes.txt", "cat\ndog\n")
    photo(tmp_path / "s/a.jpg")
    path = put(tmp_path / "s/a.txt", text)
    return parts(path, **options)[2][0].annotation()


@pytest.mark.parametrize("source", ["", "data.yaml"])
def test_a_set(data: Path, source: str) -> None:
    listed, (note,), found = parts(data / source)
    assert dict(zip(listed.classes.ids, listed.classes.names, strict=True)) == {
        0: "_background_",
        1: "cat",
        2: "dog's",
    }
    told = [(item.name, item.split, sorted(item.labels)) for item in found]
    assert told == [
        ("b.png", "train", []),
        ("day/a.jpg", "train", ["cat", "dog's"]),
        ("c.jpg", "val", []),
    ]
    assert (note.severity, note.place) == ("note", "c.jpg")
    annotation = found[1].annotation()
    assert annotation.relative
    assert [(r.label, r.place) for r in annotation.regions] == [
        ("cat", "line 1"),
        ("dog's", "line 2"),
    ]
    assert found[0].annotation().regions == found[2].annotation().regions == ()


def test_it_is_converted_with_its_splits(data: Path, tmp_path: Path) -> None:
    result = maskforge.convert(data, out=tmp_path / "out")
    assert result.reader == "yolo"
    assert {record["stem"]: record["split"] for record in result.records} == {
        "b": "train",
        "day/a": "train",
        "c": "val",
    }
    ids = np.asarray(Image.open(tmp_path / "out/masks/day/a.png"))
    assert ids.tolist() == [
        [2, 2, 2, 2, 2, 2, 2, 2],
        [2, 2, 2, 2, 2, 2, 2, 2],
        [0, 0, 1, 1, 1, 1, 0, 0],
        [0, 0, 1, 1, 1, 1, 0, 0],
    ]


def test_fractions_are_of_the_upright_image(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photo(tmp_path / "s/images/a.jpg", (8, 4), exif=exif)
    put(tmp_path / "s/labels/a.txt", "0 0 0 1 0 1 0.25 0 0.25\n")
    for frame in ("auto", "stored"):
        out = tmp_path / frame
        maskforge.convert(tmp_path / "s", out=out, exif=frame)
        ids = np.asarray(Image.open(out / "masks/a.png"))
        expected = np.zeros((8, 4), np.uint8)
        if frame == "auto":
            expected[:2] = 1
        else:  # the top of the stored image is the right of the upright one
            expected[:, 3:] = 1
        assert np.array_equal(ids, expected)


@pytest.mark.parametrize(
    ("lines", "stem"),
    [
        ("train: ../train/images\nval: ../val/images\n", "Roboflow"),
        ("train: [train/images]\nval:\n  - val/images\n", "lists"),
        ("path: /nowhere/else\ntrain: train/images\nval: val/images\n", "another machine"),
        ("train: train.txt\nval: val/images\n", "a list of images"),
    ],
)
def test_ways_to_name_the_images(tmp_path: Path, lines: str, stem: str) -> None:
    root = tmp_path / "set"
    put(root / "data.yaml", f"{lines}nc: 1\nnames: ['cat']\n")
    put(root / "train.txt", "./train/images/a.jpg\n")
    for split, name in (("train", "a"), ("val", "b")):
        photo(root / f"{split}/images/{name}.jpg")
        put(root / f"{split}/labels/{name}.txt", SQUARE)
    _, problems, found = parts(root)
    assert [(item.name, item.split) for item in found] == [("a.jpg", "train"), ("b.jpg", "val")], (
        stem
    )
    assert [len(item.annotation().regions) for item in found] == [1, 1]
    assert problems == []


def test_a_folder_of_labels_without_yaml(tmp_path: Path) -> None:
    root = tmp_path / "set"
    photo(root / "images/day/a.png")
    put(root / "labels/day/a.txt", f"3{SQUARE[1:]}")
    listed, problems, (item,) = parts(root)
    assert dict(zip(listed.classes.ids, listed.classes.names, strict=True)) == {
        0: "_background_",
        4: "3",
    }
    assert (item.name, item.image, problems) == ("day/a.png", root / "images/day/a.png", [])
    put(root / "labels.txt", "0:_background_\n7:cat\n8:dog\n9:ox\n300:owl\n")
    listed, _, (item,) = parts(root)
    assert listed.classes.ids == (0, 7, 8, 9, 300)
    assert item.labels == {"owl"}


def test_the_digest_goes_by_lines_and_names(tmp_path: Path) -> None:
    first = one(tmp_path, SQUARE)
    assert one(tmp_path, f"{SQUARE}\n").digest == first.digest
    assert one(tmp_path, f"1{SQUARE[1:]}").digest != first.digest


def test_boxes_are_left_out_or_filled(tmp_path: Path) -> None:
    found = one(tmp_path, f"{SQUARE}\n1 0.5 0.5 0.5 0.25\n")
    assert [type(r.geometry[0]) for r in found.regions] == [Polygon]
    (problem,) = found.problems
    assert (problem.code, problem.severity) == ("no-mask", "warning")
    assert "--boxes fill" in problem.cure
    found = one(tmp_path, f"{SQUARE}\n1 0.5 0.5 0.5 0.25\n", boxes="fill")
    assert found.regions[1].geometry == (Box(0.25, 0.375, 0.75, 0.625),)
    assert found.problems == ()
    with pytest.raises(ReadError, match="but 2 are boxes, and nothing else") as caught:
        one(tmp_path, "0 0.5 0.5 0.5 0.25\n1 0.5 0.5 0.5 0.25\n")
    assert caught.value.code == "no-mask"


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("0 0.1 0.2 0.3 0.4 0.5", "bad-field", "but has 5 numbers"),
        ("0 0.1 0.2", "bad-field", "but has 2 numbers"),
        ("0 cat 0.2 0.3 0.4 0.5 0.6", "bad-field", "a class and numbers"),
        ("cat 0.1 0.2 0.3 0.4 0.5 0.6", "unknown-label", "1 'dog', but got cat"),
        ("² 0.1 0.2 0.3 0.4 0.5 0.6", "unknown-label", "1 'dog', but got ²"),
        (f"{'9' * 5000} 0.1 0.2 0.3 0.4 0.5 0.6", "unknown-label", "but got 9999"),
        ("2 0.1 0.2 0.3 0.4 0.5 0.6", "unknown-label", "one of 0 'cat', 1 'dog', but got 2"),
        ("0 nan 0.2 0.3 0.4 0.5 0.6", "bad-shape", "must be finite"),
        ("0 0.5 0.5 0 0.2", "empty-shape", "an extent, but got 0 x 0.2"),
    ],
)
def test_a_line_that_is_wrong_is_told(tmp_path: Path, line: str, code: str, said: str) -> None:
    found = one(tmp_path, f"{SQUARE}\n{line}\n")
    (problem,) = found.problems
    assert (problem.code, problem.place) == (code, "line 2")
    assert said in problem.message
    assert problem.severity == ("warning" if code == "empty-shape" else "error")
    assert len(found.regions) == 1


def test_what_is_no_such_set(tmp_path: Path) -> None:
    put(tmp_path / "notes/a.txt", "hello\n")
    assert yolo.sniff(tmp_path / "notes", b"") is None
    assert yolo.sniff(tmp_path / "notes/a.txt", b"hello\n") is None
    assert yolo.sniff(tmp_path / "gone.yaml", b"names:\n") is None
    photo(tmp_path / "masks/images/a.png")
    put(tmp_path / "masks/data.yaml", "train: images\nnames: [cat]\nmasks_dir: masks\n")
    assert yolo.sniff(tmp_path / "masks", b"") is None
    with pytest.raises(ReadError, match="there must be label files") as caught:
        list(yolo.read(tmp_path / "notes", yolo.Options()))
    assert caught.value.code == "wrong-format"


def test_what_is_such_a_set(data: Path) -> None:
    assert yolo.sniff(data, b"") == "label files such as b.txt"
    assert "b.txt" in str(yolo.sniff(data / "data.yaml", (data / "data.yaml").read_bytes()))
    path = data / "labels/train/day/a.txt"
    assert yolo.sniff(path, path.read_bytes()) == "lines of a class and fractions"


def test_photographs_as_flat_as_masks_do_not_make_it_a_set_of_masks(tmp_path: Path) -> None:
    put(tmp_path / "set/labels.txt", "cat\ndog\n")
    root = tmp_path / "set"
    put(root / "data.yaml", "path: .\ntrain: images/train\nval: images/val\nnames: [cat, dog]\n")
    for split, size in (("train", (10, 5)), ("val", (5, 10))):
        (root / "images" / split).mkdir(parents=True)
        Image.new("RGB", size, (1, 1, 1)).save(root / f"images/{split}/{split}-a.jpg")
        put(root / f"labels/{split}/{split}-a.txt", SQUARE)
    found = maskforge.convert(root, out=tmp_path / "out", previews=False)
    assert found.converted == 2
    assert set(found.classes.names) == {"_background_", "cat", "dog"}


def test_without_its_image_no_size_is_known(tmp_path: Path) -> None:
    put(tmp_path / "s/labels/a.txt", SQUARE)
    result = maskforge.convert(tmp_path / "s", format="yolo")
    assert [problem.code for problem in result.problems] == ["no-image"]
    result = maskforge.convert(
        tmp_path / "s", format="yolo", assume_size=(8, 4), out=tmp_path / "sized", images="none"
    )
    assert result.records[0]["pixels"] == {"0": 24, "1": 8}
    with pytest.raises(UsageError):
        maskforge.convert(tmp_path / "s", format="yolo", assume_size=8, reader_options={"box": "a"})


def test_an_image_in_two_splits_is_one_image_in_none(data: Path) -> None:
    text = (data / "data.yaml").read_text().replace("val: images/val", "val: images/train")
    (data / "data.yaml").write_text(text)
    _, _, found = parts(data)
    assert [(item.name, item.split) for item in found] == [("b.png", None), ("day/a.jpg", None)]


def test_labels_beside_the_images(tmp_path: Path) -> None:
    put(tmp_path / "set/data.yaml", "train: photos\nnames: [cat]\n")
    photo(tmp_path / "set/photos/a.jpg")
    put(tmp_path / "set/photos/a.txt", SQUARE)
    _, problems, (item,) = parts(tmp_path / "set")
    assert (len(item.annotation().regions), problems) == (1, [])


def test_a_label_file_that_is_no_text_costs_its_image_only(tmp_path: Path) -> None:
    for name in ("a", "b"):
        photo(tmp_path / f"set/{name}.jpg")
        put(tmp_path / f"set/{name}.txt", f"{SQUARE}\n")
    (tmp_path / "set/b.txt").write_bytes(b"0 \xff\xfe\x81 0.5")
    result = maskforge.convert(tmp_path / "set", out=tmp_path / "out", format="yolo")
    assert [record["stem"] for record in result.records] == ["a"]
    (problem,) = result.problems
    assert (problem.code, Path(problem.file).name) == ("bad-field", "b.txt")
    assert problem.cure == "save it as UTF-8"


def test_label_files_without_an_image_are_told(data: Path) -> None:
    put(data / "labels/train/day/lost.txt", f"{SQUARE}\n")
    found = parts(data)[2]
    assert [item.name for item in found if not item.image.is_file()] == ["day/lost.jpg"]
    with pytest.raises(ReadError, match="must lie beside"):
        maskforge.convert(data, out=data / "../out", strict=True)


def test_a_set_without_its_photographs_is_one(data: Path, tmp_path: Path) -> None:
    for path in [*data.rglob("*.jpg"), *data.rglob("*.png")]:
        path.unlink()
    (data / "images/train/day").rmdir()
    for folder in ("train", "val", ""):
        (data / "images" / folder).rmdir()
    assert yolo.sniff(data, b"")
    result = maskforge.convert(data, out=tmp_path / "out", assume_size=(8, 4))
    assert [(r["stem"], r["split"]) for r in result.records] == [
        ("b", "train"),
        ("day/a", "train"),
    ]


def test_empty_files_beside_label_files_are_some(tmp_path: Path) -> None:
    for name, text in (("a", ""), ("b", f"{SQUARE}\n"), ("c", ""), ("train", ""), ("note", "hi")):
        put(tmp_path / f"set/{name}.txt", text)
    assert [item.name for item in parts(tmp_path / "set")[2]] == ["a.jpg", "b.jpg", "c.jpg"]
    (tmp_path / "set/b.txt").unlink()
    assert yolo.sniff(tmp_path / "set", b"") is None
