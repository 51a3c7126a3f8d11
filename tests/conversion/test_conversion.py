"""The whole conversion, through the Python API."""

import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from projects import box, elsewhere, folder, ids, labelme_file, tree  # noqa: F401

import maskforge
from maskforge.datasets import load, open_dataset
from maskforge.datasets.splitting import split
from maskforge.errors import ClassError, ReadError, UsageError

SAMPLES = Path(__file__).parents[2] / "samples"


def test_default_output_lies_beside_the_source(folder):
    result = maskforge.convert(folder, format="labelme")
    assert result.out == folder.parent / "photos-masks"
    assert sorted(tree(result.out)) == [
        "images/a.png", "images/more/b.png", "labels.txt", "manifest.json", "masks/a.png",
        "masks/more/b.png", "previews.jpg", "previews/a.jpg", "previews/more/b.jpg",
    ]  # fmt: skip
    assert (result.out / "labels.txt").read_text() == "_background_\ncat\ndog\n"
    assert ids(result.out / "masks/a.png").tolist() == [
        [0, 0, 0, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 1, 0, 0, 0, 0],
        [0, 1, 1, 1, 2, 2, 2, 2, 0],
        [0, 0, 0, 0, 2, 2, 2, 2, 0],
        [0, 0, 0, 0, 2, 2, 2, 2, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 0],
    ]


def test_result_counts_what_the_masks_hold(folder):
    result = maskforge.convert(folder, format="labelme")
    rows = {c.name: (c.id, c.images, c.pixels) for c in result.class_counts()}
    assert rows == {"_background_": (0, 2, 108 - 19 - 12), "cat": (1, 2, 19), "dog": (2, 1, 12)}
    assert result.contested() == {("dog", "cat"): 1}
    assert (result.converted, result.failed, result.exit_code) == (2, 0, 0)
    assert "dog" in result._repr_html_()
    assert json.loads(json.dumps(result.as_dict()))["classes"][2]["pixels"] == 12


def test_manifest_tells_how_the_output_came_about(folder):
    Image.new("RGB", (9, 6), (7, 8, 9)).save(folder / "more/b.png")  # another picture than a.png
    result = maskforge.convert(folder, format="labelme", split=[0.5])
    text = result.manifest.read_text()
    assert str(folder) not in text
    manifest = json.loads(text)
    assert manifest["classes"]["names"] == ["_background_", "cat", "dog"]
    assert manifest["classes"]["hash"] == result.classes.hash
    assert manifest["settings"]["rule"] == "pixel-center"
    assert manifest["pixels"] == {"0": 77, "1": 19, "2": 12}
    first = manifest["images"][0]
    assert (first["source"], first["image"], first["mask"]) == (
        "a.json",
        "images/a.png",
        "masks/a.png",
    )
    assert first["contested"] == {"2>1": 1}
    assert sorted(image["split"] for image in manifest["images"]) == ["train", "val"]


def test_images_are_hard_links_copies_or_left_alone(folder, tmp_path):
    source = folder / "a.png"
    for images, same in (("link", True), ("copy", False)):
        out = tmp_path / images
        maskforge.convert(folder, format="labelme", out=out, images=images)
        assert (out / "images/a.png").read_bytes() == source.read_bytes()
        assert (out / "images/a.png").samefile(source) is same
    result = maskforge.convert(folder, format="labelme", out=tmp_path / "none", images="none")
    assert not (tmp_path / "none/images").exists()
    assert (result.records[0]["image"], result.records[0]["original"]) == (None, "../photos/a.png")


def test_where_an_image_lies_is_told_from_the_current_folder(folder, tmp_path, monkeypatch):
    """The same relative source means another folder elsewhere, in the same process as well."""
    shutil.copytree(folder, tmp_path / "elsewhere" / folder.name)
    for place in (folder.parent, tmp_path / "elsewhere"):
        monkeypatch.chdir(place)
        result = maskforge.convert(
            folder.name, format="labelme", out=tmp_path / "out", images="none", overwrite=True
        )
        found = (tmp_path / "out" / result.records[0]["original"]).resolve()
        assert found == (place / folder.name / "a.png").resolve()


def test_one_bad_file_is_a_problem_and_the_rest_go_on(folder):
    (folder / "broken.json").write_text('{"shapes": [')
    result = maskforge.convert(folder, format="labelme")
    assert (result.converted, result.failed, result.exit_code) == (2, 1, 1)
    assert [(p.code, p.severity, Path(p.file).name) for p in result.problems] == [
        ("not-json", "error", "broken.json")
    ]
    recorded = json.loads((result.out / "problems.jsonl").read_text())
    assert recorded["file"] == "broken.json"


