"""Which images are scored: those that the training held back, where it was these data."""

import pytest
from training import synthetic

from maskforge.datasets import check, open_dataset
from maskforge.errors import UsageError
from maskforge.training import evaluation_part, samples


def held_back(tmp_path, config=None):
    config = config or synthetic.config(val=0.25)
    dataset = open_dataset(synthetic.folder(tmp_path / "data"))
    found = check(evaluation_part.split_as_trained(dataset, config))
    return found, config


def test_what_was_held_back_is_scored_again(tmp_path):
    found, config = held_back(tmp_path)
    trained = samples.from_dataset(found, size=config.size, cache=1)
    chosen = evaluation_part.choose(found, None, trained_on=trained.fingerprint, size=config.size)
    assert [e.name for e in chosen.examples] == list(trained.val.names)
    assert len(chosen.examples) == 2
    assert "held back" in chosen.reason


def test_of_other_data_everything_is_scored(tmp_path):
    found, config = held_back(tmp_path)
    chosen = evaluation_part.choose(found, None, trained_on="others", size=config.size)
    assert len(chosen.examples) == 8
    chosen = evaluation_part.choose(found, "train", trained_on="others", size=config.size)
    assert len(chosen.examples) == 6
    with pytest.raises(UsageError, match="part 'test' has none"):
        evaluation_part.choose(found, "test", trained_on="others", size=config.size)
