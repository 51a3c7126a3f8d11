"""What the folders readers, rules, writers, layouts and engines offer, told by their docstrings."""

from __future__ import annotations

import ast
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import maskforge
from _make import markdown
from maskforge import plugins

_PACKAGE = Path(maskforge.__file__).parent


def table(package: str) -> str:
    """Return a table of the choices in ``package``: name and first sentence."""
    rows = [
        [f"`{name}`", markdown.first(_docstring(package, name))] for name in plugins.names(package)
    ]
    return markdown.table(["name", "what it is"], rows)


def sections(package: str) -> str:
    """Return a section for each choice in ``package``: its whole docstring, the default first."""
    names = sorted(plugins.names(package), key=lambda name: (name != "pixel-center", name))
    return "\n\n".join(
        f"### `{name}`\n\n{markdown.text(_docstring(package, name))}" for name in names
    )


def reader(name: str) -> str:
    """Return what a reader's docstring says, and a table of its own options."""
    module = plugins.load("readers", name)
    rows = []
    for field in fields(module.Options):
        flag = f"`--{field.name.replace('_', '-')} {field.metadata.get('metavar', 'NAME')}`"
        default = "" if field.default is None else f"`{field.default}`"
        rows.append([flag, f"`{field.name}`", str(field.metadata.get("help", "")), default])
    options = markdown.table(["option", "in Python", "meaning", "default"], rows)
    files = ", ".join(f"`{s}`" for s in module.SUFFIXES) or "a folder, read as a whole"
    title = f"**{module.TITLE}.** Files: {files}. "
    title += f"Written by default: `{module.DEFAULT_OUTPUT}`."
    # The page has a section of its own for what the docstring finds in a private module.
    told = markdown.rest(module.__doc__).replace("see `._via_labels`", "see below")
    return f"{title}\n\n{told}\n\n{options}"


def via_labels() -> str:
    """Return how the class of a VIA region is found, as the code that finds it says."""
    return markdown.rest(import_module("maskforge.readers._via_labels").__doc__)


def _docstring(package: str, name: str) -> str:
    place = _PACKAGE / package / name.replace("-", "_")
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    source = file.read_text(encoding="utf-8")
    return ast.get_docstring(ast.parse(source)) or ""
