"""The whole set, looked at once before the first step: sizes, partners, ids, pixels by class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskforge import plugins
from maskforge.classes import BACKGROUND, IGNORE, ClassTable
from maskforge.conversion.result import ClassCount
from maskforge.datasets import void
from maskforge.errors import ClassError, MaskforgeError, Problem, many
from maskforge.palette import voc_palette
from maskforge.readers.masks import decoding as _loading
from maskforge.readers.masks import fitting, majority
from maskforge.readers.masks import palettes as _palettes
from maskforge.readers.masks import pixels as _pixels
from maskforge.readers.masks.dataset import Dataset, Example

Progress: TypeAlias = Callable[[int, int], None]
"""Called with examples done and examples in all."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What one example is. counts: pixels by class id, ignore last, (C + 1,); None: refused.

    palette: of the colours that an own palette shows, 0xrrggbb by number. several: pixels are of
    several classes. undecided: the image is
    turned by EXIF, but the sizes do not tell whether the mask is.
    """

    height: int = 0
    width: int = 0
    counts: NDArray[np.int64] | None = None
    turned: bool = False
    resized: bool = False
    several: bool = False
    undecided: bool = False
    palette: _palettes.Shown = ()
    problem: Problem | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """What a data set holds, and what is wrong with it.

    heights, widths: of the upright images, (N,), 0 where refused. counts: pixels by example and
    channel, ignore last, (N, C + 1). refused: names of the examples that cannot be used. resized,
    turned: how many masks are made to fit their image. several: how many one-hot entries have
    pixels of several classes. undecided: how many images are turned by EXIF while their size does
    not tell whether the mask is. problems: those of opening among them.
    """

    dataset: Dataset
    heights: NDArray[np.int64]
    widths: NDArray[np.int64]
    counts: NDArray[np.int64]
    refused: frozenset[str] = frozenset()
    resized: int = 0
    turned: int = 0
    problems: tuple[Problem, ...] = ()
    several: int = 0
    undecided: int = 0

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems because of which examples cannot be used."""
        return tuple(p for p in self.problems if p.severity == "error")

    def pixels(self, split: str | None = None) -> NDArray[np.int64]:
        """Return the pixels by channel, (C,), of ``split`` or of all; ignored ones not counted."""
        pixels: NDArray[np.int64] = self._of(split)[:, :-1].sum(axis=0)
        return pixels

    def ignored(self, split: str | None = None) -> int:
        """Return how many pixels of ``split``, or of all, are ignored."""
        return int(self._of(split)[:, -1].sum())

    def images(self, split: str | None = None) -> NDArray[np.int64]:
        """Return by channel, (C,), in how many images of ``split``, or of all, it occurs."""
        images: NDArray[np.int64] = (self._of(split)[:, :-1] > 0).sum(axis=0)
        return images

    def class_counts(self, split: str | None = None) -> list[ClassCount]:
        """Return a row for each class, and for what is ignored where anything is."""
        counts = self._of(split)
        pixels, images = counts.sum(axis=0).tolist(), (counts > 0).sum(axis=0).tolist()
        classes = self.dataset.classes
        rows = list(zip(classes.ids, classes.names, classes.palette.tolist(), strict=True))
        if pixels[-1]:
            color = voc_palette()[classes.ignore_index % 256].tolist()
            rows.append((classes.ignore_index, IGNORE, color))
        total = max(1, sum(pixels))
        return [
            ClassCount(i, name, tuple(color), images[at], pixels[at], pixels[at] / total)
            for at, (i, name, color) in enumerate(rows)
        ]

    def rows(self) -> list[tuple[str, str]]:
        """Return the summary, as a name and a text for each line."""
        data = self.dataset
        good = self.heights > 0
        splits = Counter(example.split or "no split" for example in data.examples)
        shown = ", ".join(f"{name} {count:,}" for name, count in sorted(splits.items()))
        rows = [
            ("examples", f"{len(data):,} ({shown})"),
            ("classes", ", ".join(data.classes.names)),
        ]
        if good.any():
            rows.append(("sizes", _sizes(self.heights[good], self.widths[good])))
        if self.refused:
            rows.append(("refused", f"{len(self.refused):,}, see the problems"))
        if self.resized:
            rows.append(("masks resized", f"{self.resized:,} (nearest), to their image's size"))
        if self.turned:
            rows.append(("masks turned", f"{self.turned:,}, as the EXIF of their image says"))
        if self.several:
            rows.append(
                ("overlaps", f"in {many(self.several, 'mask')}: the lowest class id counts")
            )
        if self.undecided:
            rows.append(("masks taken as upright", f"{self.undecided:,}: their image has EXIF"))
        return rows + [("note", note) for note in (*data.notes, *self._imbalances())]

    def _imbalances(self) -> Iterator[str]:
        """Say which classes cannot be learnt or cannot be scored."""
        names, pixels = self.dataset.classes.names, self.pixels()
        absent = [name for i, name in enumerate(names) if i and not pixels[i]]
        if absent:
            yield f"classes that no mask shows: {', '.join(absent)}"
        if self.dataset.of("train"):
            train, held = self.pixels("train"), self.pixels("val")
            untaught = [name for i, name in enumerate(names) if held[i] and not train[i]]
            if untaught:
                yield f"classes in val that train never shows: {', '.join(untaught)}"

    def _of(self, split: str | None) -> NDArray[np.int64]:
        if split is None:
            return self.counts
        return self.counts[[example.split == split for example in self.dataset.examples]]