@pytest.mark.parametrize("layout", ["pairs", "voc"])
def test_where_nothing_is_converted_the_problems_are_kept(folder, tmp_path, layout):
    good = {path: path.read_bytes() for path in folder.rglob("*.json")}
    for path in good:
        path.write_text('{"shapes": [')
    out = tmp_path / "out"
    options = {"format": "labelme", "layout": layout, "out": out}
    result = maskforge.convert(folder, **options)
    assert (result.converted, result.failed, result.exit_code) == (0, 2, 3)
    assert str(result) == "0 images converted, 2 failed, 2 problems"
    assert sorted(tree(out)) == ["problems.jsonl"]
    lines = (out / "problems.jsonl").read_text().splitlines()
    assert [json.loads(line)["file"] for line in lines] == ["a.json", "more/b.json"]
    for path, content in good.items():
        path.write_bytes(content)
    result = maskforge.convert(folder, **options)  # what stands there is no output
    assert (result.converted, result.problems) == (2, ())
    before = tree(out)
    assert "problems.jsonl" not in before
    for path in good:
        path.write_text('{"shapes": [')
    result = maskforge.convert(folder, **options, overwrite=True)
    failed = (out / "problems.failed.jsonl").read_bytes()
    assert (result.converted, tree(out)) == (0, before | {"problems.failed.jsonl": failed})


def test_the_problems_of_nothing_converted_leave_what_is_the_users(folder, tmp_path):
    for path in folder.rglob("*.json"):
        path.write_text('{"shapes": [')
    out = tmp_path / "out"
    out.mkdir()
    (out / "problems.jsonl").write_text("mine")
    with pytest.raises(UsageError, match=r"problems\.jsonl"):
        maskforge.convert(folder, format="labelme", out=out)
    assert tree(out) == {"problems.jsonl": b"mine"}


def copied(via_twice):
    """Return two folders with the same pictures, each with what was drawn on them."""
    (via_twice / "project.json").unlink()
    shutil.copytree(via_twice, via_twice.parent / "copy")
    return [via_twice, via_twice.parent / "copy"]


def test_one_picture_in_two_places_comes_into_one_split(via_twice):
    result = maskforge.convert(copied(via_twice), format="via", as_="label", split=[0.5])
    where = {}
    for record in result.records:
        where.setdefault(record["stem"].rpartition("/")[2], []).append(record["split"])
    assert {len(splits) for splits in where.values()} == {2}
    assert sorted(splits[0] for splits in where.values()) == ["train", "train", "val", "val"]
    assert all(first == second for first, second in where.values())
    assert result.problems == ()


def test_training_holds_back_whole_pictures(via_twice):
    result = maskforge.convert(copied(via_twice), format="via", as_="label")
    examples = split(open_dataset(result.out), val=0.5, seed=0).examples
    where = {example.name.rpartition("/")[2]: example.split for example in examples}
    assert len(examples) == 8
    assert sorted(where.values()) == ["train", "train", "val", "val"]
    assert all(example.split == where[example.name.rpartition("/")[2]] for example in examples)


def test_a_project_and_what_was_exported_of_it_are_taken_once(via_twice):
    (via_twice / "export.json").rename(via_twice / "z.json")
    entries = json.loads((via_twice / "z.json").read_text())
    del entries["b.png1"]
    (via_twice / "z.json").write_text(json.dumps(entries))
    result = maskforge.convert(via_twice, format="via", as_="label")
    assert {(r["stem"], r["source"]) for r in result.records} == {
        (name, "project.json") for name in "abcd"
    }
    [problem] = result.problems
    assert (problem.code, problem.severity) == ("name-collision", "note")
    assert problem.file == str(via_twice / "z.json")
    assert problem.message.startswith("3 of its 3 images are described by project.json too")
    assert result.exit_code == 0


def test_of_files_with_as_many_images_json_and_the_first_name_are_taken(via_twice):
    header = "filename,file_size,file_attributes,region_count,region_id,"
    header += "region_shape_attributes,region_attributes\n"
    row = 'a.png,1,"{}",1,0,"{""name"":""point"",""cx"":1,""cy"":2}","{""class"":""dog""}"\n'
    (via_twice / "a.csv").write_text(
        header + "".join(row.replace("a.png", f"{n}.png") for n in "abcd")
    )
    result = maskforge.convert(via_twice, format="via", as_="label")
    assert {record["source"] for record in result.records} == {"export.json"}
    assert sorted(Path(p.file).name for p in result.problems) == ["a.csv", "project.json"]


