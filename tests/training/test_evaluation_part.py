"""Which images are scored: those that the training held back, where it was these data."""

import numpy as np
import pytest
from PIL import Image
from training import synthetic

from maskforge.datasets import check, load, open_dataset
from maskforge.errors import UsageError
from maskforge.training import evaluation_part, samples


def held_back(tmp_path, config=None):
    config = config or synthetic.config(val=0.25)
    dataset = open_dataset(synthetic.folder(tmp_path / "data"))
    found = check(evaluation_part.split_as_trained(dataset, config))
    return found, config


def test_what_was_held_back_is_scored_again(tmp_path):
    found, config = held_back(tmp_path)
    trained = samples.from_dataset(found, config)
    chosen = evaluation_part.choose(found, None, trained_on=trained.fingerprint, config=config)
    assert [e.name for e in chosen.examples] == list(trained.val.names)
    assert len(chosen.examples) == 2
    assert "held back" in chosen.reason


def test_of_other_data_everything_is_scored(tmp_path):
    found, config = held_back(tmp_path)
    chosen = evaluation_part.choose(found, None, trained_on="others", config=config)
    assert len(chosen.examples) == 8
    chosen = evaluation_part.choose(found, "train", trained_on="others", config=config)
    assert len(chosen.examples) == 6
    with pytest.raises(UsageError, match="part 'test' has none"):
        evaluation_part.choose(found, "test", trained_on="others", config=config)


def test_images_are_seen_through_the_window_of_the_training(tmp_path):
    for name, values in (("images/a", [[1000, 3000]]), ("masks/a", [[0, 1]])):
        (tmp_path / name).parent.mkdir()
        kind = np.uint8 if "masks" in name else np.uint16
        Image.fromarray(np.array(values, kind)).save(tmp_path / f"{name}.png")
    dataset = open_dataset(tmp_path)
    for window, shown in (((), [0, 255]), ((0.0, 4000.0), [64, 191])):
        config = synthetic.config(window=window)
        seen = evaluation_part.split_as_trained(dataset, config)
        image, _ = load(seen.examples[0], seen)
        assert image[0, :, 2].tolist() == shown
