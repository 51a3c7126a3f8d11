"""Small Labelme projects, and what their conversion wrote."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


def labelme_file(path: Path, shapes, *, height=6, width=9, image=True, **more):
    """Write a Labelme file and, unless told otherwise, its image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    name = f"{path.stem}.png"
    if image:
        Image.new("RGB", (width, height), (90, 120, 30)).save(path.with_name(name))
    record = {
        "version": "5.5.0",
        "flags": {},
        "shapes": [
            {
                "label": label,
                "points": points,
                "group_id": None,
                "shape_type": "polygon",
                "flags": {},
            }
            for label, points in shapes
        ],
        "imagePath": name,
        "imageData": None,
        "imageHeight": height,
        "imageWidth": width,
    } | more
    path.write_text(json.dumps(record), encoding="utf-8")


def box(x0, y0, x1, y1):
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Run where no labels.txt lies, as users do."""
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")


@pytest.fixture
def folder(tmp_path):
    """Two annotated images: a dog over a cat, and a cat alone in a subfolder."""
    source = tmp_path / "photos"
    labelme_file(source / "a.json", [("cat", box(1, 1, 5, 3)), ("dog", box(4, 2, 8, 5))])
    labelme_file(source / "more/b.json", [("cat", box(0, 0, 2, 6))])
    return source


def ids(path: Path):
    with Image.open(path) as image:
        assert image.mode == "L"
        return np.array(image)


def tree(folder: Path) -> dict[str, bytes]:
    """Return all files of an output but the list of what it owns."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and not (p.name.startswith(".maskforge-") and p.suffix == ".owned")
    }