def test_what_only_the_smaller_file_has_is_taken_from_that(via_twice):
    project = json.loads((via_twice / "project.json").read_text())
    entry = project["_via_img_metadata"].pop("c.png1")
    del project["_via_img_metadata"]["d.png1"]
    extra = entry | {"filename": "e.png"}
    Image.new("RGB", (9, 6)).save(via_twice / "e.png")
    project["_via_img_metadata"]["e.png1"] = extra
    (via_twice / "project.json").write_text(json.dumps(project))
    result = maskforge.convert(via_twice, format="via", as_="label")
    where = {record["stem"]: record["source"] for record in result.records}
    assert where == dict.fromkeys("abcd", "export.json") | {"e": "project.json"}
    assert [problem.message[:15] for problem in result.problems] == ["2 of its 3 imag"]


def test_pictures_that_are_not_there_are_not_taken_for_one(via_twice):
    for path in via_twice.glob("*.png"):
        path.unlink()
    result = maskforge.convert(via_twice, format="via", as_="label", assume_size=(9, 6))
    assert result.converted == 8
    assert [p.code for p in result.problems].count("name-collision") == 4


def test_labels_are_renamed_and_chosen_before_classes_are_looked_up(folder):
    result = maskforge.convert(folder, map={"c?t": "animal"}, drop=["dog"], out=folder / "out")
    assert result.classes.names == ("_background_", "animal")
    assert ids(result.out / "masks/a.png").tolist() == [
        [0] * 9,
        [0, 1, 1, 1, 1, 0, 0, 0, 0],
        [0, 1, 1, 1, 1, 0, 0, 0, 0],  # where the dog was drawn over it, too
        *[[0] * 9] * 3,
    ]
    settings = json.loads(result.manifest.read_text())["settings"]
    assert (settings["map"], settings["drop"]) == (["c?t=animal"], ["dog"])
    assert result.problems == ()


def test_only_some_labels_are_taken_and_others_ignored(folder):
    result = maskforge.convert(folder, only=["dog"], out=folder / "out")
    assert result.classes.names == ("_background_", "dog")
    assert ids(result.out / "masks/a.png")[1:4, 3:6].tolist() == [[0, 0, 0], [0, 1, 1], [0, 1, 1]]
    result = maskforge.convert(folder, ignore_labels=["dog"], out=folder / "two")
    mask = ids(result.out / "masks/a.png")
    assert mask[1:4, 3:6].tolist() == [[1, 1, 0], [1, 255, 255], [0, 255, 255]]


def test_other_rules_are_another_output(folder):
    maskforge.convert(folder, out=folder / "out", map=["dog=cat"])
    with pytest.raises(UsageError, match="other settings"):
        maskforge.convert(folder, out=folder / "out", resume=True)


def test_a_rule_for_no_label_is_told(folder):
    result = maskforge.convert(folder, map=["caat=dog"], only=["*"])
    assert [(p.code, p.severity, p.cure) for p in result.problems] == [
        ("label-doubt", "warning", "did you mean 'cat'?")
    ]
    assert "map= must name labels of the input, but 'caat' is none" in str(result.problems[0])


def test_labels_that_differ_in_case_are_told_with_their_images(folder):
    labelme_file(folder / "c.json", [("Cat", box(1, 1, 5, 3))])
    result = maskforge.convert(folder)
    [problem] = result.problems
    assert problem.message.endswith("there are 'Cat' (1 image), 'cat' (2 images)")
    assert problem.cure == 'if they are one class: map=["Cat=cat"]'
    assert maskforge.convert(folder, map=["Cat=cat"], out=folder / "out").problems == ()


def test_a_second_background_is_told(folder):
    labelme_file(folder / "c.json", [("Background", box(1, 1, 5, 3))])
    result = maskforge.convert(folder)
    [problem] = result.problems
    assert "'Background' is a class beside '_background_'" in problem.message
    assert problem.cure == 'if both are the background: map=["Background=_background_"]'
    result = maskforge.convert(folder, labels=["cat", "dog"], out=folder / "out")
    assert (result.problems, result.class_counts()[0].images) == ((), 3)


def test_numbered_labels_look_like_one_class(folder):
    labelme_file(folder / "c.json", [(f"cell_{n}", box(n, 1, n + 1, 3)) for n in (1, 2, 3)])
    result = maskforge.convert(folder)
    [problem] = result.problems
    assert (problem.severity, result.exit_code) == ("note", 0)
    assert problem.message == "'cell_1' … 'cell_3' are 3 classes, and look like one"
    assert problem.cure == 'if they are one class: map=["cell_*=cell"]'


