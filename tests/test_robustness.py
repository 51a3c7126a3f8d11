"""Hostile input: nothing is lost, nothing hangs, nothing gets out, nothing runs."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import pickle
import subprocess
import sys
import tracemalloc
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import maskforge
from maskforge.errors import ClassError, ReadError, UsageError
from maskforge.io import files
from maskforge.io.onehot import OneHotFile, is_onehot

if sys.platform != "linux":
    pytest.skip("signals, limits and special files differ elsewhere", allow_module_level=True)

sys.path.append(str(Path(__file__).parent / "fuzz"))
import corpus
import harness
import hostile
import kill
from guard import only_inside
from harness import convert, limited


@pytest.fixture(autouse=True)
def _no_hang() -> Iterator[None]:
    with harness.no_hang():
        yield


@pytest.fixture
def space(tmp_path: Path) -> Path:
    """A folder with ``in`` for the input and ``out`` for the output."""
    return harness.make_space(tmp_path)


# Sizes and amounts


def test_a_declared_size_beyond_the_limit_is_refused_by_itself(space: Path) -> None:
    hostile.labelme(space / "in/huge.json", height=100_000, width=100_000)
    hostile.labelme(space / "in/sound.json")
    result = convert(space)
    assert result.converted == 1
    assert "too-large" in {problem.code for problem in result.problems}


@pytest.mark.parametrize("place", ["file", "embedded", "mask", "jpeg"])
def test_a_decompression_bomb_is_refused_by_its_header(space: Path, place: str) -> None:
    side = 30_000
    if place in ("file", "jpeg"):
        bomb = hostile.png_bomb(side) if place == "file" else hostile.jpeg_bomb()
        (space / "in/x.png").write_bytes(bomb)
        hostile.labelme(space / "in/a.json", height=None, width=None, image="x.png")
    elif place == "embedded":
        text = base64.b64encode(hostile.png_bomb(side)).decode()
        hostile.labelme(space / "in/a.json", height=None, width=None, data=text)
    else:
        text = base64.b64encode(hostile.png_bomb(side, channels=1)).decode()
        corners = [[0, 0], [side - 1, side - 1]]
        patch = {"label": "dog", "points": corners, "shape_type": "mask", "mask": text}
        hostile.labelme(space / "in/a.json", [patch])
    code, problems = limited(space, "labelme")
    assert code == 3
    assert {p["code"] for p in problems} <= {"too-large", "bad-image"}
    assert problems


def test_a_polygon_of_a_million_points_is_refused_or_drawn_in_time(space: Path) -> None:
    hostile.large_polygon(space / "in/a.json", points=1_000_000)
    _, problems = limited(space, "labelme", "--no-previews")
    assert "too-large" in {p["code"] for p in problems}


def test_many_regions_that_cover_a_large_image_are_refused(space: Path) -> None:
    whole = {"label": "dog", "points": [[0, 0], [16_000, 16_000]], "shape_type": "rectangle"}
    hostile.labelme(space / "in/a.json", [whole] * 20_000, height=16_000, width=16_000)
    _, problems = limited(space, "labelme", "--no-previews")
    assert "too-large" in {p["code"] for p in problems}


def test_run_lengths_of_many_images_do_not_add_up_in_memory(space: Path) -> None:
    """Thirty bytes stand for a bitmap of 4 MB; all bitmaps at once would be 96 MB."""
    side, count = 2_000, 24
    images = [
        {"id": i, "file_name": f"{i}.jpg", "height": side, "width": side} for i in range(count)
    ]
    shape = {"size": [side, side], "counts": [1, side * side - 2, 1]}
    document = {
        "images": images,
        "annotations": [
            {"image_id": i, "segmentation": shape, "num_keypoints": 9} for i in range(count)
        ],
        "categories": [{"id": 1, "name": "person"}],
    }
    (space / "in/ochuman_coco.json").write_text(json.dumps(document))
    tracemalloc.start()
    try:
        result = convert(space, format="ochuman", previews=False, images="none", as_="label")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert result.converted == count
    assert peak < 48 << 20


def test_one_hot_planes_that_fit_into_no_memory_cost_one_image(space: Path) -> None:
    shapes = [{"label": f"label {i}", "points": hostile.SQUARE} for i in range(20_000)]
    hostile.labelme(space / "in/a.json", shapes, height=2_000, width=2_000)
    code, problems = limited(space, "labelme", "--as", "onehot", "--no-previews")
    assert code == 3
    assert "too-large" in {p["code"] for p in problems}


@pytest.mark.parametrize("reader", ["labelme", "via", "ochuman"])
@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_json_nested_a_hundred_thousand_deep_is_a_problem(
    space: Path, reader: str, brackets: str
) -> None:
    starts = {"labelme": '{"imagePath": "x", "shapes": ', "ochuman": '{"images": [{"segms": 1}, '}
    start = starts.get(reader, '{"a.jpg1": {"filename": "a.jpg", "shape_attributes": ')
    deep = "[" * 100_000 if brackets == "[]" else '{"a":' * 100_000
    source = space / "in/a.json"
    source.write_text(start + deep)
    with only_inside(space / "out"):
        result = maskforge.convert(source, format=reader, out=space / "out")
    assert result.exit_code == 3
    assert {p.code for p in result.problems} <= {"not-json", "bad-field", "wrong-format"}


@pytest.mark.parametrize(
    "body", ['a.jpg,1,"' + "x" * 5_000_000, "," * 5_000_000, '"' + "a," * 2_000_000, "\0" * 99_999]
)
def test_csv_with_giant_fields_is_a_problem(space: Path, body: str) -> None:
    header = "filename,file_size,file_attributes,region_count,region_id,"
    header += "region_shape_attributes,region_attributes\n"
    (space / "in/a.csv").write_text(header + body + "\n")
    result = convert(space, format="via", reader_options={"default_label": "x"})
    assert result.exit_code == 3
    assert result.problems


def test_a_list_of_seventy_thousand_labels_is_refused_at_once(space: Path) -> None:
    hostile.labelme(space / "in/a.json")
    (space / "in/labels.txt").write_text("".join(f"label {i}\n" for i in range(70_000)))
    with pytest.raises(ClassError, match="class ids must be 0 … 65534, but go to 70000"):
        convert(space)


def test_many_unknown_labels_are_told_without_delay(space: Path) -> None:
    shapes = [{"label": f"stranger {i}", "points": hostile.SQUARE} for i in range(20_000)]
    hostile.labelme(space / "in/a.json", shapes)
    (space / "in/labels.txt").write_text("".join(f"known class {i}\n" for i in range(500)))
    with pytest.raises(ClassError, match="stranger") as caught:
        convert(space)
    assert len(str(caught.value)) < 10_000


def test_many_images_of_one_name_are_told_apart_without_delay() -> None:
    names = files.unique_names(["a"] * 50_000)
    assert len(set(names)) == 50_000
    assert names[:3] == ["a", "a-2", "a-3"]


# Names


HOSTILE_NAMES = [
    "../../../x.jpg", "/etc/passwd", "C:\\Users\\x.png", "\\\\host\\share\\x.jpg", "a\0b.jpg",
    "con.jpg", "NUL", "com1.txt.png", "..", "...", " ", "é" * 300 + ".jpg", "d/" * 40 + "x.jpg",
    "a\nb.jpg", "\x1b[31m.jpg", "file:///etc/passwd", "~/x.jpg", "$HOME/x.jpg", "|x.jpg",
    "x.jpg:stream",
]  # fmt: skip


@pytest.mark.parametrize("layout", ["pairs", "voc", "labelme", "article"])
def test_no_name_leads_out_of_the_output_and_none_is_lost(space: Path, layout: str) -> None:
    hostile.ochuman(space / "in/ochuman.json", HOSTILE_NAMES)
    result = convert(space, format="ochuman", layout=layout, as_="label", previews=False)
    masks = [space / "out" / record["mask"] for record in result.records]
    none = [name for name in HOSTILE_NAMES if name in ("a\0b.jpg", "..", " ")]
    assert result.failed == len(none) == 3
    assert result.converted == len(HOSTILE_NAMES) - len(none) == len(set(masks))
    assert all(mask.is_file() for mask in masks)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_no_image_path_of_labelme_or_via_leads_out(space: Path, name: str) -> None:
    hostile.labelme(space / "in/a.json", image=name)
    assert convert(space).converted == 1
    (space / "in/a.json").unlink()
    hostile.via(space / "in/v.json", [name])
    assert convert(space, format="via", overwrite=True, as_="label").exit_code == 3


def test_a_path_that_is_too_long_costs_one_image_and_says_so(space: Path) -> None:
    hostile.ochuman(space / "in/ochuman.json", ["d/" * 3000 + "x.jpg", "sound.jpg"])
    result = convert(space, format="ochuman", previews=False)
    assert "sound" in {record["stem"] for record in result.records}


def test_an_image_named_like_the_folder_of_another_does_not_end_the_run(space: Path) -> None:
    hostile.ochuman(space / "in/ochuman.json", ["a.png/b.png", "a.png", "c.png", "c.png/d.png"])
    result = convert(space, format="ochuman", previews=False)
    assert result.converted == 4


def test_twins_get_files_of_their_own(space: Path) -> None:
    names = ["a.jpg", "a.png", "A.jpg", "a.jpg", "a-2.jpg", "b/../a.jpg"]
    hostile.ochuman(space / "in/ochuman.json", names)
    result = convert(space, format="ochuman", previews=False)
    masks = {record["mask"].casefold() for record in result.records}
    assert len(masks) == len(names) == result.converted
    assert [p.code for p in result.problems].count("name-collision") >= 3


def test_one_hot_keeps_twins_under_keys_of_their_own(space: Path) -> None:
    pictures = ["x/a.png", "y/a.png", "x-a.png", "x_a.png"]
    for name in pictures:
        (space / "in" / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (9, 7)).save(space / "in" / name)
    hostile.via(space / "in/v.json", pictures)
    result = convert(space, format="via", as_="onehot", previews=False)
    assert len(OneHotFile(result.out)) == len(pictures) == result.converted


@pytest.mark.parametrize("text", ["sound", "damaged"])
def test_a_file_name_that_is_no_text_is_no_crash(space: Path, text: str) -> None:
    strange = os.fsdecode(os.fsencode(space / "in") + b"/\xff\xfe.json")
    hostile.labelme(Path(strange))
    if text == "damaged":
        Path(strange).write_text("{")
    hostile.labelme(space / "in/sound.json")
    result = convert(space)
    assert result.converted == (2 if text == "sound" else 1)
    json.loads(result.manifest.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "label", ["", "  ", "a\nb", " dog", "dog\t", "a\u2028b", "a\x85b", "9" * 5000]
)
def test_labels_txt_reads_back_as_the_classes_of_the_run(space: Path, label: str) -> None:
    hostile.labelme(space / "in/a.json", [{"label": label, "points": hostile.SQUARE}])
    hostile.labelme(space / "in/sound.json", [{"label": "cat", "points": hostile.SQUARE}])
    result = convert(space)
    written = maskforge.ClassTable.from_text((space / "out/labels.txt").read_text("utf-8"))
    assert written.names == result.classes.names
    assert result.converted >= 1


# Things that are no files


@pytest.mark.parametrize("format_", ["labelme", "via", "ochuman", None])
def test_pipes_folders_and_broken_links_do_not_stop_a_run(space: Path, format_: str | None) -> None:
    inside = space / "in"
    os.mkfifo(inside / "pipe.json")
    os.mkfifo(inside / "pipe.jpg")
    os.mkfifo(inside / "labels.txt")
    (inside / "folder.json").mkdir()
    (inside / "broken.json").symlink_to("nowhere")
    (inside / "loop").symlink_to(inside)
    (inside / "self.json").symlink_to("self.json")
    (inside / "endless.jpg").symlink_to("/dev/zero")
    for name in ("pipe", "endless"):
        hostile.labelme(inside / f"{name}2.json", image=f"{name}.jpg")
    if format_ in ("labelme", None):
        assert convert(space, format=format_).converted == 2
    else:
        with pytest.raises(ReadError, match="none was found"):
            convert(space, format=format_)


def test_an_image_is_opened_by_no_other_program(space: Path) -> None:
    """Pillow hands PostScript to Ghostscript, whatever the name of the file."""
    page = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 80 60\n%%EndComments\nshowpage\n%%EOF\n"
    (space / "in/x.jpg").write_bytes(page)
    hostile.labelme(space / "in/a.json")
    fake = space / "bin"
    fake.mkdir()
    (fake / "gs").write_text(f"#!/bin/sh\ntouch {space}/ran\n")
    (fake / "gs").chmod(0o755)
    path = f"{fake}{os.pathsep}{os.environ['PATH']}"
    line = kill.command("labelme", space / "in", "-o", space / "out", "-q")
    subprocess.run(line, env=kill.environment(PATH=path), capture_output=True, check=False)
    assert not (space / "ran").exists()


def test_a_damaged_exif_warns_nobody(space: Path) -> None:
    """Pillow tells Python's warnings of it, and those would stand among the user's own output."""
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x09\x01\x12\0\x03\0\0\0\x01\0\x06"
    Image.new("RGB", (80, 60)).save(space / "in/x.jpg", exif=exif)
    hostile.labelme(space / "in/a.json", height=None, width=None)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        convert(space)
    assert [str(warning.message) for warning in heard] == []


# Pickles


class _Hostile:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return (os.mkdir, (str(self.mark),))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("place", ["whole", "value", "key"])
def test_a_hostile_pickle_runs_nothing(tmp_path: Path, place: str, protocol: int) -> None:
    mark = tmp_path / "ran"
    trap = _Hostile(mark)
    holder: Any = {"whole": trap, "value": {"a.jpg": trap}, "key": {(trap,): 1}}[place]
    array = np.empty((), dtype=object)
    array[()] = holder
    plain = corpus.load("onehot")[0].data
    path = tmp_path / "x.npy"
    header = plain[: 10 + int.from_bytes(plain[8:10], "little")]
    path.write_bytes(header + pickle.dumps(array, protocol=protocol))
    assert is_onehot(path)
    with only_inside(tmp_path / "nowhere"), pytest.raises(ReadError):
        OneHotFile(path)
    with only_inside(tmp_path / "nowhere"), contextlib.suppress(ReadError):
        maskforge.inspect(path)
    assert not mark.exists()


def test_an_array_that_claims_more_than_there_is_is_refused(tmp_path: Path) -> None:
    sound = next(s.data for s in corpus.load("onehot") if s.name == "maskforge.npy")
    shape = b"J\x03\0\0\0J\x04\0\0\0J\x03\0\0\0\x87"
    assert sound.count(shape) == 2
    big = b"\x8a\x06" + (2**39).to_bytes(6, "little")
    for claim in (
        b"K\0" + big + big + b"\x87",
        big + big + big + b"\x87",
        b"J\xff\xff\xff\xffK\x04K\x03\x87",
    ):
        path = tmp_path / "x.npy"
        data = sound.replace(shape, claim)
        path.write_bytes(data.replace(b"\x8e" + (36).to_bytes(8, "little"), b"\x8e" + bytes(8)))
        with pytest.raises(ReadError):
            list(OneHotFile(path).items())


# A damaged output


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "\xff", '{"format": "maskforge-manifest/1"}',
     '{"format": "maskforge-manifest/1", "images": [1]}',
     '{"format": "maskforge-manifest/1", "images": [{"stem": "a", "extra": [1]}]}',
     '{"format": "maskforge-manifest/1", "images": [{"stem": "a", "mask": "../in/a.json"}]}'],
)  # fmt: skip
@pytest.mark.parametrize("how", ["resume", "overwrite"])
def test_a_manifest_of_others_is_neither_followed_nor_replaced(
    space: Path, text: str, how: str
) -> None:
    hostile.labelme(space / "in/a.json")
    (space / "out/manifest.json").write_text(text, encoding="latin-1")
    with pytest.raises(UsageError, match=r"manifest\.json"):
        convert(space, **{how: True})
    assert (space / "out/manifest.json").read_text(encoding="latin-1") == text
    assert kill.tree(space / "out").keys() == {"manifest.json"}


@pytest.mark.parametrize("cut", [0, 1, 300])
@pytest.mark.parametrize("how", ["resume", "overwrite"])
def test_a_cut_manifest_is_made_again(space: Path, cut: int, how: str) -> None:
    hostile.labelme(space / "in/a.json")
    convert(space)
    whole = kill.tree(space / "out")
    (space / "out/manifest.json").write_bytes(whole["manifest.json"][:cut])
    convert(space, **{how: True})
    assert kill.difference(kill.tree(space / "out"), whole) == ""


def test_an_edited_manifest_is_not_replaced(space: Path) -> None:
    hostile.labelme(space / "in/a.json")
    convert(space)
    path = space / "out/manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"label"', b'"lobel"', 1))
    edited = kill.tree(space / "out")
    with pytest.raises(UsageError, match=r"manifest\.json.* was changed"):
        convert(space, overwrite=True)
    assert kill.difference(kill.tree(space / "out"), edited) == ""


def test_an_output_inside_the_input_is_not_taken_for_input(space: Path) -> None:
    hostile.labelme(space / "in/a.json")
    first = maskforge.convert(space / "in", format="labelme", out=space / "in/out")
    before = kill.tree(space / "in/out")
    again = maskforge.convert(space / "in", format="labelme", out=space / "in/out", resume=True)
    assert len(again.problems) == len(first.problems)
    assert kill.difference(kill.tree(space / "in/out"), before) == ""


def test_a_resumed_run_forgets_the_split_of_an_earlier_one(space: Path) -> None:
    for index in range(4):
        hostile.labelme(space / f"in/{index}.json")
    convert(space)
    plain = kill.tree(space / "out")
    convert(space, overwrite=True, split=(0.5,))
    convert(space, resume=True)
    assert kill.difference(kill.tree(space / "out"), plain) == ""
