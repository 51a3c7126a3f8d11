"""Notes what maskforge 0.1 made of the samples: a digest for each kind of file of an output.

    PYTHONPATH=CHECKOUT_OF_0_1 python tests/golden/make_samples_0_1.py

Manifests are left out; they say more since then.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import PIL

import maskforge

HERE = Path(__file__).resolve().parent
SAMPLES = HERE.parents[1] / "samples"

CONVERSIONS: dict[str, dict[str, Any]] = {
    "labelme": {"source": "labelme"},
    "labelme voc split": {"source": "labelme", "layout": "voc", "split": [0.2]},
    "labelme labelme": {"source": "labelme", "layout": "labelme"},
    "labelme article": {"source": "labelme", "layout": "article"},
    "labelme small palette": {"source": "labelme", "size": [64, 48], "as_": "palette"},
    "labelme onehot keep": {"source": "labelme", "as_": "onehot", "overlap": "keep"},
    "via": {"source": "via/segmentation_train.json"},
    "via color": {"source": "via/segmentation_test.json", "as_": "color", "style": "palette"},
    "ochuman": {"source": "ochuman", "style": "purple-yellow"},
    "ochuman npy split": {"source": "ochuman", "as_": "npy", "split": [0.7, 0.2, 0.1]},
}


def digests(name: str, out: Path) -> dict[str, str]:
    """Convert, and return a digest of all files of each kind: folder, or name at the top."""
    options = dict(CONVERSIONS[name])
    source = SAMPLES / options.pop("source")
    for key in ("split", "size"):
        if key in options:
            options[key] = tuple(options[key])
    single = options.get("as_") == "onehot" or name == "via"
    maskforge.convert(source, out=out / "all.npy" if single else out, **options)
    found: dict[str, Any] = {}
    for path in sorted(out.rglob("*"), key=lambda path: path.as_posix()):
        shown = path.relative_to(out).as_posix()
        if path.is_dir() or shown.startswith(".") or shown.endswith("manifest.json"):
            continue
        kind = path.name if options.get("layout") == "labelme" else shown.partition("/")[0]
        digest = found.setdefault(kind, hashlib.sha256())
        digest.update(f"{shown}\0".encode() + path.read_bytes())
    return {kind: digest.hexdigest() for kind, digest in found.items()}


def main() -> None:
    """Write the digests of all conversions, with the version of Pillow that made them."""
    found: dict[str, Any] = {"pillow": PIL.__version__}
    for name in CONVERSIONS:
        with tempfile.TemporaryDirectory() as folder:
            found[name] = digests(name, Path(folder, "out"))
    text = json.dumps(found, indent=1, sort_keys=True) + "\n"
    (HERE / "samples_0_1.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