def test_numbers_of_labelme_3_tell_things_apart_where_the_list_has_their_class(folder):
    shapes = [("dog-1", box(0, 0, 2, 1)), ("dog-2", box(3, 0, 5, 1)), ("dog-1", box(6, 0, 8, 1))]
    labelme_file(folder / "c.json", shapes)
    labels = ["cat", "dog"]
    result = maskforge.convert(folder, labels=labels, layout="voc", out=folder / "out")
    with Image.open(result.out / "SegmentationClass/c.png") as image:
        assert np.asarray(image)[0].tolist() == [2, 2, 0, 2, 2, 0, 2, 2, 0]
    with Image.open(result.out / "SegmentationObject/c.png") as image:
        assert np.asarray(image)[0].tolist() == [1, 1, 0, 2, 2, 0, 1, 1, 0]
    listed = maskforge.convert(folder, labels=[*labels, "dog-1", "dog-2"], out=folder / "two")
    assert ids(listed.out / "masks/c.png")[0].tolist() == [3, 3, 0, 4, 4, 0, 3, 3, 0]


def test_an_unknown_label_is_told_with_its_places(folder):
    for name in "cdef":
        labelme_file(folder / f"{name}.json", [("cow", box(0, 0, 2, 1)), ("cow", box(0, 2, 2, 4))])
    with pytest.raises(ClassError) as caught:
        maskforge.convert(folder, labels=["cat"])
    message = caught.value.message
    assert f"'dog' (once: {folder / 'a.json'}: shapes[1])" in message
    assert f"'cow' (8 regions in 4 files: {folder / 'c.json'}: shapes[0]; " in message
    assert f"{folder / 'e.json'}: shapes[0]; …), 'dog'" in message


@pytest.mark.parametrize("reader", ["labelme", "via"])
def test_a_shape_that_cannot_be_drawn_withholds_its_image_or_is_left_out(tmp_path, reader):
    source = tmp_path / "in"
    if reader == "labelme":
        labelme_file(source / "a.json", [("cat", box(1, 1, 5, 3)), ("cat", [[1, "x"], [2, 2]])])
    else:
        source.mkdir()
        Image.new("RGB", (9, 6)).save(source / "a.png")
        shapes = [{"name": "rect", "x": 1, "y": 1, "width": 4, "height": 2}, {"name": "blob"}]
        regions = [{"shape_attributes": s, "region_attributes": {"k": "cat"}} for s in shapes]
        (source / "a.json").write_text(
            json.dumps({"a.png1": {"filename": "a.png", "size": 1, "regions": regions}})
        )
    result = maskforge.convert(source, as_="label", out=tmp_path / "out")
    [problem] = result.problems
    assert (result.converted, problem.severity) == (0, "error")
    assert 'bad_shape="skip"' in problem.cure
    result = maskforge.convert(source, as_="label", out=tmp_path / "two", bad_shape="skip")
    [problem] = result.problems
    assert (result.converted, problem.severity) == (1, "warning")
    assert ids(result.out / "masks/a.png").sum() == 8


def test_of_many_shapes_that_cannot_be_drawn_the_first_are_told(tmp_path):
    labelme_file(tmp_path / "in/a.json", [("cat", [[1, "x"]])] * 30)
    result = maskforge.convert(tmp_path / "in")
    assert len(result.problems) == 20
    assert result.problems[-1].message.endswith("; and 10 more shapes of this image")


def test_a_file_of_another_format_is_named_and_the_rest_go_on(folder, via_twice):
    shutil.copy(via_twice / "export.json", folder / "drawn.json")
    result = maskforge.convert(folder)
    assert (result.reader, result.converted, result.failed) == ("labelme", 2, 0)
    assert (result.account.files, result.exit_code) == (2, 1)
    [problem] = result.problems
    assert (problem.code, Path(problem.file).name) == ("wrong-format", "drawn.json")
    assert problem.severity == "warning"
    assert problem.message == "this is not in the format labelme, but in via"
    assert problem.cure == f'maskforge.convert("{folder}/drawn.json", format="via")'


