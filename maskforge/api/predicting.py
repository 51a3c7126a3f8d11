"""A trained network at work: opened, and on images and videos that become files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from maskforge import plugins, writers
from maskforge.api import torch_part, words
from maskforge.api.places import place
from maskforge.errors import Problem, ReadError, UsageError, many
from maskforge.io import ownership, video
from maskforge.prediction import footage, onnx_network, outputs
from maskforge.prediction.config import MACHINE
from maskforge.prediction.footage import Found
from maskforge.prediction.predictor import Predictor
from maskforge.training.run_folder import BEST, LAST

PathLike: TypeAlias = str | os.PathLike[str]
Size: TypeAlias = int | str | Sequence[int]
"""The longer side in pixels, (width, height), or "full"."""

NETWORKS = (".pt", ".onnx")
"""Suffixes of the files that are networks."""

KINDS = (
    *(name for name in plugins.names("writers") if name != "instance"),
    *("overlay", "probabilities"),
)
"""What may be written of a prediction."""

_NUMBERED = re.compile(r"_\d{6,}$")


@dataclass(frozen=True, eq=False)
class Prediction:
    """The result of :func:`maskforge.predict`; iterates over its records.

    out: the folder. records: a dictionary for each image or frame that has a prediction: ``name``,
    ``image`` (the file it is of) and ``file``, a relative path in ``out``. problems: what could not
    be read or written. left: files of an earlier output that were changed since, and had to stay.
    """

    out: Path
    records: tuple[dict[str, str], ...]
    problems: tuple[Problem, ...] = ()
    left: tuple[str, ...] = field(default=())

    def __iter__(self) -> Iterator[dict[str, str]]:
        """Yield the records, one for each image or frame that has a prediction."""
        return iter(self.records)

    @property
    def exit_code(self) -> int:
        """0 clean, 1 finished with problems in the data, 3 nothing could be predicted."""
        if not self.records:
            return 3
        return 1 if self.problems else 0

    def __str__(self) -> str:
        count = len(self.records)
        text = f"{many(count, 'image')} predicted"
        text += f", {many(len(self.problems), 'problem')}" if self.problems else ""
        return f"{text} → {self.out}"

    def __repr__(self) -> str:
        return f"<Prediction: {self}>"


def size_of(size: Size) -> tuple[int, ...]:
    """Return a working size as settings have it: () full, (N,) the longer side, (width, height).

    Raises UsageError.
    """
    if size == "full":
        return ()
    sides: Sequence[Any] = [size] if isinstance(size, int | str) else list(size)
    is_good = len(sides) <= 2 and all(
        isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in sides
    )
    if not is_good:
        raise UsageError(
            f'size must be the longer side in pixels, (width, height) or "full", but got {size!r}'
        )
    return tuple(sides)


def named(path: PathLike) -> Path:
    """Return the network that ``path`` stands for: itself, or the best one of a run's folder."""
    best = Path(path, BEST)
    return best if best.is_file() else Path(path)


def run_of(network: Predictor | PathLike) -> str:
    """Return what outputs of ``network`` are called after: its run, or the file."""
    if isinstance(network, Predictor):
        return "network"
    file = named(network)
    is_of_run = file.name in (BEST, LAST)
    return (file.resolve().parent.name if is_of_run else file.stem) or "network"


def is_network(path: PathLike) -> bool:
    """Return whether ``path`` is called like a network, or is the folder of a run."""
    return named(path).suffix in NETWORKS


def check(path: Path) -> None:
    """Raise UsageError where ``path`` is called like nothing that could be a network.

    ReadError where nothing is there.
    """
    if path.suffix in NETWORKS:
        return
    if not os.path.lexists(path):
        raise ReadError("there is no such file or folder", code="unreadable", file=str(path))
    runs = sorted(path.glob(f"*/{BEST}")) if path.is_dir() else []
    raise UsageError(
        f"a network must be a file {' or '.join(NETWORKS)}, or the folder of a run with {BEST}, "
        f"but got {str(path)!r}",
        cure=f"did you mean {runs[-1].parent}?" if runs else "",
    )


@words.python()
def open_network(
    path: PathLike,
    *,
    device: str = "auto",
    threads: int = 0,
    size: Size | None = None,
    tile: int = 0,
    tile_overlap: float = 0.25,
    flip: bool = False,
    batch: int = 8,
) -> Predictor:
    """Return the network in ``path``, ready to look: a checkpoint ``.pt``, an export ``.onnx``, or
    the folder of a run, of which it is the best one.

    ``[labels] = network.label_images([image])`` takes uint8 (H, W, 3) in RGB and returns (H, W) by
    channel; ``network.probabilities([image])`` returns float32 (C, H, W).

    device: "auto", "cpu", "cuda" or "cuda:N". threads: of the network on the CPU; 0: its own
    choice. size: the size to work at: the longer side, (width, height) or "full"; None: that of the
    training. tile: cut images into overlapping tiles of so many pixels; 0: only very large ones.
    tile_overlap: of the tiles. flip: average with the mirrored image. batch: images at once.

    Raises UsageError where torch or onnxruntime is missing, ReadError for what is no network.
    """
    file = named(path)
    check(file)
    for name, value, low, high in (
        ("tile_overlap", tile_overlap, 0, 0.9),
        ("batch", batch, 1, 2**16),
    ):
        if not low <= value <= high:
            raise UsageError(f"{name} must be within {low} … {high}, but got {value}")
    if tile and tile < 32:
        raise UsageError(f"tile must be at least 32, or 0, but got {tile}")
    sides = None if size is None else size_of(size)
    if file.suffix == ".onnx":
        found = onnx_network.network_predictor(file, device=device, threads=threads)
    else:
        try:
            torch_network = torch_part.load("torch_network")
            found = torch_network.network_predictor(file, device=device, threads=threads)
        except ReadError as error:
            error.cure = error.cure or "name one that maskforge train has made"
            raise
    return replace(
        found,
        digest=ownership.digest_of(file).digest,
        size=found.size if sides is None else sides,
        tile=tile,
        overlap=tile_overlap,
        flip=flip,
        batch=batch,
    )