def check(dataset: Dataset, *, workers: int = 1, progress: Progress | None = None) -> Check:
    """Look at every example of ``dataset``: the image's header, all pixels of the mask.

    Nothing is raised for what is wrong in the data: it is in the result's problems, and its
    ``refused`` names the examples that :func:`load` would fail on.
    """
    engine = plugins.load("engines", "serial" if workers <= 1 else "processes")
    work = partial(_examine, dataset.classes)
    looks: list[_Look] = []
    with engine.Team(workers) as team:
        for look in team.run(work, dataset.examples, on_death=_died):
            looks.append(look)
            if progress is not None:
                progress(len(looks), len(dataset))
    looks = _without_odd(dataset, looks)
    nothing = np.zeros(len(dataset.classes) + 1, np.int64)
    pairs = list(zip(dataset.examples, looks, strict=True))
    palettes = ((example.label, look.palette) for example, look in pairs)
    found = [look.problem for look in looks if look.problem is not None]
    doubt = void.find(dataset, [example for example, look in pairs if look.counts is not None])
    return Check(
        dataset,
        heights=np.array([look.height for look in looks], np.int64),
        widths=np.array([look.width for look in looks], np.int64),
        counts=np.array(
            [nothing if x.counts is None else x.counts for x in looks], np.int64
        ).reshape(len(looks), len(nothing)),
        refused=frozenset(example.name for example, look in pairs if look.counts is None),
        resized=sum(look.resized for look in looks),
        turned=sum(look.turned for look in looks),
        several=sum(look.several for look in looks),
        undecided=sum(look.undecided for look in looks),
        problems=(
            *(*dataset.problems, *found, *_palettes.mixed(palettes)),
            *([] if doubt is None else [doubt]),
        ),
    )