def test_other_json_in_the_folder_is_left_alone_and_said(folder):
    (folder / "package.json").write_text('{"name": "photos"}')
    (folder / "more/list.json").write_text("[1]")
    result = maskforge.convert(folder)
    assert (result.converted, result.failed, result.exit_code) == (2, 0, 0)
    assert [(p.severity, Path(p.file).name) for p in result.problems] == [
        ("note", "list.json"),
        ("note", "package.json"),
    ]
    assert all(p.message.startswith("left alone: a Labelme file must") for p in result.problems)
    named = maskforge.convert([folder / "a.json", folder / "package.json"], format="labelme")
    assert (named.converted, named.failed, named.exit_code) == (1, 1, 1)
    broken = maskforge.convert(folder / "more", format="labelme", out=folder / "out")
    assert (broken.converted, broken.exit_code) == (1, 0)


@pytest.fixture
def via_twice(tmp_path):
    """A folder with four images, and what was drawn on them in two files."""
    place = tmp_path / "twice"
    place.mkdir()
    entries = {}
    for number, name in enumerate("abcd"):
        Image.fromarray(np.full((6, 9, 3), 60 * number, np.uint8)).save(place / f"{name}.png")
        shape = {"name": "rect", "x": 1, "y": 1, "width": 4, "height": 3}
        region = {"shape_attributes": shape, "region_attributes": {"class": "dog"}}
        entries[f"{name}.png1"] = {"filename": f"{name}.png", "size": 1, "regions": [region]}
    (place / "export.json").write_text(json.dumps(entries))
    project = {"_via_settings": {}, "_via_img_metadata": entries, "_via_attributes": {}}
    (place / "project.json").write_text(json.dumps(project))
    return place


def test_unknown_labels_are_named_once_before_anything_is_written(folder):
    with pytest.raises(ClassError, match="the input also has 'dog'") as caught:
        maskforge.convert(folder, format="labelme", labels="cat,dgo")
    assert "did you mean 'dgo'" in caught.value.cure
    assert not (folder.parent / "photos-masks").exists()


@pytest.mark.parametrize(("unknown", "dog"), [("skip", 1), ("ignore", 255), ("background", 0)])
def test_unknown_labels_can_be_skipped_ignored_or_erase(folder, unknown, dog):
    result = maskforge.convert(folder, format="labelme", labels=["cat"], unknown=unknown)
    mask = ids(result.out / "masks/a.png")
    assert mask[2, 4] == dog
    assert mask[2, 1] == 1


def test_labels_txt_beside_the_source_is_found_and_ids_never_depend_on_the_images(folder):
    (folder / "labels.txt").write_text("\ufeff__ignore__\n\n_background_\nzebra\ndog\n\ncat\n")
    result = maskforge.convert(folder, format="labelme")
    assert result.classes_from == str(folder / "labels.txt")
    assert set(np.unique(ids(result.out / "masks/a.png"))) == {0, 2, 3}


def test_labels_txt_in_the_current_folder_counts_when_it_is_about_the_input(folder):
    here = Path("labels.txt")
    here.write_text("zebra\n")
    result = maskforge.convert(folder, format="labelme")
    assert result.classes.names == ("_background_", "cat", "dog")
    assert result.classes_from.endswith("labels.txt in the current folder lists none of its labels")
    here.write_text("zebra\ncat\n")
    with pytest.raises(ClassError, match="the input also has 'dog'"):
        maskforge.convert(folder, format="labelme", overwrite=True)
    here.write_text("zebra\ndog\ncat\n")
    result = maskforge.convert(folder, format="labelme", overwrite=True)
    assert result.classes_from == "labels.txt"
    assert result.classes.id_of("cat") == 3


def test_exif_orientation_makes_image_and_mask_agree(tmp_path):
    # Stored 4 rows x 6 columns with orientation 6: upright it is 6 rows x 4 columns.
    stored = np.zeros((4, 6, 3), np.uint8)
    stored[3, 0] = 255  # the bottom left pixel becomes the top left one
    exif = Image.Exif()
    exif[0x0112] = 6
    source = tmp_path / "in"
    labelme_file(source / "a.json", [("dot", box(0, 0, 1, 1))], height=6, width=4, image=False)
    Image.fromarray(stored).save(source / "a.png", exif=exif)
    result = maskforge.convert(source, format="labelme")
    with Image.open(result.out / "images/a.png") as image:
        assert image.size == (4, 6)
        assert np.array(image)[0, 0].tolist() == [255, 255, 255]
    mask = ids(result.out / "masks/a.png")
    assert mask.shape == (6, 4)
    assert np.argwhere(mask).tolist() == [[0, 0]]
    assert result.records[0]["exif"] == "image"


