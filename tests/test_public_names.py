"""What ``maskforge`` offers, by name."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from pathlib import Path

import pytest

import maskforge

DOCS = Path(__file__).resolve().parents[1] / "docs"

PUBLIC = {
    "__version__",
    # what is done
    "convert",
    "read",
    "rasterize",
    "inspect",
    "open_dataset",
    "train",
    "evaluate",
    "predict",
    "open_network",
    "overlay",
    "metrics",
    # what it is done with
    "Annotation",
    "Region",
    "ClassTable",
    "Polygon",
    "Box",
    "Ellipse",
    "Polyline",
    "Bitmap",
    "Dataset",
    # what comes of it
    "Raster",
    "Conversion",
    "Training",
    "Evaluation",
    "Prediction",
    "Problem",
    # what goes wrong
    "MaskforgeError",
    "ReadError",
    "GeometryError",
    "ClassError",
    "WriteError",
    "UsageError",
}


def test_the_names_are_these() -> None:
    assert set(maskforge.__all__) == PUBLIC
    assert len(maskforge.__all__) == len(PUBLIC)
    assert dir(maskforge) == sorted(PUBLIC)


@pytest.mark.parametrize("name", sorted(PUBLIC - {"__version__"}))
def test_each_is_there_and_documented(name: str) -> None:
    value = getattr(maskforge, name)
    assert callable(value)
    doc = inspect.getdoc(value)
    assert doc, f"{name} must have a docstring"
    assert not doc.startswith(f"{name}("), "the docstring that dataclasses make up says nothing"
    assert value.__module__.startswith("maskforge.")


def test_each_has_an_example_that_runs() -> None:
    """Blocks of Python in docs/python.md are run by tests/test_docs.py."""
    page = (DOCS / "python.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    used = set[str]()
    for node in ast.walk(ast.parse("\n".join(blocks))):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "maskforge":
            used.add(node.attr)
        elif isinstance(node, ast.ImportFrom) and node.module == "maskforge":
            used |= {alias.name for alias in node.names}
    assert PUBLIC - {"__version__"} - used == set()


def test_type_checkers_see_the_same_names() -> None:
    """The names for type checkers are imported under TYPE_CHECKING: two lists that must agree."""
    tree = ast.parse(Path(maskforge.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.asname: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(seen) == PUBLIC - {"__version__"}
    for name, module in seen.items():
        assert getattr(importlib.import_module(module), name) is getattr(maskforge, name)


def test_no_module_hides_a_function() -> None:
    """``import maskforge.x`` sets the attribute ``x``: no public name may be that of a module."""
    folder = Path(maskforge.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} | {p.name for p in folder.iterdir()}
    assert not modules & PUBLIC


def test_what_is_not_there_is_said_as_always() -> None:
    with pytest.raises(AttributeError, match="module 'maskforge' has no attribute 'nothing'"):
        _ = maskforge.nothing
