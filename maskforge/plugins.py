"""A folder of modules is the table of choices: the file name is what users type.

``rules/pixel_center.py`` is the rule ``pixel-center``; nothing else has to be edited to add one.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from functools import cache
from pathlib import Path
from types import ModuleType

from maskforge.errors import UsageError


@cache
def names(package: str) -> tuple[str, ...]:
    """Return the sorted names of the public modules directly inside ``maskforge.<package>``.

    Nothing is imported but the package itself.
    """
    folder = importlib.import_module(f"maskforge.{package}")
    found = pkgutil.iter_modules(folder.__path__)
    return tuple(
        sorted(m.name.replace("_", "-") for m in found if not (m.ispkg or m.name.startswith("_")))
    )


@cache
def load(package: str, name: str) -> ModuleType:
    """Import and return the module that ``name`` stands for in ``maskforge.<package>``.

    Raises UsageError, naming the choices and the nearest one, when there is no such module.
    """
    choices = names(package)
    wanted = name.replace("_", "-")
    if wanted not in choices:
        near = difflib.get_close_matches(wanted, choices, n=1)
        hint = f"did you mean {near[0]!r}?" if near else ""
        raise UsageError(
            f"{package.rpartition('.')[2]} must be one of {list(choices)}, but got {name!r}",
            cure=hint,
        )
    return importlib.import_module(f"maskforge.{package}.{wanted.replace('-', '_')}")


def summary(package: str, name: str) -> str:
    """Return the first line of the module's docstring, read from its source, not imported."""
    folder = importlib.import_module(f"maskforge.{package}")
    path = Path(next(iter(folder.__path__)), f"{name.replace('-', '_')}.py")
    with path.open(encoding="utf-8") as file:
        return file.readline().strip().strip('"').rstrip(".")
