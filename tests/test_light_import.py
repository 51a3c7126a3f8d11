"""Importing costs nothing until something is done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = Path(__file__).resolve().parents[1] / "samples"

HEAVY = (
    *("torch", "cv2", "PIL", "numpy", "shapely", "msgspec", "rich", "click", "multiprocessing"),
    "ray",
)


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


@pytest.mark.parametrize(
    "name",
    [
        *("rasterize", "read", "convert", "Conversion", "Raster"),
        *("open_dataset", "evaluate", "metrics", "overlay"),
    ],
)
def test_the_whole_road_loads_neither_torch_nor_opencv(name: str) -> None:
    assert not loaded_by(f"import maskforge; maskforge.{name}") & {"torch", "cv2", "shapely"}


@pytest.mark.parametrize("name", ["train", "predict", "open_network", "Training"])
def test_torch_is_loaded_where_a_network_is_and_not_by_its_name(name: str) -> None:
    assert not loaded_by(f"import maskforge; maskforge.{name}") & {"torch", "click", "rich"}


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


@pytest.mark.parametrize(
    "engine", [[], ["--engine", "serial"], ["--engine", "processes", "-j", "2"]]
)
def test_ray_is_loaded_only_where_it_is_named(engine: list[str], tmp_path: Path) -> None:
    arguments = ["labelme", str(SAMPLES / "labelme"), "-o", str(tmp_path / "out"), "-q", *engine]
    code = f"""
if __name__ == "__main__":
    from maskforge import cli
    try:
        cli.main({arguments})
    except SystemExit as stop:
        assert stop.code in (0, 1)
"""
    assert "ray" not in loaded_by(code)
    assert (tmp_path / "out" / "masks").is_dir()


def test_options_of_engines_load_none_of_them() -> None:
    code = (
        "from maskforge import cli\ntry: cli.main(['labelme', '--help'])\nexcept SystemExit: pass"
    )
    assert not loaded_by(code) & {"ray", "multiprocessing", "torch", "cv2"}