def test_annotation_in_the_stored_frame_is_turned_with_the_image(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    source = tmp_path / "in"
    labelme_file(source / "a.json", [("dot", box(0, 3, 1, 4))], height=4, width=6, image=False)
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(source / "a.png", exif=exif)
    result = maskforge.convert(source, format="labelme")
    assert np.argwhere(ids(result.out / "masks/a.png")).tolist() == [[0, 0]]
    assert result.records[0]["exif"] == "image and annotation"


def test_declared_size_that_is_not_the_images_is_a_problem_never_a_guess(folder):
    Image.new("RGB", (10, 6)).save(folder / "a.png")
    result = maskforge.convert(folder, format="labelme")
    assert [(p.code, p.severity) for p in result.problems] == [("size-mismatch", "error")]
    assert not (result.out / "masks/a.png").exists()


def test_missing_image_is_a_warning_when_the_size_is_declared(folder):
    (folder / "a.png").unlink()
    result = maskforge.convert(folder, format="labelme")
    assert [(p.code, p.severity) for p in result.problems] == [("no-image", "warning")]
    assert result.converted == 2
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    Image.new("RGB", (9, 6)).save(elsewhere / "a.png")
    found = maskforge.convert(
        folder, format="labelme", out=folder.parent / "found", images_from=elsewhere
    )
    assert not found.problems


def test_assumed_size_stands_in_for_images_that_are_not_there(tmp_path):
    regions = [
        {
            "shape_attributes": {"name": "rect", "x": 1, "y": 2, "width": 3, "height": 1},
            "region_attributes": {"name": "cat"},
        }
    ]
    entry = {"filename": "gone.jpg", "size": 9, "regions": regions, "file_attributes": {}}
    (tmp_path / "via.json").write_text(json.dumps({"gone.jpg9": entry}))
    without = maskforge.convert(tmp_path / "via.json", as_="label")
    assert [(p.code, p.severity) for p in without.problems] == [("no-image", "error")]
    assert "assume_size=(W, H)" in without.problems[0].cure
    result = maskforge.convert(tmp_path / "via.json", as_="label", assume_size=(7, 4))
    assert [(p.code, p.severity) for p in result.problems] == [("no-image", "warning")]
    mask = ids(result.out / "masks/gone.png")
    assert mask.shape == (4, 7)
    assert np.argwhere(mask).tolist() == [[2, 1], [2, 2], [2, 3]]


def test_size_scales_the_geometry_then_rasterizes(folder):
    result = maskforge.convert(folder, format="labelme", size=(18, 12))
    mask = ids(result.out / "masks/a.png")
    assert mask.shape == (12, 18)
    assert (mask == np.kron(ids_of_default(folder), np.ones((2, 2), np.uint8))).all()
    with Image.open(result.out / "images/a.png") as image:
        assert image.size == (18, 12)


def test_one_number_is_the_longer_side_at_most(folder):
    whole = ids_of_default(folder)
    assert whole.shape == (6, 9)
    result = maskforge.convert(folder, format="labelme", size=6, as_="label")
    assert ids(result.out / "masks/a.png").shape == (4, 6)
    with Image.open(result.out / "images/a.png") as image:
        assert image.size == (6, 4)
    for size in (9, 100, "full"):
        same = maskforge.convert(folder, format="labelme", size=size, out=folder.parent / f"{size}")
        assert (ids(same.out / "masks/a.png") == whole).all()
        assert (same.out / "images/a.png").read_bytes() == (folder / "a.png").read_bytes()


def ids_of_default(folder: Path):
    return ids(
        maskforge.convert(folder, format="labelme", out=folder.parent / "plain").out / "masks/a.png"
    )


def test_all_previews_lie_on_one_picture_called_as_their_folder(folder):
    sheet = maskforge.convert(folder, format="labelme").out / "previews.jpg"
    with Image.open(sheet) as first:
        assert first.width > 2 * 320
        assert first.height < first.width
    (folder / "more/b.json").unlink()
    again = maskforge.convert(folder, format="labelme", overwrite=True)
    assert again.converted == 1
    assert not sheet.exists()  # one is looked at as it is
    without = maskforge.convert(folder, format="labelme", previews=False, out=folder / "out")
    assert [name for name in tree(without.out) if "previews" in name] == []


def test_the_sheet_shows_what_stands_and_what_is_new(folder):
    both = {"format": "labelme", "labels": ["cat", "dog"]}
    first = maskforge.convert(folder, **both).out / "previews.jpg"
    before = first.read_bytes()
    labelme_file(folder / "a.json", [("cat", box(0, 0, 9, 6))])
    result = maskforge.convert(folder, **both, resume=True)
    assert (result.converted, result.kept) == (2, 1)
    changed = first.read_bytes()
    assert changed != before
    anew = maskforge.convert(folder, **both, out=folder.parent / "anew", workers=2)
    assert (anew.out / "previews.jpg").read_bytes() == changed


def test_somebody_s_file_in_the_place_of_the_sheet_is_named(folder):
    out = folder.parent / "out"
    out.mkdir()
    (out / "previews.jpg").write_bytes(b"mine")
    with pytest.raises(UsageError, match=r"previews\.jpg was not made by this command"):
        maskforge.convert(folder, format="labelme", out=out)
    assert (out / "previews.jpg").read_bytes() == b"mine"
    assert [path.name for path in out.iterdir()] == ["previews.jpg"]


def test_an_image_called_like_the_sheet_goes_elsewhere(folder):
    for stem in ("previews.jpg", "c"):
        labelme_file(folder / f"{stem}.json", [("cat", box(0, 0, 2, 1))])
    result = maskforge.convert(folder, format="labelme", layout="labelme")
    assert (result.out / "previews.jpg").is_file()
    assert len(result.records) == 4


def test_names_that_collide_are_kept_apart_and_said(tmp_path):
    source = tmp_path / "in"
    labelme_file(source / "x.json", [("cat", box(0, 0, 2, 2))])
    labelme_file(source / "X.json", [("dog", box(0, 0, 3, 3))])
    result = maskforge.convert(source, format="labelme")
    assert [p.code for p in result.problems] == ["name-collision"]
    assert sorted(p.name for p in (result.out / "masks").iterdir()) == ["X.png", "x-2.png"]


def test_via_one_hot_dictionary_reads_as_the_book_reads_it(tmp_path):
    result = maskforge.convert(
        SAMPLES / "via/segmentation_test.json", out=tmp_path / "out/test.npy", labels="1,2,3"
    )
    assert (result.reader, result.writer) == ("via", "onehot")
    planes = np.load(result.out, allow_pickle=True).flat[0]
    assert len(planes) == result.converted == 12
    for array in planes.values():
        assert array.shape == (120, 160, 4)
        assert array.dtype == np.uint8
        assert (array.sum(axis=2) == 1).all()
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        ".maskforge-test.npy.owned",
        "test-previews", "test-previews.jpg", "test.labels.txt", "test.manifest.json", "test.npy",
    ]  # fmt: skip


