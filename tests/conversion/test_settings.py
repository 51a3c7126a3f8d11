"""Settings travel, and their fingerprint tells runs apart that must not mix."""

from __future__ import annotations

import inspect
import json
import pickle
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

import maskforge
from maskforge.classes import ClassTable
from maskforge.conversion import settings
from maskforge.conversion.settings import Plan, Settings
from maskforge.errors import UsageError

BASE = Plan(
    reader="labelme", writer="label", out=Path("out"), classes=ClassTable.from_names(["cat"])
)


@pytest.mark.parametrize(
    "change",
    [
        {"reader": "via"},
        {"writer": "color"},
        {"classes": ClassTable.from_names(["dog"])},
        {"reader_options": {"x": 1}},
        {"writer_options": {"style": "palette"}},
        {"layout": "voc"},
        {"rule": "coco"},
        {"overlap": "first"},
        {"priority": ("cat",)},
        {"unknown": "skip"},
        {"size": (4, 5)},
        {"size": (5, 4)},
        {"exif": "stored"},
        {"images": "none"},
        {"previews": False},
        {"instances": False},
    ],
    ids=str,
)
def test_what_changes_the_output_changes_the_fingerprint(change: dict[str, object]) -> None:
    assert replace(BASE, **change).fingerprint != BASE.fingerprint  # type: ignore[arg-type]


def test_the_place_does_not() -> None:
    assert replace(BASE, out=Path("elsewhere")).fingerprint == BASE.fingerprint


def test_another_version_of_maskforge_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder half made by an older version must not be completed by a newer one unnoticed."""
    before = BASE.fingerprint
    monkeypatch.setattr("maskforge.__version__", "0.0.0")
    monkeypatch.setattr(settings, "__version__", "0.0.0", raising=False)
    assert BASE.fingerprint != before


def test_public_is_json_and_says_nothing_of_the_place() -> None:
    text = json.dumps(replace(BASE, size=(4, 5), priority=("cat",)).public())
    assert '"size": [4, 5]' in text
    assert "out" not in json.loads(text)


def test_travels_between_processes() -> None:
    again = pickle.loads(pickle.dumps(BASE))
    assert again == BASE
    assert again.fingerprint == BASE.fingerprint


def test_all_that_decides_about_bytes_is_public_and_nothing_else() -> None:
    """A new setting belongs into one of the two lists."""
    rest = {
        "out",
        "as_",
        "style",
        "segmentation",
        "split_parts",
        *settings.TRACING,
        "labels",
        "images_from",
        "split",
        "seed",
    }
    work = {"workers", "engine", "overwrite", "resume", "strict"}
    assert set(settings.PUBLIC) | rest | work == {one.name for one in fields(Plan)}


@pytest.mark.parametrize(
    ("given", "said", "cure"),
    [
        ({"label": "x.txt"}, "a setting must be", "did you mean 'labels'?"),
        ({"rule": "cocoo"}, "rules must be one of", "did you mean 'coco'?"),
        ({"as_": "colour"}, "writers must be one of", "did you mean 'color'?"),
        ({"layout": "vox"}, "layouts must be one of", "did you mean 'voc'?"),
        ({"engine": "cereal"}, "engines must be one of", "did you mean 'serial'?"),
        ({"overlap": "lats"}, "overlap must be one of", "did you mean 'last'?"),
        ({"images": "links"}, "images must be one of", "did you mean 'link'?"),
        ({"size": "512"}, r"size must be the longer side", ""),
        ({"size": (0, 4)}, r"size must be the longer side", ""),
        ({"size": (1.5, 4)}, r"size must be the longer side", ""),
        ({"previews": "no"}, "previews must be True or False", ""),
        ({"priority": "cat"}, "priority must be a list of names", ""),
        ({"priority": [1]}, "priority must be a list of names", ""),
        ({"split": ["much"]}, "split must be a fraction, or a list of them", ""),
        ({"out": 5}, "out must be a path", ""),
        ({"seed": "x"}, "seed must be a whole number", ""),
        ({"workers": 1.5}, "workers must be a whole number", ""),
        ({"workers": 0}, "workers must be at least 1, but got 0", ""),
        ({"max_pixels": 0}, "max_pixels must be at least 1", ""),
        ({"split": [2.0]}, "add up to 1", ""),
        ({"style": "pink"}, "style must be one of", ""),
        ({"overwrite": True, "resume": True}, "contradict", ""),
    ],
    ids=str,
)
def test_wrong_names_and_values_are_refused(given: dict[str, Any], said: str, cure: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        Settings.of(given)
    assert cure in caught.value.cure


def test_what_comes_from_python_may_have_another_form() -> None:
    chosen = Settings.of({"out": "there", "size": [4, 5], "priority": ["cat"], "split": [0.2]})
    assert (chosen.out, chosen.size) == (Path("there"), (4, 5))
    assert (chosen.priority, chosen.split) == (("cat",), (0.2,))
    assert Settings.of({"rule": "pixel_center"}) == Settings()


def test_every_setting_says_what_it_is() -> None:
    for one in fields(Settings):
        assert one.metadata["help"].endswith((".", "]", ")")), one.name


def test_help_of_convert_shows_every_setting() -> None:
    shown = inspect.signature(maskforge.convert).parameters
    assert {one.name for one in fields(Settings)} < set(shown)
    assert shown["rule"].default == "pixel-center"
