"""A folder of modules is the table of choices: the file name is what users type.

``rules/pixel_center.py`` is the rule ``pixel-center``; nothing else has to be edited to add one.
What a module owes is a ``Protocol`` in the folder's ``__init__``, which has a typed ``load``.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from maskforge.errors import UsageError


class HasOptions(Protocol):
    """What every choice with options of its own has."""

    @property
    def __name__(self) -> str:
        """The module's name."""

    @property
    def Options(self) -> type[Any]:  # the class that is to be there
        """A frozen dataclass; each field has a default, and says in its metadata what it does."""


@cache
def names(package: str) -> tuple[str, ...]:
    """Return the sorted names of the public modules directly inside ``maskforge.<package>``.

    Nothing is imported but the package itself.
    """
    folder = importlib.import_module(f"maskforge.{package}")
    found = pkgutil.iter_modules(folder.__path__)
    return tuple(sorted(m.name.replace("_", "-") for m in found if not m.name.startswith("_")))


@cache
def load(package: str, name: str) -> ModuleType:
    """Import and return the module that ``name`` stands for in ``maskforge.<package>``.

    Raises UsageError, naming the choices and the nearest one, when there is no such module.
    """
    chosen = choose(package.rpartition(".")[2], name.replace("_", "-"), names(package))
    return importlib.import_module(f"maskforge.{package}.{chosen.replace('-', '_')}")


def choose(what: str, value: str, choices: Iterable[str]) -> str:
    """Return ``value``, which must be one of ``choices``. Raises UsageError with the nearest."""
    if value not in (known := list(choices)):
        raise UsageError(
            f"{what} must be one of {known}, but got {value!r}", cure=_nearest(value, known)
        )
    return value


def _nearest(value: object, known: list[str]) -> str:
    near = difflib.get_close_matches(str(value), known, n=1)
    return f"did you mean {near[0]!r}?" if near else ""


def options(choice: HasOptions, values: Mapping[str, object]) -> Any:
    """Return ``choice.Options`` made of ``values``; raises UsageError for one it does not have."""
    known = sorted(field.name for field in fields(choice.Options))
    if stranger := sorted(values.keys() - known):
        name = choice.__name__.rpartition(".")[2].replace("_", "-")
        raise UsageError(
            f"{name} must be given only its own options {known}, but got {stranger}",
            cure=_nearest(stranger[0], known),
        )
    return choice.Options(**values)


def effective(choice: HasOptions, values: Mapping[str, object]) -> dict[str, object]:
    """Return all options of ``choice`` with their values, defaults filled in."""
    return asdict(options(choice, values))


def summary(package: str, name: str) -> str:
    """Return the first line of the module's docstring, read from its source, not imported."""
    folder = importlib.import_module(f"maskforge.{package}")
    stem = name.replace("-", "_")
    files = (f"{stem}.py", f"{stem}/__init__.py")
    path = next(p for where in folder.__path__ for f in files if (p := Path(where, f)).is_file())
    with path.open(encoding="utf-8") as lines:
        return lines.readline().strip().strip('"').rstrip(".")