def test_one_hot_can_keep_overlaps(folder):
    result = maskforge.convert(folder, format="labelme", as_="onehot", overlap="keep")
    planes = np.load(result.out, allow_pickle=True).item()["a.png"]
    assert planes[2, 4].tolist() == [0, 1, 1]
    assert planes[1, 1].tolist() == [0, 1, 0]


def test_ochuman_colour_masks_are_the_published_bgr_values(tmp_path):
    result = maskforge.convert(SAMPLES / "ochuman", style="purple-yellow", out=tmp_path / "out")
    assert (result.reader, result.writer) == ("ochuman", "color")
    mask = cv2.imread(str(next((tmp_path / "out/masks").iterdir())))
    colors = {tuple(color) for color in np.unique(mask.reshape(-1, 3), axis=0).tolist()}
    assert colors == {(120, 0, 120), (50, 235, 235)}


@pytest.mark.parametrize("layout", ["voc", "labelme", "article"])
def test_every_layout_is_written_from_every_reader(tmp_path, layout):
    for reader, source in (
        ("labelme", "labelme/more"),
        ("via", "via/variants/via_shapes.json"),
        ("ochuman", "ochuman"),
    ):
        out = tmp_path / reader
        result = maskforge.convert(
            SAMPLES / source, format=reader, layout=layout, out=out, labels=None
        )
        assert result.converted
        for record in result.records:
            assert (out / record["mask"]).is_file()
            assert (out / record["image"]).is_file()


def test_contradictions_are_said_at_once(folder):
    with pytest.raises(UsageError, match="contradict"):
        maskforge.convert(folder, overwrite=True, resume=True)
    with pytest.raises(UsageError, match=r'overlap="keep" must not be given for label'):
        maskforge.convert(folder, overlap="keep")
    with pytest.raises(UsageError, match="style= must not be given for label"):
        maskforge.convert(folder, style="black-white")
    with pytest.raises(UsageError, match="overlap must be one of"):
        maskforge.convert(folder, overlap="lats")
    with pytest.raises(UsageError, match="images must be one of"):
        maskforge.convert(folder, images="move")
    with pytest.raises(UsageError, match="did you mean 'coco'"):
        maskforge.convert(folder, rule="cocoo")
    with pytest.raises(UsageError, match="only its own options"):
        maskforge.convert(folder, format="labelme", reader_options={"attribute": "x"})
    with pytest.raises(ReadError, match="there must be a file or folder"):
        maskforge.convert(folder / "nowhere", format="labelme")


