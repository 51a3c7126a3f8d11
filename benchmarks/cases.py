"""The races: which entrants run on which input, and how each one is checked."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import floor
import inputs
import peers
import truth
from measure import Entrant

import maskforge

cv2.setNumThreads(1)

ARTICLE_COUNT = 3
"""The article's loop takes a good part of a second for each image."""

Check = Callable[[Path], None]


@dataclass
class Race:
    """Entrants on one input. against: names of ours → name of the peer it is compared with."""

    title: str
    entrants: list[Entrant]
    against: dict[str, str]
    floor: str = ""
    close: list[Callable[[], None]] = field(default_factory=list)


def ours(source: Path, count: int, **options: Any) -> Callable[[Path], None]:
    """Return the work of ``maskforge.convert`` with one worker: masks, no previews, no images."""

    def work(out: Path) -> None:
        arguments = {"images": "none", "previews": False, "workers": 1, "out": out / "masks"}
        arguments |= options
        if arguments.get("as_") == "onehot":
            arguments["out"] = out / "masks.npy"
        result = maskforge.convert(source, **arguments)
        assert result.converted == count, result
        assert not result.problems, result.problems

    return work


def labelme(name: str, cache: Path, *, count: int) -> Race:
    """Labelme files against labelme's path."""
    folder = inputs.make(name, cache, count=count)
    labels = inputs.PHOTOGRAPH_LABELS if name == "photographs" else inputs.STREET_LABELS
    parity = partial(truth.same_as_labelme, folder, labels=labels)
    exact = partial(truth.exact_labelme, folder, labels=labels)
    convert = partial(ours, folder, count, format="labelme", labels=labels)

    def entrant(label: str, work: Callable[[Path], object], check: Check) -> Entrant:
        return Entrant(label, work, count, check)

    entrants = [
        entrant("labelme's path", lambda out: peers.labelme(folder, out, labels), parity),
        entrant("maskforge, pixel-center", convert(rule="pixel-center"), _masks(exact)),
        entrant("maskforge, labelme", convert(rule="labelme"), _masks(parity)),
        entrant("floor", lambda out: floor.labelme(folder, out, labels), _count_png(count)),
        entrant(
            "floor, with digests",
            lambda out: floor.labelme(folder, out, labels, digests=True),
            _count_png(count),
        ),
    ]
    what = {
        "photographs": "photographs, 500x375 JPEG",
        "street": "street, 2048x1024 PNG",
        "street-jpeg": "street, 2048x1024 JPEG",
        "spiky": "of large spiky shapes, 2048x1024 JPEG",
    }[name]
    against = dict.fromkeys(["maskforge, pixel-center", "maskforge, labelme"], "labelme's path")
    race = Race(f"{count} {what}", entrants, against, "floor")
    python = os.environ.get("MASKFORGE_LABELME_PYTHON")
    if python:
        live = _Live(python, folder, labels)
        # First, as it leaves our caches cold, which the slowest one after it feels least.
        entrants.insert(0, entrant(live.name, live.convert, parity))
        race.close.append(live.close)
    return race


def via(cache: Path, *, count: int) -> Race:
    """A VIA project to a one-hot dictionary against the book's script."""
    folder = inputs.make("via", cache, count=count)
    source = folder / "segmentation_train.json"
    convert = partial(ours, source, count, format="via", as_="onehot", labels=("1", "2", "3"))

    def check(out: Path, *, exact: bool) -> None:
        truth.same_as_book(folder, out / "masks.npy", exact=exact)

    equal, exact = partial(check, exact=False), partial(check, exact=True)
    entrants = [
        Entrant("the book's script", lambda out: peers.book(folder, out), count, equal),
        Entrant("maskforge, pixel-center", convert(rule="pixel-center"), count, exact),
        Entrant("maskforge, opencv", convert(rule="opencv"), count, equal),
        Entrant("floor", lambda out: floor.via(folder, out), count, lambda out: None),
        Entrant(
            "floor, with digests",
            lambda out: floor.via(folder, out, digests=True),
            count,
            lambda out: None,
        ),
    ]
    against = dict.fromkeys(["maskforge, pixel-center", "maskforge, opencv"], "the book's script")
    return Race(f"{count} VIA frames, 640x480, one-hot", entrants, against, "floor")