def taken(network: Predictor | PathLike, said: Mapping[str, Any]) -> Predictor:
    """Return the predictor that a twin was given, open or by its place.

    said: of how it looks, as :func:`open_network` takes it. Raises UsageError where the network is
    open already and something is said.
    """
    if not isinstance(network, Predictor):
        return open_network(network, **said)
    if said:
        raise UsageError(f"{next(iter(said))} must not be given with a network that is open")
    return network


LOOK: dict[str, Any] = {
    "device": "auto",
    "threads": MACHINE["threads"],
    "size": None,
    "tile": 0,
    "tile_overlap": 0.25,
    "flip": False,
    "batch": 8,
}
"""How a network looks, with the defaults of :func:`open_network`."""


def refuse(said: Mapping[str, Any]) -> None:
    """Raise UsageError where something is said of how a network looks: there are masks only."""
    if said:
        given = ", ".join(f"--{name.replace('_', '-')}" for name in said)
        raise UsageError(f"masks need no network to look, but got {given}")


def given_of(look: dict[str, Any]) -> dict[str, Any]:
    """Return what of ``look`` is not the default."""
    return {name: value for name, value in look.items() if value != LOOK[name]}


@words.python()
def predict(
    network: Predictor | PathLike,
    images: PathLike | Sequence[PathLike],
    *,
    out: PathLike | None = None,
    as_: str = "label",
    style: str | None = None,
    options: Mapping[str, object] | None = None,
    overwrite: bool = False,
    resume: bool = False,
    device: str = "auto",
    threads: int = 0,
    size: Size | None = None,
    tile: int = 0,
    tile_overlap: float = 0.25,
    flip: bool = False,
    batch: int = 8,
    progress: Callable[[int, int], None] | None = None,
) -> Prediction:
    """Predict a mask for each of ``images``; does what the command ``maskforge predict`` does.

    network: a checkpoint ``.pt``, an export ``.onnx``, the folder of a run, or what
    ``open_network`` returned. images: files, folders and patterns of images and videos. out: the
    folder to write to; None: ``runs/NAME-predicted``, or the first of ``runs/NAME-predicted-2`` …
    that is free; with ``resume`` and ``overwrite`` the last that stands. as_: "label", "palette",
    "color", "npy", "onehot", "overlay" or "probabilities", or a format of regions: "labelme",
    "via", "coco", "panoptic" or "yolo". style: the colours of "color". options: of a format of
    regions, such as ``{"keep_iou": 0.99}``. overwrite: replace what an earlier prediction made
    there, and never another file. resume: keep of it what came of the same images with the same
    network and options, and do the rest; a file of all images is kept or made anew. device,
    threads, size, tile, tile_overlap, flip, batch: as for ``open_network``. progress: called with
    images done and images in all.

    Masks have the size of the image, shown upright by its EXIF. All is put in place when it is
    done. Raises UsageError, ReadError, WriteError; an image that cannot be read is a problem of the
    result.
    """
    plugins.choose("as", as_, KINDS)
    name = f"{run_of(network)}-predicted"
    target = Path(out) if out is not None else place(name, newest=overwrite or resume)
    wanted = [images] if isinstance(images, str | os.PathLike) else list(images)
    spared = [] if isinstance(network, Predictor) else [named(network)]
    for file in spared:
        check(file)
    found = footage.find([os.fspath(one) for one in wanted], out=target, command=outputs.COMMAND)
    output = outputs.Output(
        target,
        as_,
        found,
        style=style,
        options=options,
        overwrite=overwrite,
        resume=resume,
        spared=spared,
    )
    look = dict(zip(LOOK, (device, threads, size, tile, tile_overlap, flip, batch), strict=True))
    total = footage.count(found) if progress is not None else 0
    records: list[dict[str, str]] = []
    problems: list[Problem] = []
    by_name = {one.name: one for one in found}
    events = output.predict(taken(network, given_of(look)))
    with closing(events):
        for name, problem in events:
            if problem is None:
                one = by_name.get(name) or by_name[_NUMBERED.sub("", name)]
                records.append(
                    {"name": name, "image": str(one.path), "file": _file(as_, name, one)}
                )
            else:
                problems.append(problem)
            if progress is not None:
                progress(len(records) + len(problems), max(total, len(records) + len(problems)))
    left = () if events.placed is None else tuple(events.placed.left)
    return Prediction(target, tuple(records), words.problems(problems), left)


def _file(kind: str, name: str, one: Found) -> str:
    """Return where the prediction of an image or frame is, relative to the output."""
    if kind not in outputs.OWN and writers.load(kind).COLLECTION:
        return str(writers.kind(writers.load(kind)).collection)
    if kind == "overlay" and one.is_video:
        return one.name + video.WRITTEN
    return name + (outputs.OWN[kind] if kind in outputs.OWN else writers.load(kind).SUFFIX)