def _without_odd(dataset: Dataset, looks: Sequence[_Look]) -> list[_Look]:
    """Return the looks, those refused that are not as the others of the set are.

    These are masks of 0 and 255 among masks of ids, where nothing says that 255 is ignored. Where
    they are more than a third, it concerns the whole set, as labels do that no class has.
    """
    objects = [i for i, name in enumerate(dataset.classes.names) if name != BACKGROUND]
    shows = [x.counts is not None and bool(x.counts[objects].any()) for x in looks]
    white = [
        i
        for i, look in enumerate(looks)
        if look.counts is not None
        and dataset.examples[i].label.decoding.form == "ids"
        and not shows[i]
        and look.counts[-1]
        and look.counts[:-1].any()
    ]
    result = list(looks)
    good = sum(shows)
    is_void = dataset.has_void or any(
        shown and look.counts is not None and look.counts[-1]
        for shown, look in zip(shows, looks, strict=True)
    )
    if white and not is_void:
        for i in white:
            example, share = dataset.examples[i], looks[i]
            assert share.counts is not None
            error = ClassError(
                f"a mask must show what the others do, but this one has no class and "
                f"{share.counts[-1]:,} pixels of {dataset.classes.ignore_index} or -1, which would "
                "be ignored",
                code="mask-values" if 2 * len(white) <= good else "unknown-label",
                file=str(example.label),
                cure="make its objects ids of their classes, or say --ignore "
                f"{dataset.classes.ignore_index} if they are to be ignored",
            )
            result[i] = _Look(problem=majority.odd(error))
    return result


def _examine(classes: ClassTable, example: Example) -> _Look:
    """Look at one example. Never raises: what goes wrong is in the look."""
    try:
        return _look(classes, example)
    except MaskforgeError as error:
        return _Look(problem=error.problem(file=str(example.label)))
    except MemoryError:
        message = "the mask must fit into memory, but it does not"
        return _Look(problem=Problem("too-large", str(example.label), message))
    except Exception as error:  # a defect of ours must name the file, and not end the check
        message = f"{type(error).__name__}: {error}"
        return _Look(problem=Problem("internal", str(example.label), message))


def _look(classes: ClassTable, example: Example) -> _Look:
    header = _pixels.header(example.image)
    label, palette = example.label, None
    several = False
    if label.decoding.form == "planes":
        planes = _loading.read_planes(label, classes)
        ids = _loading.from_planes(planes, classes)
        labelled = np.count_nonzero(ids != classes.channels.ignore_index)
        several = bool(np.count_nonzero(planes) > labelled)
    else:
        values, palette, _ = _loading.read_values(label)
        ids = _loading.decode(values, label, classes)
    fit = fitting.fit(header, ids.shape, label, example.image)
    ids = fitting.apply(fit, ids, header) if fit.resized else ids
    counts = _count(ids, classes)
    height, width = header.upright
    return _Look(
        height,
        width,
        counts,
        fit.turned,
        fit.resized,
        several,
        header.orientation > 1 and not fit.turned and not _told(header),
        () if palette is None else _palettes.own(values, palette),
        None if counts[:-1].any() else _blank(example),
    )


def _count(ids: NDArray[Any], classes: ClassTable) -> NDArray[np.int64]:
    """Return the pixels by channel, those that are ignored last, (C + 1,)."""
    classes = classes.channels
    if ids.dtype == np.uint8:
        every = np.array(Image.fromarray(ids).histogram())  # several times as fast as bincount
    else:
        every = np.bincount(ids.reshape(-1), minlength=classes.ignore_index + 1)
    return np.append(every[: len(classes)], every[classes.ignore_index]).astype(np.int64)


def _told(header: _pixels.Header) -> bool:
    """Return whether the size of a mask tells the upright image from the stored one."""
    return header.orientation >= 5 and header.height != header.width


def _blank(example: Example) -> Problem:
    return Problem(
        "no-mask",
        str(example.label),
        "every pixel is ignored: there is nothing to learn from this mask",
        severity="warning",
    )


def _died(example: Example) -> _Look:
    message = "the worker looking at this file ended without an answer, perhaps for lack of memory"
    return _Look(problem=Problem("worker-died", str(example.label), message))


def _sizes(heights: NDArray[np.int64], widths: NDArray[np.int64]) -> str:
    low = f"{widths.min()}x{heights.min()}"
    high = f"{widths.max()}x{heights.max()}"
    return low if low == high else f"{low} to {high}"