def ochuman(cache: Path, *, count: int) -> Race:
    """OCHuman against pycocotools: polygons and run lengths."""
    folder = inputs.make("ochuman", cache, count=count)
    convert = partial(ours, count=count, format="ochuman", as_="label")
    native, runs = folder / "ochuman.json", folder / inputs.RLE_FILE
    parity = partial(truth.same_as_coco, folder)
    exact = partial(truth.exact_ochuman, folder)
    polygons, lengths = "pycocotools, polygons", "pycocotools, RLE"
    entrants = [
        Entrant(polygons, lambda out: peers.coco_polygons(folder, out), count, parity),
        Entrant("maskforge, polygons, pixel-center", convert(native), count, _masks(exact)),
        Entrant("maskforge, polygons, coco", convert(native, rule="coco"), count, _masks(parity)),
        Entrant(lengths, lambda out: peers.coco(folder, out), count, parity),
        Entrant("maskforge, RLE", convert(runs), count, _masks(parity)),
        Entrant("floor", lambda out: floor.ochuman(folder, out), count, _count_png(count)),
        Entrant(
            "floor, with digests",
            lambda out: floor.ochuman(folder, out, digests=True),
            count,
            _count_png(count),
        ),
    ]
    against = {
        "maskforge, polygons, pixel-center": polygons,
        "maskforge, polygons, coco": polygons,
        "maskforge, RLE": lengths,
    }
    return Race(f"{count} OCHuman images, 512x512", entrants, against, "floor")


def article(cache: Path, *, count: int) -> Race:
    """OCHuman to black and white masks of 512x512 against the article's notebook."""
    folder = inputs.make("ochuman", cache, count=count)
    few = min(ARTICLE_COUNT, count)
    script = f"the article's notebook ({few} images)"
    options = {"format": "ochuman", "layout": "article", "style": "black-white"}
    source = folder / "ochuman.json"

    def check(out: Path) -> None:
        truth.like_article(folder, out / "masks" / "labels", count=count)

    entrants = [
        Entrant(
            script,
            lambda out: peers.article(folder, out, count=few),
            few,
            lambda out: truth.like_article(folder, out, count=few),
        ),
        Entrant("maskforge, exact, black-white", ours(source, count, **options), count, check),
        Entrant(
            "maskforge, coco, black-white",
            ours(source, count, **options, rule="coco"),
            count,
            check,
        ),
    ]
    against = {entrant.name: script for entrant in entrants[1:]}
    return Race(f"{count} OCHuman images, 512x512, colour masks", entrants, against)


class _Live:
    """labelme itself, in the Python that has it, waiting for its turns."""

    def __init__(self, python: str, folder: Path, labels: tuple[str, ...]) -> None:
        script = str(Path(__file__).with_name("labelme_live.py"))
        self._process = subprocess.Popen(
            [python, script, str(folder), ",".join(labels)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.name = f"{self._answer()}, its own functions"

    def convert(self, out: Path) -> float:
        """Convert into ``out`` and return the seconds."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{out}\n")
        self._process.stdin.flush()
        return float(self._answer())

    def close(self) -> None:
        """Let it end."""
        self._process.communicate()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("labelme's Python ended: see its message above")
        return line.strip()


def _masks(check: Callable[[Path], None]) -> Check:
    """Return ``check`` for the folder that a conversion's masks lie in."""
    return lambda out: check(out / "masks" / "masks")


def _count_png(count: int) -> Check:
    def check(out: Path) -> None:
        assert len(list(out.glob("*.png"))) == count

    return check