def test_one_annotation_file_and_several(folder, tmp_path):
    result = maskforge.convert(folder / "a.json")
    assert result.out == folder / "a-masks"
    shutil.copytree(folder, tmp_path / "second")
    both = maskforge.convert([folder, tmp_path / "second"], format="labelme", out=tmp_path / "both")
    assert [record["stem"] for record in both.records] == [
        "photos/a", "photos/more/b", "second/a", "second/more/b",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "values", "ids_"),
    [
        ("7:cat,300:dog", [0, 7, 300], [0, 7, 300]),
        ("0:cat,1:dog", [0, 1, 255], [0, 1]),
        ("0:cat,5:dog,9:_background_", [0, 5, 9], [0, 5, 9]),
    ],
)
@pytest.mark.parametrize("as_", ["label", "npy", "palette", "color", "onehot"])
def test_the_ids_of_the_list_go_through_to_training_and_scores(folder, as_, labels, values, ids_):
    """What is written with ids of its own is read back by channel, whatever kind of mask it is."""
    if as_ == "palette" and 300 in values:
        pytest.skip("a palette has 256 entries")
    more = {"style": "#000000,#ff0000,#00ff00,"[: 8 * len(ids_) - 1]} if as_ == "color" else {}
    result = maskforge.convert(folder, format="labelme", labels=labels, as_=as_, **more)
    assert (result.exit_code, result.classes.ids) == (0, tuple(ids_))
    if as_ in ("label", "palette"):
        with Image.open(result.out / "masks/a.png") as image:
            assert np.unique(np.asarray(image)).tolist() == values
    data = open_dataset(result.out)
    assert data.classes == result.classes
    dense = maskforge.convert(folder, format="labelme", as_="label", out=folder.parent / "dense")
    names = {"_background_": 0, "cat": 1, "dog": 2}
    expected = [names[n] for n in data.classes.names]
    for example, record in zip(data.examples, dense.records, strict=True):
        channels = load(example, data)[1]
        plain = ids(dense.out / record["mask"])
        for channel, value in enumerate(expected):
            np.testing.assert_array_equal(channels == channel, plain == value)


def test_without_a_background_what_nobody_drew_is_ignored_and_counted(folder):
    result = maskforge.convert(folder, format="labelme", labels="0:cat,1:dog")
    rows = {c.name: (c.id, c.pixels) for c in result.class_counts()}
    assert rows == {"cat": (0, 19), "dog": (1, 12), "__ignore__": (255, 77)}
    assert (result.out / "labels.txt").read_text() == "0:cat\n1:dog\n"
    assert json.loads(result.manifest.read_text())["classes"]["background"] is None


def test_previews_show_the_window_that_is_asked_for(tmp_path):
    labelme_file(tmp_path / "in/a.json", [("cat", box(0, 0, 1, 1))], image=False)
    values = np.full((6, 9), 1000, np.uint16)
    values[:, 5:] = 3000
    Image.fromarray(values).save(tmp_path / "in/a.png")
    shown = {}
    for window in (None, (0, 4000)):
        result = maskforge.convert(tmp_path / "in", out=tmp_path / str(window), window=window)
        with Image.open(result.out / "previews/a.jpg") as image:
            width = 400 // 9 * 9 + 9
            assert image.width == width
            shown[window] = [image.getpixel((x * width // 9, 200))[0] for x in (3, 7)]
    assert shown[None] == [0, 255]
    assert np.allclose(shown[0, 4000], [64, 191], atol=2)
    with pytest.raises(UsageError, match="window must be two numbers, the lower one first"):
        maskforge.convert(tmp_path / "in", window=(5, 5))


@pytest.mark.parametrize("kind", ["none", "file", "fifo"])
def test_the_folder_of_images_must_be_one(folder, tmp_path, kind):
    place = tmp_path / "place"
    if kind == "file":
        place.write_text("")
    elif kind == "fifo":
        os.mkfifo(place)
    with pytest.raises(UsageError, match="must be a folder, but"):
        maskforge.convert(folder, images_from=place)
    assert not (tmp_path / "photos-masks").exists()
