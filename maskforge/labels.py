"""Labels: how they are compared, and what the user makes of them before classes are looked up.

A label is the text that a source gives a region. It is compared in Unicode's NFC, as one line,
without characters that nobody sees; the joiners that some scripts need stay.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from maskforge.errors import Problem, UsageError

BACKGROUND = "_background_"
IGNORE = "__ignore__"
MAGIC = (BACKGROUND, IGNORE)
"""Labels that are no classes of their own: what erases, and what is neither trained nor scored."""

_NAMED = 8
"""Labels that are named where many are meant."""

_JOINERS = "\u200c\u200d"
_NUMBERED = re.compile(r"(.*[^\W\d_])[-_ ]\d+")


def name_of_class(name: str) -> str:
    """Return what people read for a class: ``_background_`` and ``__ignore__`` go without lines."""
    return name.strip("_") if name in MAGIC else name


def visible(text: str) -> str:
    """Return ``text`` in NFC without characters that nobody sees, but for joiners."""
    if text.isascii():
        return text
    normal = unicodedata.normalize("NFC", text)
    return "".join(c for c in normal if c in _JOINERS or unicodedata.category(c) != "Cf")


@lru_cache(maxsize=4096)
def clean(text: str) -> str:
    """Return ``text`` as labels are compared: one line, as a labels.txt can hold it."""
    return " ".join(visible(text).split()).strip(_JOINERS)


def stem(label: str) -> str | None:
    """Return ``bus`` for ``bus-1``, as labelme 3 told things of a class apart; None for others."""
    found = _NUMBERED.fullmatch(label)
    return found[1] if found is not None and label[len(found[1])] == "-" else None


@dataclass(frozen=True, slots=True)
class Relabelling:
    """What the user makes of labels: the first rule that fits renames, then some are chosen.

    renamed: (label, new label). only, drop, ignored: labels as they are after that. Where a label
    stands, ``*`` stands for any text and ``?`` for any character. Raises UsageError.
    """

    renamed: tuple[tuple[str, str], ...] = ()
    only: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        rules: Iterable[str] | Mapping[str, str] = (),
        only: Iterable[str] = (),
        drop: Iterable[str] = (),
        ignored: Iterable[str] = (),
    ) -> Relabelling:
        """Return what ``A,B=C`` and lists of labels say; rules may be a dictionary."""
        pairs = list(rules.items()) if isinstance(rules, Mapping) else [_pair(r) for r in rules]
        renamed = [(clean(one), clean(new)) for old, new in pairs for one in old.split(",")]
        if not all(map(all, renamed)):
            raise UsageError("a rule of --map must have labels on both sides, such as van,bus=car")
        lists = (tuple(filter(None, map(clean, some))) for some in (only, drop, ignored))
        return cls(tuple(renamed), *lists)

    def __bool__(self) -> bool:
        return bool(self.renamed or self.only or self.drop or self.ignored)

    def __call__(self, label: str) -> str | None:
        """Return the label that is looked up, None where a region counts as not drawn."""
        label = self._renamed(label)
        if any(_fits(one, label) for one in self.drop):
            return None
        if any(_fits(one, label) for one in self.ignored):
            return IGNORE
        # Holes and what is ignored are no classes of their own, which one would have to choose.
        if self.only and label not in MAGIC and not any(_fits(one, label) for one in self.only):
            return None
        return label

    def _renamed(self, label: str) -> str:
        return next((new for old, new in self.renamed if _fits(old, label)), label)

    def told(self, labels: Iterable[str]) -> list[str]:
        """Return in words what becomes of labels that do not stay as they are."""
        changed: dict[str | None, list[str]] = {}
        for label in labels:
            if (new := self(label)) != label:
                changed.setdefault(new, []).append(label)
        return [
            f"classes: {', '.join(old)} {'left out' if new is None else f'→ {new}'}"
            for new, old in changed.items()
        ]

    def idle(self, labels: Iterable[str]) -> list[tuple[str, str]]:
        """Return what fits none of ``labels``: the option, and the label that it has."""
        met = list(labels)
        after = [self._renamed(label) for label in met]
        lists = (("--only", self.only), ("--drop", self.drop), ("--ignore-labels", self.ignored))
        idle = [("--map", old) for old, _ in self.renamed if not any(_fits(old, x) for x in met)]
        return idle + [
            (option, one)
            for option, some in lists
            for one in some
            if not any(_fits(one, label) for label in after)
        ]

    def doubts(self, labels: Iterable[str], file: str) -> list[Problem]:
        """Return what to tell of rules that fit none of ``labels``, those of ``file``."""
        known = list(labels)
        shown = ", ".join(map(repr, sorted(known)[:_NAMED])) + " …" * (len(known) > _NAMED)
        found = []
        for option, label in self.idle(known):
            near = difflib.get_close_matches(label, known, n=1)
            found.append(
                Problem(
                    "label-doubt",
                    file,
                    f"{option} must name labels of the input, but {label!r} is none",
                    cure=f"did you mean {near[0]!r}?"
                    if near
                    else f"they are {shown}" * bool(known),
                    severity="warning",
                )
            )
        return found


def _pair(rule: str) -> tuple[str, str]:
    old, _, new = rule.rpartition("=")
    return old, new


def _fits(pattern: str, label: str) -> bool:
    if pattern == label or not ("*" in pattern or "?" in pattern):
        return pattern == label
    return _compiled(pattern).fullmatch(label) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(text, re.DOTALL)


# What labels look like


def twins(labels: Iterable[str]) -> list[list[str]]:
    """Return the labels that differ in case only, sorted."""
    return [names for names in _grouped(labels, str.casefold).values() if len(names) > 1]


def families(labels: Iterable[str]) -> dict[str, list[str]]:
    """Return labels that look like numbered things of one class, such as ``cell_1`` … ``cell_9``,
    by the pattern that stands for all of them: three or more.
    """
    numbered = [label for label in labels if _NUMBERED.fullmatch(label)]
    found = _grouped(numbered, lambda label: label.rstrip("0123456789") + "*")
    return {
        pattern: sorted(names, key=lambda name: (len(name), name))
        for pattern, names in found.items()
        if len(names) > 2
    }


def _grouped(labels: Iterable[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for label in sorted(labels):
        found.setdefault(key(label), []).append(label)
    return found
