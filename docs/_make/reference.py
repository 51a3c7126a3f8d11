"""The public names of the package: signatures and docstrings."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields, is_dataclass
from types import FunctionType
from typing import Any

import maskforge
from _make import markdown
from maskforge import errors as kinds_of_errors
from maskforge.api.documented import SETTINGS, help_of
from maskforge.io import onehot

_LINE = 92
_SPECIAL = {
    "__len__": "len(·)",
    "__iter__": "for … in ·",
    "__contains__": "name in ·",
    "__getitem__": "·[…]",
}
_MORE = {"io.onehot.OneHotFile": onehot.OneHotFile, "io.onehot.read_onehot": onehot.read_onehot}


def names() -> str:
    """Return a section for each public name; errors have one of their own."""
    found = {name: getattr(maskforge, name) for name in maskforge.__all__ if name != "__version__"}
    chosen = {
        name: value
        for name, value in found.items()
        if not (isinstance(value, type) and issubclass(value, Exception))
    }
    order = sorted(
        chosen, key=lambda name: (not isinstance(chosen[name], FunctionType), name.lower())
    )
    sections = [_section(f"maskforge.{name}", chosen[name]) for name in order]
    sections += [_section(f"maskforge.{name}", value) for name, value in _MORE.items()]
    return "\n\n".join(sections)


def errors() -> str:
    """Return the tree of the errors and what each is raised for."""
    public = [getattr(maskforge, name) for name in maskforge.__all__]
    kinds = [value for value in public if isinstance(value, type) and issubclass(value, Exception)]
    rows = [[f"`{kind.__name__}`", markdown.first(kind.__doc__)] for kind in kinds]
    return markdown.text(kinds_of_errors.__doc__) + "\n\n" + markdown.table(["error", "when"], rows)


def _section(name: str, value: Any) -> str:
    parts = [
        f"### `{name}`",
        f"```text\n{_signature(name, value)}\n```",
        _explained(value),
    ]
    if isinstance(value, type):
        parts.append("\n".join(_members(value)))
    if hasattr(value, "settings"):
        parts.append("\n".join(f"- `{one.name}`: {help_of(one)}" for one in value.settings))
    return "\n\n".join(part for part in parts if part)


def _explained(value: Any) -> str:
    """Return the docstring; what it says of each parameter or field becomes an item of a list."""
    names = set(inspect.signature(value).parameters) | set(vars(value).get("__annotations__", {}))
    name = "|".join(sorted(names, key=len, reverse=True))
    item = re.compile(rf"(?:(?<=\. )|^)((?:{name})(?:, (?:{name}))*): ")
    paragraphs = []
    doc = (value.__doc__ or "").partition(SETTINGS)[0]  # which follow as a list
    for paragraph in markdown.text(doc).split("\n\n"):
        # A new line begins an item as a full stop does, so that both look the same below.
        flat = re.sub(r"\n(?=\S)", " ", paragraph)
        before, *items = item.split(flat)
        found = "".join(
            f"\n- `{n}`: {text.strip()}" for n, text in zip(items[::2], items[1::2], strict=True)
        )
        paragraphs.append(f"{before.strip()}\n{found}".strip() if found else paragraph)
    return "\n\n".join(paragraphs)


def _signature(name: str, value: Any) -> str:
    """Return the call; annotations as they stand in the source, one parameter a line where long."""
    signature = inspect.signature(value)
    hidden = {f.name for f in fields(value) if not f.init} if is_dataclass(value) else set()
    parameters: list[str] = []
    keyword_only = False
    for parameter in signature.parameters.values():
        if parameter.name in hidden or parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            parameters.append("*")
        parameters.append(_parameter(parameter))
    returns = _annotation(signature.return_annotation)
    arrow = f" -> {returns}" if returns and returns != "None" else ""
    line = f"{name}({', '.join(parameters)}){arrow}"
    if len(line) <= _LINE:
        return line
    return f"{name}(\n" + "".join(f"    {part},\n" for part in parameters) + f"){arrow}"


def _parameter(parameter: inspect.Parameter) -> str:
    prefix = "**" if parameter.kind is parameter.VAR_KEYWORD else ""
    text = f"{prefix}{parameter.name}: {_annotation(parameter.annotation)}"
    default = parameter.default
    if default is parameter.empty:
        return text
    return f"{text} = {default!r}" if "factory" not in repr(default) else text


def _annotation(annotation: object) -> str:
    if annotation is inspect.Signature.empty:
        return ""
    return (
        annotation
        if isinstance(annotation, str)
        else getattr(annotation, "__name__", str(annotation))
    )


def _members(kind: type) -> list[str]:
    """Return a line for each public method and property that ``kind`` has of this package."""
    ours = [one for one in kind.__mro__ if one.__module__.startswith("maskforge.")]
    found = {name: member for one in reversed(ours) for name, member in vars(one).items()}
    lines = []
    for name, member in found.items():
        if name.startswith("_") and name not in _SPECIAL:
            continue
        function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if isinstance(function, FunctionType):
            lines.append(f"- `{_call(name, function)}`: {markdown.first(function.__doc__)}")
        elif isinstance(member, property) or hasattr(member, "attrname"):
            lines.append(f"- `.{name}`: {markdown.first(member.__doc__)}")
    return [line.removesuffix(": ") for line in lines]


def _call(name: str, function: FunctionType) -> str:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    shown = ", ".join(
        f"{p.name}={p.default!r}" if p.default is not p.empty else p.name for p in parameters
    )
    return _SPECIAL.get(name, f".{name}({shown})")
