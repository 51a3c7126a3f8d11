"""Small files to make data sets of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

# 3 rows, 4 columns, no symmetry: a swap of rows and columns, or a mirror, must fail.
IDS = np.array([[0, 0, 1, 2], [0, 1, 1, 2], [0, 0, 0, 255]], dtype=np.uint8)


class Files:
    """Writes images and masks below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def image(self, name: str, *, size: tuple[int, int] = (3, 4), orientation: int = 1) -> Path:
        """Write an image of ``size`` (height, width) as stored, its pixels all different."""
        path = self._place(name)
        values = np.arange(size[0] * size[1] * 3, dtype=np.uint32) % 251
        image = Image.fromarray(values.astype(np.uint8).reshape(*size, 3))
        exif = Image.Exif()
        if orientation != 1:
            exif[0x0112] = orientation
        image.save(path, exif=exif)
        return path

    def mask(self, name: str, ids: np.ndarray = IDS, palette: list[int] | None = None) -> Path:
        """Write a mask, with a palette as a palette image."""
        path = self._place(name)
        if path.suffix == ".npy":
            np.save(path, ids)
            return path
        image = Image.fromarray(ids)
        if palette is not None:
            image = Image.frombytes("P", (ids.shape[1], ids.shape[0]), ids.tobytes())
            image.putpalette(palette + [0] * (768 - len(palette)))
        image.save(path)
        return path

    def text(self, name: str, text: str) -> Path:
        path = self._place(name)
        path.write_text(text, encoding="utf-8")
        return path

    def pair(self, stem: str, ids: np.ndarray = IDS, *, size: tuple[int, int] = (3, 4)) -> None:
        """Write images/STEM.png and masks/STEM.png."""
        self.image(f"images/{stem}.png", size=size)
        self.mask(f"masks/{stem}.png", ids)

    def _place(self, name: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "set")


@pytest.fixture
def ids() -> np.ndarray:
    return IDS.copy()
