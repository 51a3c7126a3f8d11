"""The pictures of the documents, made by the tool itself from ``samples/``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from _make import diagrams, photos

_PICTURES: dict[str, Callable[[Path], Image.Image]] = {
    "readme.jpg": photos.readme,
    "preview.jpg": photos.preview,
    "styles.png": photos.styles,
    "rules.png": lambda samples: diagrams.rules(),
    "overlap.png": lambda samples: diagrams.overlap(),
}


def missing(folder: Path) -> list[str]:
    """Return the pictures that are not in ``folder``."""
    return [name for name in _PICTURES if not (folder / name).is_file()]


def make(folder: Path, samples: Path) -> None:
    """Write all pictures into ``folder``."""
    folder.mkdir(exist_ok=True)
    for name, draw in _PICTURES.items():
        image = draw(samples)
        if name.endswith(".jpg"):
            image.save(folder / name, quality=88, subsampling=0)
        else:
            image.quantize(256, dither=Image.Dither.NONE).save(folder / name, optimize=True)
