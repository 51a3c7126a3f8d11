"""Conversions to formats of regions: places, what is lost, what is asked for, and the way back."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from projects import box, elsewhere, folder, ids, labelme_file, tree  # noqa: F401

import maskforge
from maskforge import plugins
from maskforge.errors import ReadError, UsageError
from maskforge.io.manifest import load as load_manifest

FORMATS = ("coco", "labelme", "panoptic", "via", "yolo")
HERE = "labels.txt"


@pytest.fixture(autouse=True)
def another_picture(folder):
    """Have two pictures, so that there can be two splits."""
    Image.new("RGB", (9, 6), (10, 20, 30)).save(folder / "more/b.png")


def masks(out):
    return {path.stem: ids(path) for path in sorted((out / "masks").rglob("*.png"))}


@pytest.mark.parametrize(
    ("as_", "name"),
    [
        ("coco", "photos-coco.json"),
        ("panoptic", "photos-panoptic.json"),
        ("via", "photos-via.json"),
        ("labelme", "photos-labelme"),
        ("polygons", "photos-polygons"),
        ("yolo", "photos-yolo"),
    ],
)
def test_where_it_goes(folder, as_, name):
    result = maskforge.convert(folder, as_=as_)
    assert result.out == folder.parent / name
    assert result.problems == ()
    again = maskforge.convert(folder, as_=as_, out=folder.parent / "else", previews=False)
    is_file = name.endswith(".json")
    assert again.out == folder.parent / ("else/" + name if is_file else "else")


@pytest.mark.parametrize("as_", FORMATS)
def test_there_and_back_is_the_same(folder, tmp_path, as_):
    direct = maskforge.convert(folder, out=tmp_path / "direct").out
    result = maskforge.convert(folder, as_=as_, out=tmp_path / f"there/{as_}", images="copy")
    back = maskforge.convert(result.out, as_="label", out=tmp_path / "back", labels=["cat", "dog"])
    assert back.reader == as_
    assert [problem.code for problem in back.problems] == []
    found, wanted = masks(back.out), masks(direct)
    assert found.keys() == wanted.keys()
    for name, image in wanted.items():
        assert np.array_equal(found[name], image), name
    assert {record["image"] for record in back.records} != {None}


@pytest.mark.parametrize("as_", FORMATS)
def test_masks_there_and_back(folder, tmp_path, as_):
    out = maskforge.convert(folder, out=tmp_path / "masks").out
    there = maskforge.convert(out, as_=as_, out=tmp_path / f"there/{as_}", images="copy")
    assert there.reader == "masks"
    back = maskforge.convert(there.out, as_="label", out=tmp_path / "back", labels=["cat", "dog"])
    wanted = masks(out)
    assert {name: image.tolist() for name, image in masks(back.out).items()} == {
        name: image.tolist() for name, image in wanted.items()
    }


@pytest.mark.parametrize("as_", [*FORMATS, "polygons"])
@pytest.mark.parametrize("layout", [None, "coco", "yolo"])
def test_two_workers_give_the_same_bytes(folder, tmp_path, as_, layout):
    if layout == "yolo" and as_ in ("coco", "panoptic", "via"):
        with pytest.raises(UsageError, match="cannot have layout 'yolo'"):
            maskforge.convert(folder, as_=as_, layout=layout)
        return
    for workers in (1, 2):
        out = tmp_path / f"{workers}/all.json"
        maskforge.convert(folder, as_=as_, layout=layout, split=[0.5], out=out, workers=workers)
    assert tree(tmp_path / "1") == tree(tmp_path / "2")


def test_what_is_ignored_is_counted_and_told(folder, tmp_path):
    labelme_file(folder / "c.json", [("cat", box(0, 0, 9, 3)), ("__ignore__", box(0, 0, 9, 1))])
    out = tmp_path / "all.json"
    result = maskforge.convert(folder, as_="coco", out=out)
    (problem,) = result.problems
    assert (problem.code, problem.severity, problem.file) == ("lost", "warning", str(out))
    assert "9 ignored pixels in 1 image" in problem.message
    assert result.exit_code == 1
    assert result.account.lost == {"ignored pixels": (9, 1)}
    assert "lost: 9 ignored pixels in 1 image" in list(result.account.lines())
    assert [record.get("lost") for record in result.records] == [None, {"ignored pixels": 9}, None]
    with pytest.raises(ReadError, match="9 ignored pixels"):
        maskforge.convert(folder, as_="yolo", out=tmp_path / "y", strict=True)
    result = maskforge.convert(folder, as_="labelme", out=tmp_path / "l")
    again = maskforge.convert(folder, as_="labelme", out=tmp_path / "l", resume=True)
    assert (again.kept, again.account.lost) == (3, result.account.lost)
    assert [p.code for p in again.problems] == ["lost"]


def test_a_hole_that_was_erased_stays_a_hole(folder, tmp_path):
    shapes = [("cat", box(0, 0, 9, 6)), ("_background_", box(2, 2, 5, 4)), ("dog", box(7, 0, 9, 2))]
    labelme_file(folder / "c.json", shapes)
    for as_ in ("coco", "labelme", "via", "yolo"):
        result = maskforge.convert(folder, as_=as_, out=tmp_path / f"{as_}/{as_}", images="copy")
        back = maskforge.convert(result.out, as_="label", out=tmp_path / f"{as_}-back")
        cat = back.classes["cat"]
        expected = np.full((6, 9), cat)
        expected[2:4, 2:5] = 0
        expected[0:2, 7:9] = back.classes["dog"]
        assert np.array_equal(masks(back.out)["c"], expected), as_


def test_a_labelme_file_lies_beside_its_image(folder, tmp_path):
    out = maskforge.convert(folder, as_="labelme", out=tmp_path / "out").out
    assert {"a.json", "a.png", "more/b.json"} <= tree(out).keys()
    content = json.loads((out / "more/b.json").read_text())
    assert content["imagePath"] == "b.png"
    out = maskforge.convert(folder, as_="labelme", out=tmp_path / "bare", images="none").out
    path = out / "more/b.json"
    image = json.loads(path.read_text())["imagePath"]
    assert (path.parent / image).resolve() == (folder / "more/b.png").resolve()


def test_via_finds_images_where_they_are(folder, tmp_path):
    result = maskforge.convert(folder, as_="via", out=tmp_path / "all.json")
    project = json.loads(result.out.read_text())
    assert project["_via_settings"]["core"]["default_filepath"] == "photos/"
    assert list(project["_via_img_metadata"]) == ["a.png-1", "more/b.png-1"]
    back = maskforge.convert(result.out, as_="label", out=tmp_path / "back")
    assert back.problems == ()


def test_options_of_other_writers_are_refused(folder):
    for given, said, cure in (
        ({"segmentation": "rle", "as_": "yolo"}, "segmentation", 'add as_="coco"'),
        ({"split_parts": True}, "split_parts", 'add as_="yolo"'),
        ({"keep_iou": 0.9}, "keep_iou", "coco"),
    ):
        with pytest.raises(UsageError, match=f"{said}.* must not be given") as caught:
            maskforge.convert(folder, **given)
        assert cure in caught.value.cure
    with pytest.raises(UsageError, match=r"keep_iou.* must be given for masks only"):
        maskforge.convert(folder, as_="labelme", keep_iou=0.9)
    for given, said in (
        ({"keep_iou": 1.5}, "from 0 to 1"),
        ({"keep_iou": float("nan")}, "from 0 to 1"),
        ({"tolerance": -1}, "0 or more pixels"),
        ({"tolerance": 1, "keep_iou": 0.9}, "contradict"),
        ({"min_area": 0}, "at least 1"),
        ({"tolerance": "much"}, "a number"),
    ):
        with pytest.raises(UsageError, match=said):
            maskforge.convert(folder, as_="labelme", **given)


@pytest.fixture
def disc(tmp_path):
    """A mask of a disc with a pin hole, and a speck."""
    rows, columns = np.mgrid[0:60, 0:80]
    image = ((rows - 30) ** 2 + (columns - 40) ** 2 < 25**2).astype(np.uint8)
    image[30, 40] = 0
    image[2, 3] = 2
    (tmp_path / "set/masks").mkdir(parents=True)
    Image.fromarray(image).save(tmp_path / "set/masks/a.png")
    (tmp_path / "set/images").mkdir()
    Image.new("RGB", (80, 60)).save(tmp_path / "set/images/a.png")
    (tmp_path / "set/labels.txt").write_text("_background_\ncat\ndog\n")
    return tmp_path / "set"


@pytest.mark.parametrize("as_", ["coco", "labelme", "via", "yolo"])
def test_simplified_on_request(disc, tmp_path, as_):
    given = {"as_": as_, "labels": ["cat", "dog"], "previews": False, "format": "masks"}
    whole = maskforge.convert(disc, out=tmp_path / "whole/all.json", **given)
    result = maskforge.convert(
        disc, out=tmp_path / "some/all.json", keep_iou=0.97, min_area=2, **given
    )
    told = result.account.traced
    assert told["points after"] < told["points before"]
    assert 0.97 <= told["lowest IoU"] < 1
    assert (told["specks"], told["pixels of specks"]) == (2, 2)
    lines = " ".join(result.account.lines())
    assert f"{told['points before']:,} points are {told['points after']:,}" in lines
    assert "specks and pin holes removed: 2, of 2 pixels" in lines
    assert whole.account.traced == {}
    back = maskforge.convert(
        result.out, format=as_, as_="label", labels=["cat", "dog"], assume_size=(80, 60),
        out=tmp_path / "back", images="none", previews=False,
    )  # fmt: skip
    mask = ids(back.out / "masks/a.png")
    assert mask[30, 40] == 1
    assert not mask[2, 3]


def test_the_least_area_of_one_removes_nothing(disc, tmp_path):
    given = {"as_": "labelme", "labels": ["cat", "dog"], "previews": False, "format": "masks"}
    out = maskforge.convert(disc, out=tmp_path / "a", **given).out
    same = maskforge.convert(disc, out=tmp_path / "b", min_area=1, **given).out
    path = "a.json"
    assert (out / path).read_bytes() == (same / path).read_bytes()


@pytest.mark.parametrize(
    ("layout", "as_"),
    [(name, None) for name in ("yolo", "ultralytics-semantic", "nnunet", "mmseg", "coco")]
    + [("coco", "panoptic")],
)
def test_layouts_of_trainers_resume_as_others_do(folder, tmp_path, layout, as_):
    labelme_file(folder / "c.json", [("cat", box(0, 0, 9, 6))])
    some = {"layout": layout, "as_": as_, "split": [0.5], "labels": ["cat", "dog"]}
    out = maskforge.convert(folder, out=tmp_path / "out", **some).out
    whole = tree(out)
    again = maskforge.convert(folder, out=out, resume=True, **some)
    assert again.kept == (0 if layout == "coco" else 3)
    assert tree(out) == whole
    (folder / "c.json").unlink()
    maskforge.convert(folder, out=out, overwrite=True, **some)
    fresh = maskforge.convert(folder, out=tmp_path / "fresh", **some)
    assert tree(out) == tree(fresh.out)


def test_ids_are_consecutive_where_a_trainer_wants_that(folder, tmp_path):
    labels = tmp_path / "labels.txt"
    labels.write_text("__ignore__\n0:_background_\n7:cat\n300:dog\n")
    labelme_file(folder / "c.json", [("cat", box(0, 0, 9, 3)), ("__ignore__", box(0, 0, 9, 1))])
    for layout, place, ignore in (
        ("nnunet", "labelsTr/c.png", 3),
        ("mmseg", "ann_dir/train/c.png", 255),
        ("ultralytics-semantic", "masks/train/c.png", 255),
    ):
        out = maskforge.convert(folder, labels=labels, layout=layout, out=tmp_path / layout).out
        found = ids(out / place)
        assert found[:, 0].tolist() == [ignore, 1, 1, 0, 0, 0]
        assert load_manifest(out / "manifest.json")["classes"]["ids"] == [0, 1, 2]
        again = maskforge.convert(out, out=tmp_path / f"{layout}-again")  # our own are a source
        assert ids(again.out / "masks/c.png")[:, 0].tolist() == [ignore, 1, 1, 0, 0, 0]
    dataset = json.loads((tmp_path / "nnunet/dataset.json").read_text())
    assert dataset["labels"] == {"background": 0, "cat": 1, "dog": 2, "ignore": 3}


@pytest.mark.parametrize("layout", ["yolo", "ultralytics-semantic"])
def test_numbers_of_polygons_are_those_of_the_names_in_every_set_up(folder, tmp_path, layout):
    some = {"layout": layout, "as_": "yolo", "labels": ["cat", "dog"], "previews": False}
    out = maskforge.convert(folder, out=tmp_path / "out", **some).out
    lines = (out / "data.yaml").read_text().splitlines()
    assert lines[lines.index("names:") + 1 :] == ['  0: "cat"', '  1: "dog"']
    assert "masks_dir" not in (out / "data.yaml").read_text()
    [a] = out.rglob("a.txt")
    assert {line.split()[0] for line in a.read_text().splitlines()} == {"0", "1"}


def test_cases_of_nnunet_that_would_have_one_name_get_two(folder, tmp_path):
    shutil.copy(folder / "a.png", folder / "more__b.png")
    labelme_file(folder / "more__b.json", [("cat", box(0, 0, 9, 6))])
    result = maskforge.convert(folder, layout="nnunet", out=tmp_path / "out")
    assert len({record["mask"] for record in result.records}) == 3
    assert [problem.code for problem in result.problems] == ["name-collision"]


def test_an_image_called_as_the_manifest_gets_another_name(folder, tmp_path):
    for path in folder.glob("a.*"):
        path.rename(folder / f"manifest{path.suffix}")
    content = json.loads((folder / "manifest.json").read_text()) | {"imagePath": "manifest.png"}
    (folder / "manifest.json").write_text(json.dumps(content))
    result = maskforge.convert(folder, as_="labelme", out=tmp_path / "out")
    assert [problem.code for problem in result.problems] == ["name-collision"]
    made = tree(result.out).keys()
    assert {"manifest-2.json", "manifest-2.png", "manifest.json"} <= made
    assert load_manifest(result.out / "manifest.json")["kind"] == "labelme"


def test_a_region_output_is_no_set_of_masks(folder, tmp_path):
    from maskforge.readers.masks.opening import open_dataset

    for as_ in ("labelme", "yolo", "coco"):
        out = maskforge.convert(folder, as_=as_, out=tmp_path / as_ / as_).out
        with pytest.raises(
            ReadError, match=r"no data set of a known kind|there must be masks in 'labels'"
        ):
            open_dataset(out.parent if as_ == "coco" else out)


def test_every_region_writer_has_a_reader():
    lossy = {name for name in plugins.names("writers") if not maskforge.writers.load(name).LOSSLESS}
    assert lossy - {"polygons"} == set(FORMATS) <= set(plugins.names("readers"))


SAMPLES = Path(__file__).parents[2] / "samples"
SOURCES = {
    "labelme": ("labelme", "park_00*.*"),
    "coco": ("coco", "*"),
    "ochuman": ("ochuman", "*"),
    "via": ("via", "*"),
}


@pytest.mark.parametrize("as_", FORMATS)
@pytest.mark.parametrize("name", SOURCES)
def test_samples_there_and_back(tmp_path, name, as_):
    """Masks are the same, pixel by pixel; what is ignored is the background then."""
    folder, pattern = SOURCES[name]
    source = tmp_path / "source"
    source.mkdir()
    for path in (SAMPLES / folder).glob(pattern):
        (shutil.copytree if path.is_dir() else shutil.copy)(path, source / path.name)
    if name == "via":
        (source / "segmentation_test.json").unlink()
    if name == "ochuman":
        [extra.unlink() for extra in source.glob("ochuman_coco*")]
    some = {"previews": False, "as_": "label"}
    direct = maskforge.convert(source, format=name, out=tmp_path / "direct", **some)
    labels = tmp_path / "direct/labels.txt"
    there = maskforge.convert(
        source, **some | {"as_": as_}, format=name, out=tmp_path / f"there/{as_}", images="copy"
    )
    sources = [there.out]
    if as_ in ("coco", "panoptic"):
        names = load_manifest(there.manifest)["collection"]
        names = [names] if isinstance(names, str) else names
        sources = [there.manifest.with_name(name) for name in names]
    back = maskforge.convert(
        sources, format=as_, out=tmp_path / "back", labels=labels, images="none", **some
    )
    ignore = direct.classes.ignore_index
    wanted = {record["stem"]: ids(direct.out / record["mask"]) for record in direct.records}
    found = {record["stem"]: ids(back.out / record["mask"]) for record in back.records}
    assert found.keys() == wanted.keys()
    for stem, image in wanted.items():
        assert np.array_equal(found[stem], np.where(image == ignore, 0, image)), stem


def test_via_keeps_ids_by_the_list_beside_a_file_of_ours(folder, tmp_path):
    labels = {"cat": 7, "dog": 2}
    table = "0:_background_,2:dog,7:cat"
    first = maskforge.convert(folder, labels=table, as_="label", out=tmp_path / "a")
    made = maskforge.convert(folder, labels=table, as_="via", out=tmp_path / "via/all.json")
    again = maskforge.convert(made.out, as_="label", out=tmp_path / "b", format="via")
    ids = dict(zip(again.classes.names, again.classes.ids, strict=True))
    assert {name: ids[name] for name in labels} == labels
    for name in ("masks/a.png", "masks/more/b.png"):
        assert (again.out / name).exists() == (first.out / name).exists()
    # A list beside somebody else's file is what an earlier run has collected there.
    shutil.copy(made.out, tmp_path / "mine.json")
    (tmp_path / "mine.labels.txt").write_text("0:_background_\n9:cat\n")
    other = maskforge.convert(
        tmp_path / "mine.json", as_="label", out=tmp_path / "c", assume_size=(9, 6), format="via"
    )
    assert other.classes.ids == (0, 1, 2)


def test_via_tells_of_images_that_are_in_the_annotation_only(tmp_path):
    shutil.copy(SAMPLES / "labelme/embedded.json", tmp_path)
    source = tmp_path / "embedded.json"
    result = maskforge.convert(source, as_="via", out=tmp_path / "out/x.json", previews=False)
    assert [problem.code for problem in result.problems] == ["lost"]
    assert "images that are in the annotation only" in result.problems[0].message
    with_images = maskforge.convert(
        source, as_="via", out=tmp_path / "with/x.json", previews=False, images="copy"
    )
    assert with_images.problems == ()
    assert maskforge.convert(with_images.out, as_="label", out=tmp_path / "back").converted == 1


LAYOUTS = [
    *((None, as_) for as_ in (*FORMATS, "polygons")),
    *(("coco", as_) for as_ in ("coco", "panoptic", "via", "labelme")),
    *((name, as_) for name in ("pairs", "voc", "mmseg", "nnunet") for as_ in ("labelme", "yolo")),
    ("labelme", "labelme"),
]


@pytest.fixture
def in_splits(folder, tmp_path):
    """Masks in two splits, ids with a gap; one image lies in a folder, one has no object."""
    labelme_file(folder / "none.json", [])
    table = "0:_background_,2:dog,7:cat"
    return maskforge.convert(
        folder, out=tmp_path / "set", as_="label", labels=table, split=[0.4], previews=False
    )


def told(result):
    """Return what there is of each image: its split, and its mask."""
    return {
        record["stem"]: (record["split"], ids(result.out / record["mask"]).tolist())
        for record in result.records
    }


@pytest.mark.parametrize("images", ["copy", "none"])
@pytest.mark.parametrize(("layout", "as_"), LAYOUTS)
def test_a_folder_that_we_wrote_is_a_source(in_splits, tmp_path, layout, as_, images):
    """Names, splits and ids come back, and what photographs there are is found."""
    assert {split for split, _ in told(in_splits).values()} == {"train", "val"}
    some = {"layout": layout, "as_": as_, "images": images, "previews": False}
    there = maskforge.convert(in_splits.out, out=tmp_path / "deep/er/there", **some)
    source = there.manifest.parent
    again = maskforge.convert(source, out=tmp_path / "again", as_="label", previews=False)
    assert again.reader == as_.replace("polygons", "labelme")
    found, wanted = told(again), told(in_splits)
    assert {stem: split for stem, (split, _) in found.items()} == {
        stem: split for stem, (split, _) in wanted.items()
    }
    if layout not in ("voc", "mmseg", "nnunet"):  # whose lists are those of their trainers
        assert found == wanted
        assert again.classes.ids == (0, 2, 7)
    assert {record["image"] for record in again.records} != {None}
    assert [problem for problem in again.problems if problem.severity != "note"] == []


@pytest.mark.parametrize("as_", FORMATS)
def test_sizes_are_known_where_photographs_are_gone(in_splits, tmp_path, as_):
    some = {"as_": as_, "images": "none", "previews": False}
    there = maskforge.convert(in_splits.out, out=tmp_path / "there", **some)
    shutil.rmtree(in_splits.out)
    source = there.manifest.parent
    again = maskforge.convert(
        source, out=tmp_path / "again", as_="label", previews=False, images="none"
    )
    assert again.converted == 3
    assert {(record["height"], record["width"]) for record in again.records} == {(6, 9)}
    assert again.problems == ()


@pytest.mark.parametrize("as_", FORMATS)
def test_a_photograph_of_another_size_is_not_that_of_the_regions(in_splits, tmp_path, as_):
    some = {"as_": as_, "images": "none", "previews": False, "size": (18, 18)}
    there = maskforge.convert(in_splits.out, out=tmp_path / "there", **some)
    again = maskforge.convert(
        there.manifest.parent, out=tmp_path / "again", as_="label", previews=False
    )
    assert {(record["height"], record["width"]) for record in again.records} == {(18, 18)}
    assert {problem.code for problem in again.problems} == {"no-image"}


@pytest.mark.parametrize("as_", ["coco", "panoptic", "via"])
def test_a_file_of_ours_beside_other_sources_is_none(folder, tmp_path, as_):
    some = {"as_": as_, "out": folder / "all.json", "previews": False}
    maskforge.convert(folder, **some)
    again = maskforge.convert(folder, out=tmp_path / "out")
    assert (again.reader, again.converted) == ("labelme", 2)
    assert again.account.passed == (str(folder),)


def test_two_outputs_of_one_set_are_apart(in_splits, tmp_path):
    for name in ("a", "b"):
        maskforge.convert(in_splits.out, as_="coco", out=tmp_path / f"both/{name}", images="copy")
    sources = [tmp_path / "both/a", tmp_path / "both/b"]
    again = maskforge.convert(sources, as_="label", out=tmp_path / "again")
    assert len({record["stem"] for record in again.records}) == 6
    assert {stem.partition("/")[0] for stem in told(again)} == {"a", "b"}
    assert again.problems == ()


def test_an_image_without_objects_alone_is_a_set_too(tmp_path):
    labelme_file(tmp_path / "empty/none.json", [])
    for as_ in FORMATS:
        there = maskforge.convert(
            tmp_path / "empty", labels=["cat"], as_=as_, out=tmp_path / as_, images="copy"
        )
        again = maskforge.convert(there.manifest.parent, as_="label", out=tmp_path / f"{as_}-again")
        assert again.converted == 1
        assert again.classes.names == ("_background_", "cat")


def test_a_damaged_or_foreign_manifest_says_nothing(in_splits, tmp_path):
    there = maskforge.convert(in_splits.out, as_="labelme", out=tmp_path / "there", previews=False)
    content = json.loads(there.manifest.read_text())
    for number, images in enumerate(
        (
            [1, {}, {"stem": 3}],
            [{"stem": "../../x", "mask": "a.json", "split": "best", "image": 3, "height": "9"}],
            3,
        )
    ):
        there.manifest.write_text(json.dumps(content | {"images": images}))
        again = maskforge.convert(there.out, out=tmp_path / f"again-{number}", previews=False)
        assert again.converted == 3
        assert {record["split"] for record in again.records} == {None}
        assert set(told(again)) - {"x"} <= {"a", "more/b", "none"}  # confined, as all names are
    assert not list(tmp_path.glob("*x*"))


def test_ways_from_one_folder_to_another_do_not_hang_on_where_we_are():
    from maskforge.writers import _objects

    assert _objects.way("../../a/b/c.jpg", "../../a/d/") == "../b/c.jpg"
    assert _objects.way("../" * 30 + "a/c.jpg", "../" * 30 + "b") == "../a/c.jpg"
    assert _objects.way("/a/c.jpg", "../b") == "/a/c.jpg"
    assert _objects.way("images/c.jpg", "../p/") == "images/c.jpg"  # what we are called nobody says


def test_an_image_is_called_by_its_way_below_the_input(folder, tmp_path):
    """In COCO's files, as they lie: in folders below, or anywhere else by its name alone."""

    def named(**options):
        result = maskforge.convert(folder, as_="coco", images="none", **options)
        found = json.loads(result.out.read_bytes())
        return sorted(image["file_name"] for image in found["images"])

    assert named(out=tmp_path / "below") == ["a.png", "more/b.png"]
    away = tmp_path / "away"
    away.mkdir()
    for name in ("a.png", "more/b.png"):
        (folder / name).rename(away / Path(name).name)
    assert named(out=tmp_path / "beside", images_from=away) == ["a.png", "b.png"]
