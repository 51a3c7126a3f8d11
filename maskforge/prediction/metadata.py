"""Metadata of an exported network: texts by key, as .onnx and .pt2 files carry them.

The keys begin with ``maskforge.``; ``format`` is "maskforge-network/1", ``version`` that of the
maskforge that wrote it, ``classes`` the text of a labels.txt (of 0.1 with ``names``, a JSON list,
beside it), ``divisor`` what height and width of an image must be multiples of, ``config`` the
settings of the training as JSON (config.py), the working size among them, and ``data`` the
fingerprint of what it was trained on (samples.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from maskforge import __version__
from maskforge.classes import ClassTable
from maskforge.errors import MaskforgeError, ReadError
from maskforge.prediction.config import Config

FORMAT = "maskforge-network/1"
CURE = "export it with maskforge export"

_PREFIX = "maskforge."
_MOST = 4096
"""No network needs images to be padded to multiples of more."""

_MOST_TEXT = 2**24
"""Characters of all texts; a class table of 65,536 names has fewer."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What predicting and scoring need besides the graph; the fields are those of the module."""

    config: Config
    classes: ClassTable
    divisor: int
    data: str = ""

    def to_strings(self) -> dict[str, str]:
        """Return the texts by key; the path of encoder weights stays at home."""
        options = {k: v for k, v in self.config.options.items() if k != "encoder_weights"}
        texts = {
            "format": FORMAT,
            "version": __version__,
            "classes": self.classes.to_text(),
            "divisor": str(self.divisor),
            "config": replace(self.config, options=options).to_json(),
            "data": self.data,
        }
        return {_PREFIX + key: text for key, text in texts.items()}

    @classmethod
    def from_strings(cls, texts: Mapping[str, str], *, file: Path) -> Metadata:
        """Return what ``texts`` of ``file`` say. Raises ReadError, naming the key."""
        if texts.get(f"{_PREFIX}format") != FORMAT:
            raise ReadError(
                f"the file must say of itself that it is {FORMAT}, "
                f"but got {texts.get(f'{_PREFIX}format')!r}",
                code="wrong-format",
                file=str(file),
                cure=CURE,
            )
        if sum(map(len, texts.values())) > _MOST_TEXT:
            raise ReadError(
                f"its metadata must have at most {_MOST_TEXT} characters",
                code="wrong-format",
                file=str(file),
                cure=CURE,
            )
        found: dict[str, Any] = {}
        for key, parse in _PARSERS.items():
            try:
                found[key] = parse(texts[_PREFIX + key])
            except KeyError as error:
                raise _refused(file, key, "it is missing") from error
            except (MaskforgeError, ValueError, RecursionError) as error:
                raise _refused(file, key, error) from error
        if f"{_PREFIX}names" in texts:
            try:
                found["classes"] = found["classes"].renamed(json.loads(texts[f"{_PREFIX}names"]))
            except (MaskforgeError, ValueError, RecursionError) as error:
                raise _refused(file, "names", error) from error
        return cls(**found, data=texts.get(f"{_PREFIX}data", ""))


def _divisor(text: str) -> int:
    number = int(text) if len(text) < 10 else 0
    if not 1 <= number <= _MOST:
        raise ValueError(f"it must be within 1 … {_MOST}, but got {text[:20]!r}")
    return number


_PARSERS = {
    "config": Config.from_json,
    "classes": ClassTable.from_text,
    "divisor": _divisor,
}


def _refused(file: Path, key: str, reason: object) -> ReadError:
    return ReadError(
        f"it must be as maskforge wrote it, but: {str(reason)[:300]}",
        file=str(file),
        place=f"metadata {_PREFIX}{key}",
        cure=CURE,
    )
