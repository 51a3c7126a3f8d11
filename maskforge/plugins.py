"""A folder of modules is the table of choices: the file name is what users type.

``rules/pixel_center.py`` is the rule ``pixel-center``; nothing else has to be edited to add one.
What a module owes is a ``Protocol`` in the folder's ``__init__``, which has a typed ``load``.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import importlib.util
import pkgutil
import sys
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

    Nothing is imported, not even the package, which may need what is not installed.
    """
    found = pkgutil.iter_modules(_folders(package))
    return tuple(sorted(m.name.replace("_", "-") for m in found if not m.name.startswith("_")))


def _folders(package: str) -> list[str]:
    """Return the folders that the modules of ``maskforge.<package>`` are in."""
    name = f"maskforge.{package}"
    if name in sys.modules:
        return list(sys.modules[name].__path__)
    spec = importlib.util.find_spec(name)
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError(f"there is no package {name}", name=name)
    return list(spec.submodule_search_locations)


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
        cure = meant(value, known)
        # Of very many the list would hide what was meant.
        listed = f"one of {known}" if len(known) <= _MANY or not cure else "a name that is known"
        raise UsageError(f"{what} must be {listed}, but got {value!r}", cure=cure)
    return value


_MANY = 20


def meant(value: object, known: Iterable[str]) -> str:
    """Return the question whether the nearest of ``known`` was meant, "" where none is near."""
    near = nearest(str(value), known)
    return f"did you mean {near!r}?" if near else ""


def nearest(value: str, known: Iterable[str]) -> str:
    """Return what of ``known`` was probably meant by ``value``, "" where nothing is near."""
    folded = {_folded(name): name for name in known}
    typed = _folded(value)
    near = difflib.get_close_matches(typed, folded, n=1)
    # Words in another order: yellow-purple.
    same = [one for one in folded if sorted(one.split("-")) == sorted(typed.split("-"))]
    return folded[(near or same)[0]] if near or same else ""


def _folded(name: str) -> str:
    return name.casefold().replace("_", "-")


def options(choice: HasOptions, values: Mapping[str, object]) -> Any:
    """Return ``choice.Options`` made of ``values``; raises UsageError for one it does not have."""
    known = sorted(field.name for field in fields(choice.Options))
    if stranger := sorted(values.keys() - known):
        name = choice.__name__.rpartition(".")[2].replace("_", "-")
        raise UsageError(
            f"{name} must be given only its own options {known}, but got {stranger}",
            cure=meant(stranger[0], known),
        )
    return choice.Options(**values)


def effective(choice: HasOptions, values: Mapping[str, object]) -> dict[str, object]:
    """Return all options of ``choice`` with their values, defaults filled in."""
    return asdict(options(choice, values))


def summary(package: str, name: str) -> str:
    """Return the first line of the module's docstring, read from its source, not imported."""
    stem = name.replace("-", "_")
    files = (f"{stem}.py", f"{stem}/__init__.py")
    path = next(p for where in _folders(package) for f in files if (p := Path(where, f)).is_file())
    with path.open(encoding="utf-8") as lines:
        return lines.readline().strip().strip('"').rstrip(".")


@cache
def table(package: str, module: str, name: str) -> dict[str, str]:
    """Return a table of functions, ``name`` in a module: its keys, and what each function does.

    That is the first sentence of its docstring. Nothing is imported: the module may need torch.
    """
    path = next(p for where in _folders(package) if (p := Path(where, f"{module}.py")).is_file())
    tree = ast.parse(path.read_text(encoding="utf-8")).body
    told = {
        node.name: ast.get_docstring(node) or ""
        for node in tree
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    for node in tree:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        if name in [getattr(t, "id", "") for t in targets] and isinstance(value, ast.Dict):
            return {
                str(ast.literal_eval(key)): _sentence(told.get(ast.unparse(item), ""))
                for key, item in zip(value.keys, value.values, strict=True)
                if key is not None
            }
    raise LookupError(f"{path.name} must have a table {name}, but has none")


def _sentence(text: str) -> str:
    """Return the first sentence of a docstring, without the full stop."""
    paragraph = " ".join(text.partition("\n\n")[0].split())
    return paragraph.partition(". ")[0].rstrip(".")
