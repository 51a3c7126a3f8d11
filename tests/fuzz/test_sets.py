"""Damaged files of formats that are folders: nothing but our own errors comes of them."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import maskforge
from maskforge.errors import MaskforgeError
from maskforge.readers import panoptic, yolo

TIMES = 150
BITS = (b"-", b"9" * 30, b"e999", b"nan", b"\n", b"[", b"{", b"null", b"\0", b"\xff", b'"', b"0.5")


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Return ``data`` with some bytes cut, added, turned, doubled, or all from a place on gone."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        head, tail = data[:at], data[at:]
        data = chance.choice(
            (
                head + tail[chance.randint(1, 20) :],
                head + bytes(chance.choices(range(256), k=5)) + tail,
                head + chance.choice(BITS) + tail[1:],
                head + head[-50:] * 3 + tail,
                head,
                head + bytes([tail[0] ^ 1 << chance.randrange(8)]) + tail[1:] if tail else head,
            )
        )
    return data


def scene(place: Path) -> Path:
    """Write masks of three classes, and their images."""
    random_ = np.random.default_rng(4)
    for folder in ("images", "masks"):
        (place / folder).mkdir(parents=True)
    for name in ("a", "b"):
        ids = np.kron(random_.integers(0, 4, (5, 6)), np.ones((4, 4))).astype(np.uint8)
        Image.fromarray(ids).save(place / f"masks/{name}.png")
        Image.new("RGB", (24, 20), (len(name), 3, 4)).save(place / f"images/{name}.png")
    (place / "labels.txt").write_text("_background_\ncat\ndog\nox\n")
    return place


@pytest.mark.parametrize(
    ("as_", "place", "pattern"),
    [("yolo", "", "labels/train/*.txt"), ("yolo", "", "data.yaml")]
    + [("panoptic", "all.json", name) for name in ("all.json", "all/*.png")],
)
def test_what_is_damaged_is_told(as_: str, place: str, pattern: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    target = out / place if place else out
    maskforge.convert(scene(tmp_path / "set"), as_=as_, out=target, previews=False)
    if as_ == "yolo":
        (out / "labels.txt").unlink()
    reader = {"yolo": yolo, "panoptic": panoptic}[as_]
    chance, read, refused = random.Random(f"{as_} {pattern}"), 0, 0
    paths = sorted(out.glob(pattern))
    sound = {path: path.read_bytes() for path in paths}
    for _ in range(TIMES):
        path = chance.choice(paths)
        path.write_bytes(mutated(sound[path], chance))
        try:
            reader.sniff(target, b"" if target.is_dir() else target.read_bytes()[:4096])
            for item in reader.read(target, reader.Options()):
                if hasattr(item, "annotation"):
                    _draw(item)
            read += 1
        except MaskforgeError:
            refused += 1
        path.write_bytes(sound[path])
    assert read
    assert refused or "*" in pattern  # what is wrong with one image is found when it is drawn
    shutil.rmtree(out)


def _draw(item: object) -> None:
    assert isinstance(item, yolo.Described | panoptic.Described)
    assert isinstance(item.labels, frozenset)
    try:
        found = item.annotation()
        names = sorted({region.label for region in found.regions} or {"a"})
        maskforge.rasterize(found, names, height=found.height or 20, width=found.width or 24)
    except MaskforgeError:
        return
