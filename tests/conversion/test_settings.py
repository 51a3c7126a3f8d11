"""Settings travel, and their fingerprint tells runs apart that must not mix."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import pytest

from maskforge.classes import ClassTable
from maskforge.conversion import settings as settings_
from maskforge.conversion.settings import Settings
from maskforge.errors import UsageError

BASE = Settings("labelme", "label", Path("out"), ClassTable.from_names(["cat"]))


@dataclass(frozen=True)
class Options:
    width: float = 10.0
    name: str = "x"


@pytest.fixture
def module() -> ModuleType:
    made = ModuleType("maskforge.readers.some_format")
    made.Options = Options  # type: ignore[attr-defined]
    return made


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
    monkeypatch.setattr(settings_, "__version__", "0.0.0", raising=False)
    assert BASE.fingerprint != before


def test_public_is_json_and_says_nothing_of_the_place() -> None:
    text = json.dumps(replace(BASE, size=(4, 5), priority=("cat",)).public())
    assert '"size": [4, 5]' in text
    assert "out" not in json.loads(text)


def test_travels_between_processes() -> None:
    again = pickle.loads(pickle.dumps(BASE))
    assert again == BASE
    assert again.fingerprint == BASE.fingerprint


def test_options(module: ModuleType) -> None:
    assert settings_.options(module, {"width": 3.0}) == Options(3.0)
    assert settings_.effective(module, {"name": "y"}) == {"width": 10.0, "name": "y"}
    with pytest.raises(UsageError, match=r"some-format must .*\['name', 'width'\].*\['wdith'\]"):
        settings_.options(module, {"wdith": 3})


@pytest.mark.parametrize("kind", ["reader", "writer", "layout"])
def test_choices_by_name(kind: str) -> None:
    with pytest.raises(UsageError, match=f"{kind}s must be one of"):
        getattr(settings_, kind)("no-such")


@pytest.mark.parametrize("name", ["labelme", "via", "ochuman"])
def test_every_reader_has_options_with_defaults(name: str) -> None:
    module = settings_.reader(name)
    assert json.dumps(settings_.effective(module, {}))
