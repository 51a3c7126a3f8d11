"""The class of a VIA region: which attribute says it, and what a value of it means.

One meaning for each kind of value:

    "car", 2, 2.0          the text, stripped: "car", "2", "2"
    "o1" where the file    the option's display text ("" there: the id "o1")
      declares option o1
    {"a": true, "b": true} one label each, in the file's order; {"a": false} is none
    ["a", "b"]             one label each
    "", {}, true, null     no label
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from maskforge.errors import ReadError
from maskforge.labels import clean
from maskforge.readers._names import shorten
from maskforge.readers._via_entry import Entry, Project, RawRegion

PREFERRED = ("label", "name", "class", "category", "type")
"""Attribute names that say the class when there are several, in any case, the first one first."""

OBJECT = "object"
"""The class of all regions in a file that says nothing of classes."""

_EXAMPLES = 3
_LISTED = 12
_MAX_BITS = 256


@dataclass(frozen=True, slots=True)
class Labelling:
    """How a file's regions get their labels: from ``attribute``, else ``default`` (None: none).

    assumed: in words why the default is :data:`OBJECT`, "" where it is not.
    """

    attribute: str | None
    default: str | None
    texts: Mapping[str, str] = field(default_factory=dict)
    assumed: str = ""

    def labels(self, attributes: Mapping[str, object]) -> tuple[str, ...]:
        """Return the labels of a region with these attributes; empty when it has none."""
        found: tuple[str, ...] = ()
        if self.attribute is not None:
            found = value_labels(attributes.get(self.attribute), self.texts)
        return found or (() if self.default is None else (self.default,))


def choose(project: Project, *, attribute: str | None, default: str | None) -> Labelling:
    """Decide which attribute of ``project`` says the class.

    That is ``attribute``, in another case if there is one of that only; else the only one there is,
    in the regions or declared; else the first of :data:`PREFERRED` that exactly one attribute is
    called, in any case.

    Where no region of the file has a label of any kind, there is one class, :data:`OBJECT`.

    Raises ReadError (no-label), with what there is and the option to give, when that leaves none,
    or when no region gets a label.
    """
    regions = (r for image in project.images if isinstance(image, Entry) for r in image.regions)
    first = list(itertools.islice(regions, 1))
    examples = _examples(itertools.chain(first, regions), project.attributes)
    if not first or (not examples and default is not None):
        return Labelling(None, default)
    if attribute is None and default is None and not any(examples.values()):
        what = "no attribute" if not examples else "nothing in any attribute"
        return Labelling(None, OBJECT, assumed=f"regions have {what} that says their class")
    chosen = _called(attribute, examples) if attribute is not None else _obvious(examples)
    if chosen is None or chosen not in examples:
        wrong = "cannot be told" if chosen is None else f"must be there, but {chosen!r} is not"
        raise ReadError(
            f"the attribute that says the class {wrong}; there are: {_listing(examples)}",
            code="no-label",
            cure="say which one with --attribute NAME",
        )
    if not examples[chosen] and default is None:
        raise ReadError(
            f"attribute {chosen!r} must say the class, but it is empty in every region; "
            f"there are: {_listing(examples)}",
            code="no-label",
            cure="name another with --attribute NAME, or the class with --default-label NAME",
        )
    return Labelling(chosen, default, project.attributes.get(chosen, {}))


def _called(name: str, known: Iterable[str]) -> str:
    """Return ``name``, or the only one of ``known`` that differs from it in case alone."""
    alike = [one for one in known if one.casefold() == name.casefold()]
    return alike[0] if name not in alike and len(alike) == 1 else name


def value_labels(value: object, texts: Mapping[str, str]) -> tuple[str, ...]:
    """Return the labels that an attribute's ``value`` means; ``texts`` is {option id: text}."""
    if isinstance(value, dict):
        options: Iterable[object] = (key for key, ticked in value.items() if ticked is True)
    else:
        options = value if isinstance(value, list) else (value,)
    labels = (_label(option, texts) for option in options)
    return tuple(dict.fromkeys(label for label in labels if label))


def _label(value: object, texts: Mapping[str, str]) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    text = value if isinstance(value, str) else _decimal(value)
    return clean(texts.get(text, "")) or clean(text)


def _decimal(number: int | float) -> str:
    if isinstance(number, float):
        if not math.isfinite(number):
            return ""
        return str(int(number)) if number.is_integer() else repr(number)
    # Python refuses to write integers of thousands of digits; no class has such a number.
    return str(number) if number.bit_length() <= _MAX_BITS else ""


def _examples(
    regions: Iterable[RawRegion], declared: Mapping[str, Mapping[str, str]]
) -> dict[str, list[str]]:
    """Return each attribute's name with up to three labels that it gives."""
    found: dict[str, list[str]] = {name: [] for name in declared if name}
    for region in regions:
        for name, value in region.attributes.items():
            if not name:
                continue  # VIA itself drops the attribute without a name when it reads a file
            seen = found.setdefault(name, [])
            if len(seen) < _EXAMPLES:
                labels = value_labels(value, declared.get(name, {}))
                seen.extend([label for label in labels if label not in seen][:_EXAMPLES])
    return found


def _obvious(examples: Mapping[str, object]) -> str | None:
    if len(examples) == 1:
        return next(iter(examples))
    for word in PREFERRED:
        called = [name for name in examples if name.strip().casefold() == word]
        if called:
            return called[0] if len(called) == 1 else None
    return None


def _listing(examples: Mapping[str, list[str]]) -> str:
    def line(name: str, values: list[str]) -> str:
        shown = ", ".join(shorten(repr(value)) for value in values) or "always empty"
        return f"{shorten(repr(name))} ({shown})"

    lines = [line(name, values) for name, values in list(examples.items())[:_LISTED]]
    more = len(examples) - len(lines)
    return ", ".join(lines) + (f" and {more} more" if more else "")
