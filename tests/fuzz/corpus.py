"""Sound files to damage: the bundled samples, large ones cut into small files of a few images."""

from __future__ import annotations

import io
import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
FOLDERS = {
    "labelme": ("labelme",),
    "via": ("via",),
    "ochuman": ("ochuman",),
    "coco": ("coco", "coco-boxes"),
    "panoptic": ("panoptic",),
    "yolo": ("yolo",),
}
SUFFIXES = {"yolo": (".txt",)}

_FEW = 3
"""Images in one piece of a large file."""


@dataclass(frozen=True)
class Seed:
    """One sound file. folder: where its images are. beside: a folder that belongs to the file."""

    name: str
    suffix: str
    data: bytes
    folder: Path | None
    beside: Path | None = None


def load(reader: str, extra: Path | None = None) -> list[Seed]:
    """Return the sound files of ``reader``: the samples and, with ``extra``, other people's."""
    if reader == "onehot":
        return _onehot()
    seeds = []
    for name in FOLDERS[reader]:
        for path in sorted((SAMPLES / name).rglob("*")):
            if path.suffix in SUFFIXES.get(reader, (".json", ".csv")):
                seeds += _pieces(path)
    if extra is not None:
        import maskforge.conversion.sources
        from maskforge import plugins

        sniff = plugins.load("readers", reader).sniff
        for path in sorted([*extra.rglob("*.json"), *extra.rglob("*.csv")]):
            head = maskforge.conversion.sources.head(path)
            if path.stat().st_size < 300_000 and sniff(path, head):
                seeds += _pieces(path)
    return seeds


def _pieces(path: Path) -> list[Seed]:
    data = path.read_bytes()
    if path.suffix == ".csv":
        return [Seed(path.name, ".csv", data, path.parent)]
    if path.suffix == ".txt":
        return [Seed(path.name, ".txt", data, path.parents[2] / "images" / path.parent.name)]
    try:
        document = json.loads(data)
    except ValueError:
        return []  # not sound, or not in UTF-8: nothing to start from
    parts = _cut(document) if isinstance(document, dict) and len(data) > 20_000 else [document]
    many = len(parts) > 1
    beside = path.with_suffix("") if path.with_suffix("").is_dir() else None
    return [
        Seed(
            f"{path.stem}-{index}.json" if many else path.name,
            ".json",
            json.dumps(part, ensure_ascii=False).encode() if many else data,
            _images_of(path),
            beside,
        )
        for index, part in enumerate(parts)
    ]


def _images_of(path: Path) -> Path:
    """Return the folder below which the images of a file are, as they lie to be found beside it."""
    split = path.parent.parent / "images" / path.stem.rpartition("_")[2]
    return split if path.parent.name == "annotations" and split.is_dir() else path.parent


def _cut(document: dict[str, Any]) -> list[Any]:
    for key in ("_via_img_metadata", "images"):
        whole = document.get(key)
        if not isinstance(whole, dict | list) or len(whole) <= _FEW:
            continue
        parts = []
        for start in range(0, min(len(whole), 30), _FEW):
            chosen = slice(start, start + _FEW)
            as_list = isinstance(whole, list)
            some: Any = whole[chosen] if as_list else dict(list(whole.items())[chosen])
            part = {**document, key: some}
            if key == "images" and isinstance(document.get("annotations"), list):
                ids = {image.get("id") for image in some}
                part["annotations"] = [
                    a for a in document["annotations"] if a.get("image_id") in ids
                ]
            if "_via_image_id_list" in document and isinstance(some, dict):
                part["_via_image_id_list"] = list(some)
            parts.append(part)
        return parts
    return [document]


def _onehot() -> list[Seed]:
    planes = {
        f"{name}.jpg": np.eye(3, dtype=np.uint8)[np.arange(12).reshape(3, 4) % 3] for name in "ab"
    }
    seeds = []
    for protocol in (2, 3, 4, 5):
        file = io.BytesIO()
        header = io.BytesIO()
        np.save(header, np.array(planes, dtype=object), allow_pickle=True)
        start = header.getvalue()
        file.write(start[: 10 + int.from_bytes(start[8:10], "little")])
        pickle.dump(np.array(planes, dtype=object), file, protocol=protocol)
        seeds.append(Seed(f"numpy{protocol}.npy", ".npy", file.getvalue(), None))
    from maskforge.writers.onehot import OneHotWriter

    file = io.BytesIO()
    writer = OneHotWriter(file)
    for name, array in planes.items():
        writer.add(name, array)
    writer.close()
    seeds.append(Seed("maskforge.npy", ".npy", file.getvalue(), None))
    return seeds
