"""Prediction: any size, whole or in tiles, alone or in a batch; a function is the network."""

import cv2
import numpy as np
import pytest
from training import synthetic

from maskforge.prediction.config import Config
from maskforge.prediction.predictor import Predictor
from maskforge.prediction.sizes import resize, resize_labels
from maskforge.raster.transform import working_size


def bright(images):
    """Return probabilities as a network would: bright pixels are the box."""
    assert images.shape[1] % 4 == images.shape[2] % 4 == 0
    box = images.mean(axis=3) / 255
    return np.stack([1 - box, box], axis=1).astype(np.float32)


def predictor(forward=bright, **changes):
    settings = {"size": (), "divisor": 4, **changes}
    return Predictor(forward, synthetic.CLASSES, **settings)


IMAGES = [image for image, _ in synthetic.pairs(3)]


def test_any_size_comes_back_as_it_was():
    [values] = predictor().probabilities([IMAGES[0]])
    assert values.shape == (2, 18, 26)
    assert np.allclose(values[1], IMAGES[0].mean(axis=2) / 255)
    [ids] = predictor().label_images([IMAGES[0]])
    assert ids.dtype == np.uint8
    assert np.array_equal(ids, IMAGES[0].mean(axis=2) > 127.5)


@pytest.mark.parametrize("tile", [8, 12, 16])
def test_tiles_make_the_same_picture(tile):
    [values] = predictor(tile=tile).probabilities([IMAGES[0]])
    assert np.allclose(values[1], IMAGES[0].mean(axis=2) / 255, atol=1e-6)


def test_a_batch_of_different_sizes_is_as_each_alone():
    images = [IMAGES[0], IMAGES[1][:9, :21], IMAGES[2]]
    together = predictor(batch=2, tile=16).probabilities(images)
    for image, values in zip(images, together, strict=True):
        [alone] = predictor(batch=1, tile=16).probabilities([image])
        assert np.array_equal(values, alone)
        assert values.shape[1:] == image.shape[:2]


def test_at_most_batch_images_go_through_at_once():
    seen = []

    def forward(images):
        seen.append(len(images))
        return bright(images)

    predictor(forward, batch=2).probabilities([*IMAGES, *IMAGES[:2]])
    assert seen == [2, 2, 1]


def test_flip_averages_with_the_mirrored_image():
    def left(images):
        """Right for the left half of what it sees only."""
        found = bright(images)
        found[..., 16:] = 0.5
        return found

    image = np.full((8, 32, 3), 255, np.uint8)
    [once] = predictor(left).probabilities([image])
    [twice] = predictor(left, flip=True).probabilities([image])
    assert once[1, 0].tolist() == [1.0] * 16 + [0.5] * 16
    assert twice[1, 0].tolist() == [0.75] * 32


def test_it_works_at_its_own_size_and_answers_at_the_images():
    seen = []

    def forward(images):
        seen.append(images.shape[1:3])
        return bright(images)

    [values] = predictor(forward, size=(13,)).probabilities([IMAGES[0]])
    assert seen == [(12, 16)]
    assert values.shape == (2, 18, 26)
    assert np.allclose(values.sum(axis=0), 1)


@pytest.mark.parametrize("interpolation", ["area", "bilinear", "nearest"])
def test_images_come_to_that_size_as_in_the_training(interpolation):
    seen = []

    def forward(images):
        seen.append(images[0])
        return bright(images)

    settings = {"size": (13,), "config": Config(interpolation=interpolation)}
    predictor(forward, **settings).probabilities([IMAGES[0]])
    assert np.array_equal(seen[0][:9, :13], resize(IMAGES[0], (9, 13), interpolation))


def test_what_is_enlarged_is_enlarged_class_by_class():
    [small] = predictor().probabilities([resize(IMAGES[0], (9, 13))])
    [values] = predictor(size=(13,)).probabilities([IMAGES[0]])
    assert values.dtype == np.float32
    assert np.array_equal(values, [cv2.resize(channel, (26, 18)) for channel in small])


@pytest.mark.parametrize(
    ("size", "expected"),
    [((), (300, 200)), ((150,), (150, 100)), ((400,), (300, 200)), ((64, 32), (32, 64))],
)
def test_working_size(size, expected):
    assert working_size((300, 200), size) == expected


def test_resizing_keeps_corners_apart():
    image = np.zeros((4, 6, 3), np.uint8)
    image[:2, 3:] = 200
    ids = (image[..., 0] > 0).astype(np.uint8)
    assert resize(image, (2, 4))[..., 0].tolist() == [[0, 0, 200, 200], [0, 0, 0, 0]]
    assert resize_labels(ids, (2, 4)).tolist() == [[0, 0, 1, 1], [0, 0, 0, 0]]
    assert np.array_equal(resize_labels(ids, (4, 6)), ids)


def test_a_checkpoint_predicts_what_its_network_says(tmp_path):
    torch = pytest.importorskip("torch")
    checkpoint = pytest.importorskip("maskforge.training.checkpoint")
    network = pytest.importorskip("maskforge.training.torch_network")
    config = synthetic.config(sigmoid=True)
    weights = checkpoint.build(config, synthetic.CLASSES).state_dict()
    saved = checkpoint.Checkpoint(config, synthetic.CLASSES, "", {}, weights)
    path = tmp_path / "a.pt"
    checkpoint.save(path, saved)
    found = network.network_predictor(path, device="cpu", threads=1)
    assert found.divisor == 4
    [values] = found.probabilities([IMAGES[0]])
    module = checkpoint.network(saved, path=path)
    padded = np.zeros((20, 28, 3), np.uint8)
    padded[:18, :26] = IMAGES[0]
    x = (torch.from_numpy(padded).permute(2, 0, 1)[None] / 255).float()
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    with torch.no_grad():
        expected = module((x - mean) / std).sigmoid()[0, 0, :18, :26].numpy()
    assert np.allclose(values[1], expected, atol=1e-5)
    assert np.allclose(values[0], 1 - expected, atol=1e-5)
