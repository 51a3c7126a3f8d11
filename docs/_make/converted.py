"""What a real conversion of two samples writes, for the pages that show it."""

from __future__ import annotations

import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

from maskforge import convert
from maskforge.io import manifest

_SAMPLES = Path(__file__).resolve().parent.parent.parent / "samples"


@cache
def _manifest() -> str:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "dir")
        folder.mkdir()
        for name in ("park_001.json", "park_001.jpg", "phone.json", "phone.jpg", "labels.txt"):
            shutil.copy(_SAMPLES / "labelme" / name, folder)
        result = convert(folder, format="labelme")
        manifest.load(result.manifest)
        return result.manifest.read_text(encoding="utf-8")


def manifest_excerpt() -> str:
    """Return a whole manifest of two images, lists of numbers on one line."""
    whole = json.loads(_manifest())
    images = whole.pop("images")
    lines = [f"  {json.dumps(key)}: {_value(value)}" for key, value in whole.items()]
    lines.append(
        '  "images": [\n    ' + ",\n    ".join(_record(image) for image in images) + "\n  ]"
    )
    return "```json\n{\n" + ",\n".join(lines) + "\n}\n```"


def _value(value: object) -> str:
    if not isinstance(value, dict) or len(json.dumps(value)) < 90:
        return json.dumps(value)
    inner = ",\n".join(f"    {json.dumps(key)}: {json.dumps(item)}" for key, item in value.items())
    return "{\n" + inner + "\n  }"


def _record(record: dict[str, object]) -> str:
    lines: list[str] = []
    for key, value in record.items():
        item = f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
        if lines and len(lines[-1]) + len(item) < 88:
            lines[-1] += f", {item}"
        else:
            lines.append(item)
    return "{" + ",\n     ".join(lines) + "}"
