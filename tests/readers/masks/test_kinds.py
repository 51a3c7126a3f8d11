"""Every kind but pairs: what it finds, what it makes of it, what it refuses."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

import maskforge
from maskforge.datasets import check, load, open_dataset
from maskforge.errors import ClassError, ReadError, UsageError
from maskforge.io import png
from maskforge.palette import voc_palette

LABELME = {
    "version": "5.5.0",
    "imageHeight": 30,
    "imageWidth": 40,
    "imageData": None,
    "flags": {},
    "shapes": [],
}


def shape(label, x0, y0, x1, y1):
    return {
        "label": label,
        "points": [[x0, y0], [x1, y1]],
        "shape_type": "rectangle",
        "flags": {},
        "group_id": None,
    }


@pytest.fixture
def source(files):
    """Two Labelme files, one below a folder."""
    for number, stem in enumerate(("a", "sub/b")):
        files.image(f"source/{stem}.png", size=(30, 40), orientation=1 + 2 * number)
        shapes = [shape("cat", 2, 3, 20 + number, 10), shape("dog", 15, 5, 30, 25)]
        name = stem.rpartition("/")[2]
        text = json.dumps(LABELME | {"imagePath": f"{name}.png", "shapes": shapes})
        files.text(f"source/{stem}.json", text)
    return files.root / "source"


class TestManifest:
    @pytest.mark.parametrize("layout", ["pairs", "voc", "labelme"])
    @pytest.mark.parametrize("writer", ["label", "palette", "npy"])
    def test_every_writer_and_layout_gives_one_label_image(self, files, source, layout, writer):
        self.compare(files, source, layout=layout, as_=writer)

    @pytest.mark.parametrize("style", ["palette", "#000000,#010203,#040506"])
    def test_styles_that_tell_the_classes_apart(self, files, source, style):
        self.compare(files, source, as_="color", style=style)

    def compare(self, files, source, **options):
        wanted = maskforge.convert(source, out=files.root / "plain", previews=False)
        style = {"style": options.pop("style")} if "style" in options else {}
        out = files.root / "out"
        maskforge.convert(source, out=out, previews=False, **options, **style)
        data = open_dataset(out)
        plain = open_dataset(files.root / "plain")
        assert data.kind == "manifest"
        assert data.classes == wanted.classes
        assert [e.name for e in data.examples] == ["a", "sub/b"]
        for example, other in zip(data.examples, plain.examples, strict=True):
            np.testing.assert_array_equal(load(example, data)[1], load(other, plain)[1])
        counted = {row.id: row.pixels for row in wanted.class_counts()}
        assert dict(enumerate(check(data).pixels().tolist())) == counted

    @pytest.mark.parametrize("style", ["purple-yellow", "white-black"])
    def test_a_style_of_two_colours_leaves_one_class(self, files, source, style):
        maskforge.convert(source, out=files.root / "o", as_="color", style=style)
        data = open_dataset(files.root / "o")
        assert data.classes.names == ("_background_", "object")
        assert load(data.examples[0], data)[1][4, 3] == 1
        assert load(data.examples[0], data)[1][0, 0] == 0

    def test_onehot(self, files, source):
        out = files.root / "o.npy"
        maskforge.convert(source, out=out, as_="onehot")
        data = open_dataset(out)
        assert data.kind == "manifest"
        assert data.classes.names == ("_background_", "cat", "dog")
        label_image = load(data.examples[0], data)[1]
        assert (label_image[4, 3], label_image[6, 16], label_image[0, 0]) == (1, 2, 0)
        assert pickle.loads(pickle.dumps(data)) == data

    @pytest.mark.parametrize("split", [None, (0.5,)])
    def test_a_onehot_in_a_layout(self, files, source, split):
        """Its file lies below the manifest, and there is one for each split."""
        out = files.root / "o"
        maskforge.convert(source, out=out, as_="onehot", layout="coco", split=split)
        plain = files.root / "plain"
        maskforge.convert(source, out=plain, split=split)
        data, wanted = open_dataset(out), open_dataset(plain)
        assert [e.name for e in data.examples] == [e.name for e in wanted.examples]
        assert [e.split for e in data.examples] == [e.split for e in wanted.examples]
        for example, other in zip(data.examples, wanted.examples, strict=True):
            np.testing.assert_array_equal(load(example, data)[1], load(other, wanted)[1])

    def test_overlaps_in_a_onehot_are_counted(self, files, source):
        out = files.root / "o.npy"
        maskforge.convert(source, out=out, as_="onehot", overlap="keep")
        found = check(open_dataset(out))
        assert found.several == 2
        assert ("overlaps", "in 2 masks: the lowest class id counts") in found.rows()

    def test_the_split_is_the_manifest_s(self, files, source):
        maskforge.convert(source, out=files.root / "o", split=[0.5])
        splits = sorted(e.split for e in open_dataset(files.root / "o").examples)
        assert splits == ["train", "val"]

    def test_images_that_have_gone_are_looked_for(self, files, source):
        out = files.root / "o"
        maskforge.convert(source, out=out, images="none")
        moved = source.rename(files.root / "moved")
        with pytest.raises(ReadError, match=r"manifest\.json: no image of the manifest can be had"):
            open_dataset(out)
        assert len(open_dataset(out, images=moved)) == 2

    def test_a_mask_that_has_gone_is_an_error(self, files, source):
        out = files.root / "o"
        maskforge.convert(source, out=out)
        (out / "masks/a.png").unlink()
        (problem,) = check(open_dataset(out)).errors
        assert (problem.code, problem.place) == ("no-mask", "a")

    def test_other_classes_are_refused(self, files, source):
        maskforge.convert(source, out=files.root / "o")
        assert len(open_dataset(files.root / "o", labels="cat,dog")) == 2
        with pytest.raises(ClassError, match="the classes must be those that the masks were made"):
            open_dataset(files.root / "o", labels="dog,cat")

    def test_instances_are_no_classes(self, files, source):
        maskforge.convert(source, out=files.root / "o", as_="instance")
        with pytest.raises(ClassError, match="--as instance hold no class ids"):
            open_dataset(files.root / "o")

    @pytest.mark.parametrize(
        "change",
        [
            lambda m: m["classes"].update(names=["_background_", "cow", "dog"]),
            lambda m: m["classes"].update(names=["_background_", 5]),
            lambda m: m.pop("settings"),
            lambda m: m.update(images=[1]),
            lambda m: m.update(images=[{"stem": None}]),
            lambda m: m["settings"].update(writer_options=[]),
        ],
    )
    def test_a_manifest_that_is_not_ours(self, files, source, change):
        out = files.root / "o"
        maskforge.convert(source, out=out)
        content = json.loads((out / "manifest.json").read_text())
        change(content)
        files.text("o/manifest.json", json.dumps(content))
        with pytest.raises(ReadError, match=r"manifest\.json: .*the manifest must "):
            open_dataset(out)

    def test_masks_outside_the_output_are_not_read(self, files, source):
        out = files.root / "o"
        maskforge.convert(source, out=out)
        content = json.loads((out / "manifest.json").read_text())
        content["images"][0]["mask"] = "../source/a.png"
        files.text("o/manifest.json", json.dumps(content))
        assert [p.code for p in open_dataset(out).problems] == ["no-mask"]

    def test_masks_alone_carry_their_classes(self, files, source):
        maskforge.convert(source, out=files.root / "o")
        (files.root / "o/manifest.json").unlink()
        (files.root / "o/labels.txt").unlink()
        data = open_dataset(files.root / "o")
        assert (data.kind, data.classes.names) == ("pairs", ("_background_", "cat", "dog"))

    def test_a_style_is_not_asked_for(self, files, source):
        maskforge.convert(source, out=files.root / "o")
        with pytest.raises(
            UsageError, match="style must not be given for a data set of kind manifest"
        ):
            open_dataset(files.root / "o", style="palette")


class TestVoc:
    def make(self, files, ids, *, palette=True):
        for stem in ("2007_000001", "2007_000002", "boxes_only"):
            files.image(f"JPEGImages/{stem}.jpg")
        for stem in ("2007_000001", "2007_000002"):
            colors = voc_palette().ravel().tolist() if palette else None
            files.mask(f"SegmentationClass/{stem}.png", ids, palette=colors)

    def test_class_names_and_lists(self, files, ids):
        self.make(files, ids, palette=False)
        files.text("class_names.txt", "_background_\ncat\ndog")
        files.text("ImageSets/Segmentation/train.txt", "2007_000001\n")
        files.text("ImageSets/Segmentation/val.txt", "2007_000002\n")
        files.text("ImageSets/Segmentation/trainval.txt", "2007_000001\n2007_000002\n")
        data = open_dataset(files.root)
        assert data.kind == "voc"
        assert [e.split for e in data.examples] == ["train", "val"]
        assert "1 image has no mask: left out" in data.notes
        np.testing.assert_array_equal(load(data.examples[1], data)[1], ids)

    def test_without_names_in_voc_colours_they_are_voc_s(self, files, ids):
        ids[ids == 2] = 15
        self.make(files, ids)
        data = open_dataset(files.root)
        assert len(data.classes.names) == 21
        assert (data.classes.names[1], data.classes.names[15]) == ("aeroplane", "person")
        np.testing.assert_array_equal(load(data.examples[0], data)[1], ids)

    def test_ids_above_20_are_not_voc_s(self, files, ids):
        ids[ids == 2] = 21
        self.make(files, ids)
        with pytest.raises(ClassError, match="without a list of classes"):
            open_dataset(files.root)

    def test_voc_colours_as_rgb(self, files, ids):
        self.make(files, ids)
        for path in (files.root / "SegmentationClass").iterdir():
            path.write_bytes(png.encode(voc_palette()[ids]))
        data = open_dataset(files.root)
        np.testing.assert_array_equal(load(data.examples[0], data)[1], ids)


class TestOneHot:
    def planes(self, ids):
        return np.stack([(ids == i).astype(np.uint8) for i in range(3)], axis=2)

    def test_train_and_test_files_as_in_the_book(self, files, ids):
        for split, name in (("train", "a.jpg"), ("test", "b.jpg")):
            files.image(name)
            files.mask(
                f"segmentation_{split}.npy", np.array({name: self.planes(ids)}, dtype=object)
            )
        data = open_dataset(files.root)
        assert data.kind == "onehot"
        assert {e.name: e.split for e in data.examples} == {"a": "train", "b": "test"}
        assert data.classes.names == ("_background_", "class_1", "class_2")
        np.testing.assert_array_equal(load(data.examples[0], data)[1], ids)
        several = open_dataset(sorted(files.root.glob("*.npy")), labels="cat,dog")
        assert {e.name: e.split for e in several.examples} == {"a": "train", "b": "test"}
        assert several.classes.names == ("_background_", "cat", "dog")

    def test_images_elsewhere_and_missing(self, files, ids):
        both = {"a.jpg": self.planes(ids), "gone.jpg": self.planes(ids)}
        path = files.mask("x/one.npy", np.array(both, dtype=object))
        with pytest.raises(ReadError, match=r"'a\.jpg' must lie beside the masks.*--images-from"):
            open_dataset(path)
        files.image("elsewhere/a.jpg")
        data = open_dataset(path, images=files.root / "elsewhere")
        assert [e.name for e in data.examples] == ["a"]
        assert [p.place for p in data.problems] == ["gone.jpg"]

    def test_channels_must_agree(self, files, ids):
        planes = self.planes(ids)
        files.image("a.jpg")
        path = files.mask(
            "o.npy", np.array({"a.jpg": planes, "b.jpg": planes[..., :2]}, dtype=object)
        )
        with pytest.raises(ClassError, match=r"as many channels.*3 in .*a\.jpg, 2 in .*b\.jpg"):
            open_dataset(path)

    def test_names_must_be_as_many_as_channels(self, files, ids):
        files.image("a.jpg")
        path = files.mask("o.npy", np.array({"a.jpg": self.planes(ids)}, dtype=object))
        with pytest.raises(ClassError, match="3 channels, so there must be 2 classes"):
            open_dataset(path, labels="cat")


class TestColor:
    COLORS = np.array([[120, 0, 120], [235, 235, 50], [127, 127, 127]], dtype=np.uint8)

    def test_the_article_s_folders(self, files, ids):
        painted = self.COLORS[np.where(ids == 255, 2, ids > 0)]
        for number in range(2):
            files.image(f"features/{number}_x.png")
            files.mask(f"labels/{number}_y.png", painted)
        data = open_dataset(files.root)
        assert (data.kind, data.classes.names) == ("color", ("_background_", "object"))
        assert [e.name for e in data.examples] == ["0_x", "1_x"]
        expected = np.where(ids == 2, 1, ids)
        np.testing.assert_array_equal(load(data.examples[0], data)[1], expected)

    def test_voc_colours(self, files, ids):
        files.pair("a", voc_palette()[ids])
        data = open_dataset(files.root, labels=["cat", "dog"])
        np.testing.assert_array_equal(load(data.examples[0], data)[1], ids)

    def test_own_colours_need_a_style(self, files, ids):
        colors = np.array([[9, 9, 10], [255, 0, 0], [0, 0, 255]], dtype=np.uint8)
        files.pair("a", colors[ids % 3])
        with pytest.raises(ClassError, match=r"3 colours.*--style #0000ff,#09090a,#ff0000"):
            open_dataset(files.root)
        data = open_dataset(files.root, style="#09090a,#ff0000,#0000ff")
        np.testing.assert_array_equal(load(data.examples[0], data)[1], ids % 3)

    def test_white_black_is_said_by_the_style_only(self, files, ids):
        files.pair("a", np.where(ids == 1, 0, 255).astype(np.uint8))
        data = open_dataset(files.root, style="white-black")
        np.testing.assert_array_equal(load(data.examples[0], data)[1], ids == 1)

    def test_a_strange_colour_is_named(self, files, ids):
        files.pair("a", self.COLORS[np.minimum(ids, 1)])
        painted = self.COLORS[np.minimum(ids, 1)]
        painted[1, 2] = (1, 2, 3)
        files.pair("b", painted)
        data = open_dataset(files.root, style="purple-yellow")
        with pytest.raises(ClassError, match=r"row 1, column 2: .*#010203 \(1 px\)"):
            load(data.examples[1], data)

    def test_a_photograph_is_no_mask(self, files):
        noise = np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)
        files.pair("a", noise, size=(40, 40))
        with pytest.raises(ClassError, match=r"over 256.*photograph"):
            open_dataset(files.root)


class TestCityscapes:
    def make(self, files, tail, ids):
        for split in ("train", "val"):
            name = f"{split}/ulm/ulm_000001_000019"
            files.image(f"leftImg8bit/{name}_leftImg8bit.png")
            files.mask(f"gtFine/{name}_gtFine_{tail}.png", ids)

    def test_the_34_ids(self, files, ids):
        ids[ids == 2] = 33
        ids[ids == 255] = 0
        self.make(files, "labelIds", ids)
        data = open_dataset(files.root)
        assert data.kind == "cityscapes"
        assert len(data.classes.names) == 34
        shown = [data.classes.names[class_id] for class_id in (0, 7, 33)]
        assert shown == ["unlabeled", "road", "bicycle"]
        assert [(e.name, e.split) for e in data.examples] == [
            ("train/ulm/ulm_000001_000019", "train"),
            ("val/ulm/ulm_000001_000019", "val"),
        ]
        np.testing.assert_array_equal(load(data.examples[0], data)[1], ids)

    def test_train_ids_come_first(self, files, ids):
        self.make(files, "labelIds", ids)
        self.make(files, "labelTrainIds", ids)
        data = open_dataset(files.root)
        names = data.classes.names
        assert (len(names), names[0], names[18]) == (19, "road", "bicycle")
        np.testing.assert_array_equal(load(data.examples[0], data)[1], ids)

    def test_an_image_without_mask_is_named(self, files, ids):
        self.make(files, "labelIds", ids)
        files.image("leftImg8bit/test/bonn/bonn_000001_000019_leftImg8bit.png")
        data = open_dataset(files.root)
        assert len(data) == 2
        assert [p.code for p in data.problems] == ["no-mask"]

    def test_masks_have_to_be_made_first(self, files):
        files.image("leftImg8bit/train/ulm/a_leftImg8bit.png")
        files.text("gtFine/train/ulm/a_gtFine_polygons.json", "{}")
        with pytest.raises(ReadError, match=r"labelIds\.png.*csCreateTrainIdLabelImgs"):
            open_dataset(files.root)
