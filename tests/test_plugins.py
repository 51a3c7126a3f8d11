"""A folder is the table of choices."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from types import ModuleType

import pytest

from maskforge import plugins
from maskforge.errors import UsageError

PACKAGES = ("rules", "readers", "writers", "layouts", "engines")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_choice_loads_and_says_what_it_is(package: str) -> None:
    names = plugins.names(package)
    assert names == tuple(sorted(names))
    assert names
    for name in names:
        module = plugins.load(package, name)
        assert module.__name__ == f"maskforge.{package}.{name.replace('-', '_')}"
        summary = plugins.summary(package, name)
        assert module.__doc__ is not None
        assert module.__doc__.startswith(summary)
        assert len(summary) > 10


def test_names_are_written_with_hyphens_and_helpers_are_no_choice() -> None:
    names = plugins.names("rules")
    assert "pixel-center" in names
    assert not any("_" in name for name in names)


def test_both_spellings_are_understood() -> None:
    assert plugins.load("rules", "pixel_center") is plugins.load("rules", "pixel-center")


@pytest.mark.parametrize("name", ["", "_ties", "pixel", "../errors", "os", "pixel-center.x"])
def test_what_is_no_choice_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=r"rules must be one of \['coco', "):
        plugins.load("rules", name)


def test_of_very_many_names_the_nearest_is_told_and_no_list() -> None:
    known = [f"name-{number}" for number in range(30)]
    with pytest.raises(
        UsageError, match="a thing must be a name that is known, but got 'name7'"
    ) as e:
        plugins.choose("a thing", "name7", known)
    assert e.value.cure == "did you mean 'name-7'?"
    with pytest.raises(UsageError, match=r"a thing must be one of \['name-0', "):
        plugins.choose("a thing", "xyz", known)


def test_the_nearest_choice_is_named() -> None:
    with pytest.raises(UsageError) as caught:
        plugins.load("rules", "pixel-centre")
    assert caught.value.cure == "did you mean 'pixel-center'?"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("cocoo", "coco"),
        ("Pixel_Center", "pixel-center"),
        ("center-pixel", "pixel-center"),
        ("qqq", ""),
        ("", ""),
    ],
)
def test_the_nearest(typed: str, meant: str) -> None:
    assert plugins.nearest(typed, plugins.names("rules")) == meant


def test_networks_and_tables_are_known_without_what_they_import() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from maskforge import plugins\n"
        "print(*plugins.names('training.models'), *plugins.table('training', 'losses', 'LOSSES'))\n"
        "print(plugins.summary('training.models', 'unet'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "unet" in done.stdout.split()
    assert "dice" in done.stdout.split()
    assert "U-Net: " in done.stdout


def test_a_table_tells_what_its_functions_do() -> None:
    told = plugins.table("training", "schedules", "SCHEDULES")
    assert told["constant"] == "Return 1"
    with pytest.raises(LookupError, match=r"schedules\.py must have a table NOTHING"):
        plugins.table("training", "schedules", "NOTHING")


@dataclass(frozen=True)
class Options:
    width: float = 10.0
    name: str = "x"


def test_options_of_a_choice() -> None:
    module = ModuleType("maskforge.readers.some_format")
    module.Options = Options  # type: ignore[attr-defined]
    assert plugins.options(module, {"width": 3.0}) == Options(3.0)
    assert plugins.effective(module, {"name": "y"}) == {"width": 10.0, "name": "y"}
    said = r"some-format must .*\['name', 'width'\].*\['wdith'\]"
    with pytest.raises(UsageError, match=said) as caught:
        plugins.options(module, {"wdith": 3})
    assert caught.value.cure == "did you mean 'width'?"


@pytest.mark.parametrize("name", plugins.names("readers"))
def test_every_reader_has_options_with_defaults(name: str) -> None:
    assert json.dumps(plugins.effective(plugins.load("readers", name), {}))
