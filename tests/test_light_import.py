"""Importing costs nothing until something is done."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "cv2", "PIL", "numpy", "shapely", "msgspec", "rich", "click", "multiprocessing")


def loaded_by(code: str) -> set[str]:
    """Return the heavy packages that a fresh interpreter has loaded after ``code``."""
    script = f"{code}\nimport sys; print(*(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_maskforge_alone_loads_nothing() -> None:
    assert loaded_by("import maskforge") == set()
    assert loaded_by("import maskforge; dir(maskforge); maskforge.__version__") == set()


@pytest.mark.parametrize("name", ["ClassTable", "Problem", "Annotation", "Polygon"])
def test_values_load_numpy_at_most(name: str) -> None:
    assert loaded_by(f"import maskforge; maskforge.{name}") <= {"numpy"}


@pytest.mark.parametrize("name", ["rasterize", "read", "convert", "Conversion"])
def test_the_whole_road_loads_neither_torch_nor_opencv(name: str) -> None:
    assert not loaded_by(f"import maskforge; maskforge.{name}") & {"torch", "cv2", "shapely"}


def test_the_exact_rule_loads_neither_opencv_nor_shapely() -> None:
    code = "from maskforge import plugins; plugins.load('rules', 'pixel-center')"
    assert loaded_by(code) <= {"numpy"}


def test_help_is_quick() -> None:
    code = "from maskforge import cli\ntry: cli.main(['--help'])\nexcept SystemExit: pass"
    assert not loaded_by(code) & {"torch", "cv2", "PIL", "numpy", "shapely", "msgspec"}


def test_names_of_choices_are_found_without_loading_them() -> None:
    code = (
        "from maskforge import plugins\n"
        "for folder in ('rules', 'readers', 'writers', 'layouts', 'engines'):\n"
        "    [plugins.summary(folder, name) for name in plugins.names(folder)]"
    )
    assert loaded_by(code) == set()
