"""The pictures of the documents, made by the tool itself from ``samples/``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from _make import diagrams, outlines, photos, trained

Draw = Callable[[Path], Image.Image]

_CONVERTED: dict[str, Draw] = {
    "readme.jpg": lambda root: photos.readme(root / "samples"),
    "preview.jpg": lambda root: photos.preview(root / "samples"),
    "styles.png": lambda root: photos.styles(root / "samples"),
    "rules.png": lambda root: diagrams.rules(),
    "overlap.png": lambda root: diagrams.overlap(),
    "regions.png": lambda root: outlines.regions(root / "samples"),
}
_TRAINED: dict[str, Draw] = {"training.jpg": trained.training, "background.jpg": trained.swapped}


def missing(folder: Path) -> list[str]:
    """Return the pictures that are not in ``folder``."""
    return [name for name in (*_CONVERTED, *_TRAINED) if not (folder / name).is_file()]


def make(folder: Path, root: Path) -> None:
    """Write all pictures into ``folder``; those of networks only after ``make demo``."""
    folder.mkdir(exist_ok=True)
    chosen = _CONVERTED | _TRAINED if trained.can_be_made(root) else _CONVERTED
    for name, draw in chosen.items():
        image = draw(root)
        if name.endswith(".jpg"):
            image.save(folder / name, quality=88, subsampling=0)
        else:
            image.quantize(256, dither=Image.Dither.NONE).save(folder / name, optimize=True)
