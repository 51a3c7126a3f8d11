"""Settings in messages, as who hears them types them: ``--resume`` or ``resume=True``.

Whatever raises an error names a setting by its option. What stands in :mod:`maskforge.api` lets it
out in the words of Python, unless the command line asks, which says so once, by :func:`typed`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints

from maskforge import plugins
from maskforge.errors import MaskforgeError, Problem

_typed = ContextVar("typed", default=False)

_OPTION = re.compile(
    r"(?<![\w'\"-])--(?P<name>[a-z]+(?:-[a-z]+)*)(?![\w-])(?:(?P<gap>[ =])(?P<value>'[^']*'|\S+))?"
)
_MAP = re.compile(r"--map (?:'([^']*)'|(\S.*=.+))$")
_SIZE = re.compile(r"(W|WIDTH|\d+)x(H|HEIGHT|\d+)")
_COMMAND = re.compile(
    r"\bmaskforge (?P<name>[a-z]+)(?P<option> (?=--))?(?:(?P<gap> )(?P<path>\S.*)$)?"
)
_TWINS = {"convert", "inspect", "train", "evaluate", "predict"}
_SPELLED = {"as": "as_", "option": "options"}
_FLAGS = {"resume", "overwrite", "strict", "tensorboard"}
_WORDS = {"cpu", "cuda", "auto"}
_ANYTHING = {"resume_from", "options"}
"""Settings whose value is whatever follows."""


@dataclass(frozen=True, slots=True)
class _Known:
    """Settings by name: those that are yes or no, those that are lists, and values that some have.

    own: the options of readers.
    """

    flags: frozenset[str]
    lists: frozenset[str]
    values: frozenset[str]
    own: frozenset[str]


@contextmanager
def typed() -> Iterator[None]:
    """Leave messages as the command line has them, in the block and in what it calls."""
    token = _typed.set(True)
    try:
        yield
    finally:
        _typed.reset(token)


@contextmanager
def python(*, own: str = "") -> Iterator[None]:
    """Let errors out in the words of Python; also decorates a function. own: see in_python."""
    try:
        yield
    except MaskforgeError as error:
        if not _typed.get():
            error.message = in_python(error.message, own=own)
            error.cure = in_python(error.cure, own=own)
            error.args = (error.message,)
        raise


def problems(found: Iterable[Problem], *, own: str = "") -> tuple[Problem, ...]:
    """Return the problems in the words of Python."""
    return tuple(problem(one, own=own) for one in found)


def problem(one: Problem, *, own: str = "") -> Problem:
    """Return a problem in the words of Python."""
    if _typed.get():
        return one
    message, cure = (in_python(text, own=own) for text in (one.message, one.cure))
    if (message, cure) == (one.message, one.cure):
        return one
    return replace(one, message=message, cure=cure)


def in_python(text: str, *, own: str = "") -> str:
    """Return a message with the parameters of Python in place of options.

    own: the parameter that takes the options of a reader, where they are none themselves.
    """
    if "--" not in text and "maskforge " not in text:
        return text
    text = _COMMAND.sub(_function, text)
    text = _MAP.sub(lambda match: f"map={json.dumps([match[1] or match[2]])}", text)
    return _OPTION.sub(lambda match: _parameter(match, own), text)


def _function(match: re.Match[str]) -> str:
    """Return what a command is in Python: a function, or the format of a conversion."""
    name, path = match["name"], match["path"]
    if name in _TWINS:
        return f"maskforge.{name}{match['option'] or ''}{match['gap'] or ''}{path or ''}"
    if name not in plugins.names("readers"):
        return match[0]
    if match["option"]:
        return f'format="{name}", {path or ""}'
    if path is None:
        return f'format="{name}"'
    source = json.dumps(path.strip("'"), ensure_ascii=False)
    return f'maskforge.convert({source}, format="{name}")'


def _parameter(match: re.Match[str], own: str) -> str:
    known = _known()
    name = match["name"].replace("-", "_")
    after = f"{match['gap'] or ''}{match['value'] or ''}"
    if name.removeprefix("no_") in known.flags and name.startswith("no_"):
        return f"{name.removeprefix('no_')}=False{after}"
    if name in known.flags:
        return f"{name}=True{after}"
    name = _SPELLED.get(name, name)
    value = (match["value"] or "").rstrip(".,:;)")
    if not _is_value(name, value, known):
        return f"{name}={after}"
    rest = (match["value"] or "")[len(value) :]
    shown = _shown(name, value.strip("'"), known)
    if own and name in known.own:
        return f'{own}={{"{name}": {shown}}}{rest}'
    return f"{name}={shown}{rest}"


def _is_value(name: str, value: str, known: _Known) -> bool:
    """Return whether what follows an option is its value, and not the next word of the sentence."""
    if not value:
        return False
    first = value.partition("|")[0]
    if _SIZE.fullmatch(value):
        return True
    told = value[0] == "'" or re.search(r"[=:#/|0-9{]", value) is not None or value.isupper()
    return told or name in _ANYTHING or first in known.values


def _shown(name: str, value: str, known: _Known) -> str:
    if name == "options":
        key, _, said = value.partition("=")
        return f'{{"{key}": {_literal(said)}}}'
    if name in known.lists:
        return json.dumps(value.split(","), ensure_ascii=False)
    if "|" in value:
        *first, last = (f'"{one}"' for one in value.split("|"))
        return f"{', '.join(first)} or {last}"
    if size := _SIZE.fullmatch(value):
        return f"({size[1]}, {size[2]})"
    numbers = value.split(",")
    if all(re.fullmatch(r"-?\d+(\.\d+)?", number) for number in numbers):
        return value if len(numbers) == 1 else f"({', '.join(numbers)})"
    return json.dumps(value, ensure_ascii=False)


def _literal(value: str) -> str:
    try:
        return repr(json.loads(value))
    except ValueError:
        return json.dumps(value, ensure_ascii=False)


@cache
def _known() -> _Known:
    # Loaded only where there is something wrong to tell.
    from maskforge import readers
    from maskforge.conversion.settings import Settings
    from maskforge.prediction.config import Config

    flags, lists, values, own = set(_FLAGS), set[str](), set(_WORDS), set[str]()
    kinds = [Settings, Config]
    for name in plugins.names("readers"):
        kinds.append(readers.load(name).Options)
        own |= {one.name for one in fields(kinds[-1])}
    for package in ("rules", "writers", "layouts", "engines"):
        values |= set(plugins.names(package))
    for kind in kinds:
        for name, hint in get_type_hints(kind).items():
            flags |= {name} if hint is bool else set()
            lists |= {name} if hint == tuple[str, ...] else set()
            values |= _choices(hint)
    return _Known(frozenset(flags), frozenset(lists), frozenset(values), frozenset(own))


def _choices(hint: Any) -> set[str]:
    if get_origin(hint) is Literal:
        return {name for name in get_args(hint) if isinstance(name, str)}
    return {name for inner in get_args(hint) for name in _choices(inner)}
