"""Functions whose settings are the fields of a dataclass: ``help()`` shows and tells each."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

from maskforge.api import words

SETTINGS = "\n\nSettings:\n"
"""What begins the list of settings in a docstring."""

F = TypeVar("F", bound=Callable[..., object])


def shows(kind: type) -> Callable[[F], F]:
    """Return what puts the fields of ``kind`` that have a help among a function's parameters.

    They take the place of ``**settings``; the docstring then tells each.
    """

    def decorate(function: F) -> F:
        told = [one for one in fields(kind) if "help" in one.metadata]
        signature = inspect.signature(function)
        *own, _ = signature.parameters.values()
        added = [_parameter(one) for one in told if one.name not in signature.parameters]
        shown = signature.replace(parameters=[*own, *added])
        setattr(function, "__signature__", shown)  # noqa: B010  # which type checkers do not know
        setattr(function, "settings", told)  # noqa: B010  # for the reference
        lines = "\n".join(f"    {one.name}: {help_of(one)}" for one in told)
        function.__doc__ = f"{inspect.cleandoc(function.__doc__ or '')}{SETTINGS}{lines}\n"
        return function

    return decorate


def help_of(one: Field[Any]) -> str:
    """Return what a setting does, in the words of Python."""
    text = words.in_python(one.metadata["help"])
    return text + (f" None: {one.metadata['helpful']}." if "helpful" in one.metadata else "")


def _parameter(one: Field[Any]) -> inspect.Parameter:
    default = one.default if one.default is not MISSING else None
    return inspect.Parameter(
        one.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=one.type
    )
