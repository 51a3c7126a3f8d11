"""Which packages an extra consists of, and that nobody is told to install a stranger's."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from maskforge import extras

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]

FOLDERS = (".ci", "benchmarks", "constraints", "docs", "maskforge", "samples", "tests")
SUFFIXES = ("", ".cfg", ".ini", ".md", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml")

# An installer, what else it is to install on this line, and the name: by itself, or with an extra.
_BY_NAME = re.compile(
    r"""\b(?:pip[3x]?|uv|poetry|pdm|conda|mamba)\s+(?:tool\s+)?(?:install|add|run)\s+
    (?:[^\s`&|;\#]+[ \t]+)*? maskforge(?![\w/-])
    | \buvx\s+maskforge(?![\w/-])
    | (?<![\w./-])maskforge\[[a-z]""",
    re.VERBOSE,
)


def _installed(monkeypatch: pytest.MonkeyPatch, *requirements: str) -> None:
    def requires(name: str) -> list[str]:
        assert name == "maskforge-suite"
        return list(requirements)

    monkeypatch.setattr(metadata, "requires", requires)


def test_the_line_has_the_versions_that_we_are_installed_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _installed(
        monkeypatch,
        "numpy>=1.26",
        "torch>=1; extra == 'old-train'",
        "tensorboard!=2.18,>=2.16; extra == 'train'",
        'torch >=2.4 ; extra == "train"',
    )
    line = 'pip install "torch>=2.4" "tensorboard!=2.18,>=2.16"'
    assert extras.install("train") == f"{line} matplotlib"


def test_only_some_of_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch, "onnx>=1.16; extra == 'onnx'", "onnxruntime>=1.18; extra == 'onnx'")
    assert extras.install("onnx", "onnxruntime") == 'pip install "onnxruntime>=1.18"'
    assert extras.install("onnx") == 'pip install "onnx>=1.16" onnxscript "onnxruntime>=1.18"'


def test_without_metadata_the_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def requires(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", requires)
    assert extras.install("train") == "pip install torch tensorboard matplotlib"
    assert extras.install("onnx", "onnxruntime") == "pip install onnxruntime"


def test_metadata_without_requirements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda name: None)
    assert extras.install("annotate") == "pip install labelme"


@pytest.mark.parametrize("names", [("trains",), ("train", "onnx")])
def test_what_is_in_no_extra(names: tuple[str, ...]) -> None:
    with pytest.raises(KeyError, match=names[-1]):
        extras.install(*names)


@pytest.mark.parametrize("extra", sorted(extras.EXTRAS))
def test_the_table_is_that_of_the_project(extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch, *(f"{each}; extra == '{extra}'" for each in EXTRAS[extra]))
    line = extras.install(extra)
    assert sorted(re.findall(r'"(.*?)"', line)) == sorted(EXTRAS[extra]), line


def test_every_extra_of_users_is_in_the_table() -> None:
    assert set(extras.EXTRAS) == set(EXTRAS) - {"test", "bench"}
    assert PROJECT["name"] == extras.DISTRIBUTION
    assert list(PROJECT["scripts"]) == ["maskforge"]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('pip install "NAME[train]"', True),
        ('labelme is installed with `pip install\n"NAME"`', True),
        ("python -m pip install -U NAME==0.1", True),
        ("pip install torch 'NAME' # and more", True),
        ('["pip", "install", "NAME"]', True),
        ("uv tool install NAME.", True),
        ("uvx NAME labelme dir/", True),
        ("as in NAME[onnx]", True),
        ("pip install .\nNAME train dir-masks/", False),
        ('pip install ".[train]"  # then NAME train', False),
        ("pip install onnxruntime && NAME predict", False),
        ("`pip install .` gives the command NAME", False),
        ("pip install --editable work/NAME", False),
        ("[NAME](README.md), NAME-suite and NAME.train", False),
    ],
)
def test_what_counts_as_telling_to_install_it(line: str, found: bool) -> None:
    assert bool(_tells(line.replace("NAME", "maskforge"))) is found


def test_nobody_is_told_to_install_a_stranger() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in _texts()}
    assert {ROOT / "README.md", ROOT / "Makefile", Path(extras.__file__)} <= set(texts)
    told = {path.relative_to(ROOT).as_posix(): _tells(text) for path, text in texts.items()}
    assert {name: lines for name, lines in told.items() if lines} == {}


def _tells(text: str) -> list[str]:
    return _BY_NAME.findall(re.sub(r"""["'],?""", " ", text))


def _texts() -> Iterator[Path]:
    """Yield the files that people wrote."""
    inner = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))
    for path in (*ROOT.glob("*"), *inner):
        if path.suffix in SUFFIXES and path.is_file():
            yield path


def test_what_is_installed_with_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        if name == "onnxruntime":
            raise metadata.PackageNotFoundError(name)
        return f"1.0+{name}"

    monkeypatch.setattr(metadata, "version", version)
    assert extras.installed("onnx") == {
        "onnx": "1.0+onnx",
        "onnxscript": "1.0+onnxscript",
        "onnxruntime": "",
    }
