"""Settings: their limits, their JSON, and the presets."""

import json

import pytest

from maskforge.errors import UsageError
from maskforge.prediction.config import MACHINE, Config, names
from maskforge.training.presets import PRESETS, preset


@pytest.mark.parametrize("name", PRESETS)
def test_json_round_trip(name):
    config = preset(name)
    assert Config.from_json(config.to_json()) == config


def test_json_of_changed_settings():
    config = Config(
        options={"width": 8, "name": "x", "on": True}, size=(64, 48), minutes=1.5, workers=2
    )
    assert Config.from_json(config.to_json()) == config
    assert Config.from_json("{}") == Config()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "must be a JSON object, but got list"),
        ("{", "settings must be JSON"),
        ("[" * 100_000, "settings must be JSON"),
        ('{"lr": "fast"}', "lr must be float, but got 'fast'"),
        ('{"lr": NaN}', "lr must be float, but got nan"),
        ('{"batch": 1.5}', "batch must be int"),
        ('{"batch": true}', "batch must be int"),
        ('{"optimizer": "sgd"}', "optimizer must be 'adam' or 'adamw'"),
        ('{"size": [1, "a"]}', "size must be"),
        ('{"scale": [1, 1, 1]}', "scale must be"),
        ('{"options": {"a": [1]}}', "options must be"),
        ('{"learning_rate": 1}', r"but got \['learning_rate'\]"),
    ],
)
def test_json_of_a_stranger_is_checked(text, said):
    with pytest.raises(UsageError, match=said):
        Config.from_json(text)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"batch": 0}, "batch must be within 1"),
        ({"val": 1.0}, "val must be within"),
        ({"size": (1, 2, 3)}, "size, crop and jitter must be sizes"),
        ({"size": (10**9,)}, "sizes of at most 16777216 pixels"),
        ({"size": (4096, 4097)}, "sizes of at most 16777216 pixels"),
        ({"crop": (4096, 4097)}, "sizes of at most 16777216 pixels"),
        ({"size": (-4096, -4096)}, "size, crop and jitter must be sizes"),
        ({"crop": (8,)}, "size, crop and jitter must be sizes"),
        ({"jitter": (8,)}, "size, crop and jitter must be sizes"),
        ({"jitter": (4096, 4097)}, "sizes of at most 16777216 pixels"),
        ({"channels": 2}, "channels must be 3, or 1 for gray, but got 2"),
        ({"normalize": "zscore"}, "normalize must be 'imagenet' or 'unit'"),
        ({"interpolation": "cubic"}, "interpolation must be 'area' or"),
        ({"best": "accuracy"}, "best must be 'mean-iou' or"),
        ({"val_part": "all"}, "val_part must be 'val' or 'test'"),
        ({"window": (8.0,)}, "window must be LOW,HIGH with LOW < HIGH"),
        ({"window": (8.0, 8.0)}, "window must be LOW,HIGH with LOW < HIGH"),
        ({"window": (0.0, 8.0, 9.0)}, "window must be LOW,HIGH with LOW < HIGH"),
        ({"window": (0.0, float("inf"))}, "window must be LOW,HIGH with LOW < HIGH"),
        ({"crop": (0, 8)}, "size, crop and jitter must be sizes"),
        ({"scale": (2.0, 1.0)}, "scale must be two factors"),
        ({"epochs": 1, "minutes": 2.0}, r"but got \['epochs', 'minutes'\]"),
    ],
)
def test_impossible_settings(changes, said):
    with pytest.raises(UsageError, match=said):
        Config(**changes)


def test_every_setting_of_the_machine_is_one():
    assert set(MACHINE) < set(names())
    assert {name: getattr(Config(), name) for name in MACHINE} == MACHINE


def test_unknown_preset():
    with pytest.raises(UsageError, match="preset must be one of"):
        preset("fast")


def test_settings_can_be_read_without_torch():
    assert json.loads(preset("book").to_json())["network"] == "fcn-pyramid"


def test_sizes_are_limited_by_their_pixels_and_not_by_a_side():
    assert Config(size=(4096, 4096)).size == (4096, 4096)
    assert Config(crop=(100_000, 64)).crop == (100_000, 64)


def test_a_window_comes_along():
    assert (Config().shown, Config(window=(-1000, 400)).shown) == (None, (-1000, 400))
    assert Config.from_json(Config(window=(-1000.0, 400.0)).to_json()).shown == (-1000, 400)
