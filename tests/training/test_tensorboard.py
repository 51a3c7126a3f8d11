"""Files for TensorBoard: nothing before the run is in place, and no thread that fails unseen."""

import csv
import io
import math
import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from training import synthetic
from training.places import listing

from maskforge.classes import ClassTable
from maskforge.errors import WriteError
from maskforge.training.callbacks import Epoch, Start, Step
from maskforge.training.run_folder import RunFolder

pytest.importorskip("torch")
pytest.importorskip("tensorboard")
board = pytest.importorskip("maskforge.training.tensorboard")

PICTURE = Image.new("RGB", (5, 4), (250, 20, 30))


def said(step):
    return Step(step, 1, 0.5, 1e-3, 0.1, math.nan, 10.0, 1.0, (0.75, 0.25))


def read(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(folder)).Reload()


def test_the_numbers_are_those_of_the_history_under_their_names(tmp_path):
    loop = pytest.importorskip("maskforge.training.loop")
    classes = ClassTable.from_names(["traffic  light (red)"])
    data = replace(synthetic.data(), classes=classes)
    with loop.opened(tmp_path, board=True) as folder:
        loop.train_in(folder, synthetic.config(), data, watch=board.Board(folder))
    with (tmp_path / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    found = read(tmp_path / "tensorboard")
    tags = {
        "train/loss": "loss",
        "train/lr": "lr",
        "val/loss": "val_loss",
        "val/mean_iou": "mean_iou",
        "val/pixel_accuracy": "pixel_accuracy",
        "val/image_mean_iou": "image_mean_iou",
        "val/image_pixel_accuracy": "image_pixel_accuracy",
        "val/iou/_background_": "iou _background_",
        "val/iou/traffic_light_red_": f"iou {classes.names[1]}",
    }
    steps = {"step/loss", "step/lr", "step/images_per_second"}
    assert set(found.Tags()["scalars"]) == {*tags, *steps, "train/images_per_second"}
    assert not any(character.isspace() for tag in found.Tags()["scalars"] for character in tag)
    assert rows[-1]["loss"] != rows[-1]["val_loss"]
    for tag, column in tags.items():
        values = {str(event.step): event.value for event in found.Scalars(tag)}
        expected = {row["step"]: float(row[column]) for row in rows}
        assert {step: values[step] for step in expected} == pytest.approx(expected, rel=1e-5), tag
    losses = found.Scalars("step/loss")
    assert [event.step for event in losses] == [1, 2, 3, 4, 5, 6]
    both = [(losses[at].value + losses[at + 1].value) / 2 for at in (0, 2, 4)]
    assert both == pytest.approx([float(row["loss"]) for row in rows], rel=1e-5)


def test_what_is_said_before_the_run_is_in_place_is_held_back(tmp_path):
    with RunFolder(tmp_path, board=True) as folder:
        writer = board.Board(folder)
        writer.start(Start(synthetic.config(), tmp_path, "cpu", False, 1, 1, 1, 10, 1, 0))
        writer.step(said(2))
        assert listing(tmp_path) == []
        with folder.file("last.pt") as file:
            file.write(b"1")
        folder.publish()
        writer.placed(None)
        writer.step(said(4))
        row = {"step": 2.0, "val_loss": 0.5, "mean_iou": math.nan}
        writer.epoch(Epoch(row, None, True, {"curves": PICTURE}))
        writer.close()
        [events] = (tmp_path / "tensorboard").iterdir()
    assert events.name.endswith(f".{folder.id}")
    found = read(events.parent)
    losses = [(event.step, event.value) for event in found.Scalars("step/loss")]
    assert losses == [(1, 0.75), (2, 0.25), (3, 0.75), (4, 0.25)]
    assert [event.step for event in found.Scalars("step/lr")] == [2, 4]
    assert [event.value for event in found.Scalars("val/loss")] == [0.5]
    [image] = found.Images("curves")
    assert (image.width, image.height) == (5, 4)
    with Image.open(io.BytesIO(image.encoded_image_string)) as shown:
        assert np.allclose(np.asarray(shown), np.asarray(PICTURE), atol=3)
    assert b'"width": 4' in found.Tensors("config/text_summary")[0].tensor_proto.string_val[0]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_full_disk_is_told(tmp_path):
    writer = board.Board(RunFolder(tmp_path))
    writer._file = open("/dev/full", "wb")  # noqa: SIM115  # the board closes it
    with pytest.raises(WriteError, match="No space left"):
        writer.step(said(1))
    writer.close()
