"""A data set as a sequence of images and label images."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import maskforge
from maskforge import ClassTable
from maskforge.errors import UsageError


def folder(path: Path, *, count: int = 5, labels: str = "0:sky\n7:cat\n", gap: int = 7) -> Path:
    """Write images and masks: image n is n everywhere, and its mask has n + 1 pixels of a cat."""
    for name in ("images", "masks"):
        (path / name).mkdir(parents=True, exist_ok=True)
    for n in range(count):
        Image.new("RGB", (6, 4), (n, 0, 0)).save(path / "images" / f"p{n}.png")
        mask = np.zeros((4, 6), np.uint8)
        mask[1, : n + 1] = gap
        mask[0, 5] = 255
        Image.fromarray(mask).save(path / "masks" / f"p{n}.png")
    (path / "labels.txt").write_text(labels)
    return path


def test_an_item_has_a_name_an_image_and_a_label_image(tmp_path) -> None:
    ds = maskforge.open_dataset(str(folder(tmp_path / "data")))
    assert isinstance(ds, maskforge.Dataset)
    name, image, label_image = ds[2]
    assert name == ds[2].name == "p2"
    assert image.dtype == np.uint8
    assert image.shape == (4, 6, 3)
    assert (image[..., 0] == 2).all()
    assert ds[2].label_image.shape == (4, 6)
    assert label_image.tolist()[1] == [7, 7, 7, 0, 0, 0]  # ids, not channels
    assert label_image[0, 5] == 255
    assert label_image.dtype == np.uint8
    assert ds.classes["cat"] == 7


def test_it_is_a_sequence(tmp_path) -> None:
    ds = maskforge.open_dataset(folder(tmp_path / "data"))
    assert len(ds) == 5
    assert [item.name for item in ds] == list(ds.names) == ["p0", "p1", "p2", "p3", "p4"]
    assert ds[-1].name == "p4"
    assert list(ds[1:4:2].names) == ["p1", "p3"]
    assert isinstance(ds[:2], maskforge.Dataset)
    assert ds["p3"].name == "p3"
    assert "p3" in ds
    assert "p9" not in ds
    assert next(item.name for item in reversed(ds)) == "p4"
    with pytest.raises(IndexError):
        ds[5]
    with pytest.raises(KeyError, match="p9"):
        ds["p9"]
    assert pickle.loads(pickle.dumps(ds)) == ds
    assert repr(ds) == "<Dataset: 5 examples (no split), classes sky, cat>"


def test_it_is_split_as_the_trainer_splits(tmp_path) -> None:
    ds = maskforge.open_dataset(folder(tmp_path / "data", count=10))
    val, train = ds.split("val"), ds.split("train")
    assert (len(train), len(val)) == (8, 2)
    assert {*train.names, *val.names} == {*ds.names}
    from maskforge.datasets import split

    trained = split(ds, val=0.2, seed=0)
    assert tuple(val.names) == tuple(example.name for example in trained.of("val"))
    assert len(ds.split("val", fraction=0.5, seed=3)) == 5
    assert set(ds.split("val", seed=1).names) != set(val.names)
    with pytest.raises(UsageError, match=r"must be one of .*train.*, but got 'validation'"):
        ds.split("validation")
    with pytest.raises(UsageError, match="no example is in 'test'"):
        ds.split("test")


def test_what_the_data_say_of_a_split_stands(tmp_path) -> None:
    for name, count in (("train", 4), ("val", 2), ("test", 3)):
        folder(tmp_path / name, count=count)
    ds = maskforge.open_dataset([tmp_path / name for name in ("train", "val", "test")])
    assert [len(ds.split(name)) for name in ("train", "val", "test")] == [4, 2, 3]
    assert len(ds.split("val", fraction=0.5)) == 2
    only = maskforge.open_dataset(tmp_path / "test")
    assert {example.split for example in only.examples} == {None}


def test_errors_of_data_speak_python(tmp_path) -> None:
    folder(tmp_path / "data", labels="sky\n", gap=9)
    ds = maskforge.open_dataset(tmp_path / "data", labels=["0:sky", "1:cat"])
    with pytest.raises(maskforge.MaskforgeError) as caught:
        list(ds)
    assert "--" not in str(caught.value)
    with pytest.raises(UsageError, match="the folder of images must exist"):
        maskforge.open_dataset(tmp_path / "data", images_from=tmp_path / "nowhere")


def test_labels_are_renamed_as_in_the_commands(tmp_path) -> None:
    ds = maskforge.open_dataset(folder(tmp_path / "data"), map={"cat": "animal"})
    assert list(ds.classes) == ["sky", "animal"]


def test_torch_takes_it(tmp_path) -> None:
    torch = pytest.importorskip("torch")
    ds = maskforge.open_dataset(folder(tmp_path / "data"))
    data = ds.torch()
    assert isinstance(data, torch.utils.data.Dataset)
    assert len(data) == 5
    assert repr(data) == f"<TorchData: 5 examples, {len(ds.classes)} classes>"
    image, target = data[3]
    assert image.dtype == torch.float32
    assert image.shape == (3, 4, 6)
    assert image.max() == pytest.approx(3 / 255)
    assert target.dtype == torch.int64
    assert target.tolist()[1] == [1, 1, 1, 1, 0, 0]  # channels
    assert int(target[0, 5]) == data.ignore_index == ds.classes.channels.ignore_index


def half(image, label_image):
    return image[::2, ::2], label_image[::2, ::2]


def tensors(image, label_image):
    import torch

    return torch.zeros(1), torch.ones(1)


def test_a_transform_sees_arrays(tmp_path) -> None:
    torch = pytest.importorskip("torch")
    ds = maskforge.open_dataset(folder(tmp_path / "data"))
    image, target = ds.torch(half)[1]
    assert image.shape == (3, 2, 3)
    assert target.shape == (2, 3)
    assert torch.equal(ds.torch(transform=tensors)[1][1], torch.ones(1))


def test_sizes_are_made_one(tmp_path) -> None:
    pytest.importorskip("torch")
    ds = maskforge.open_dataset(folder(tmp_path / "data"))
    image, target = ds.torch(size=(8, 10))[1]
    assert image.shape == (3, 10, 8)
    assert target.shape == (10, 8)
    assert ds.torch()[1][0].shape == ds.torch(size=8)[1][0].shape == (3, 4, 6)
    assert ds.torch(size=3)[1][1].shape == (2, 3)  # the longer side at most
    with pytest.raises(UsageError, match="size must be"):
        ds.torch(size=(1, 2, 3))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_workers_load_it(tmp_path, context) -> None:
    torch = pytest.importorskip("torch")
    ds = maskforge.open_dataset(folder(tmp_path / "data"))
    loader = torch.utils.data.DataLoader(
        ds.torch(half), batch_size=2, num_workers=1, multiprocessing_context=context
    )
    shapes = [tuple(images.shape) for images, _ in loader]
    assert shapes == [(2, 3, 2, 3), (2, 3, 2, 3), (1, 3, 2, 3)]


def test_tables_that_are_dense_hand_over_what_is_stored(tmp_path) -> None:
    ds = maskforge.open_dataset(folder(tmp_path / "data", labels="_background_\ncat\n", gap=1))
    assert ds.classes == ClassTable.from_names(["cat"])
    np.testing.assert_array_equal(
        ds["p3"].label_image, np.asarray(Image.open(tmp_path / "data/masks/p3.png"))
    )
