"""The whole set, looked at once before the first step: sizes, partners, ids, pixels by class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from maskforge import plugins
from maskforge.classes import IGNORE, ClassTable
from maskforge.datasets import _loading, _pixels
from maskforge.datasets._base import Dataset, Example
from maskforge.errors import MaskforgeError, Problem
from maskforge.palette import voc_palette
from maskforge.result import ClassCount

Progress: TypeAlias = Callable[[int, int], None]
"""Called with examples done and examples in all."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What one example is. counts: pixels by class id, ignore last, (C + 1,); None: refused.

    palette: of the colours that an own palette shows, 0xrrggbb by number. undecided: the image is
    turned by EXIF, but the sizes do not tell whether the mask is.
    """

    height: int = 0
    width: int = 0
    counts: NDArray[np.int64] | None = None
    turned: bool = False
    resized: bool = False
    undecided: bool = False
    palette: tuple[tuple[int, int], ...] = ()
    problem: Problem | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """What a data set holds, and what is wrong with it.

    heights, widths: of the upright images, (N,), 0 where refused. counts: pixels by example and
    class id, ignore last, (N, C + 1). refused: names of the examples that cannot be used. resized,
    turned: how many masks are made to fit their image. problems: those of opening among them.
    """

    dataset: Dataset
    heights: NDArray[np.int64]
    widths: NDArray[np.int64]
    counts: NDArray[np.int64]
    refused: frozenset[str] = frozenset()
    resized: int = 0
    turned: int = 0
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems because of which examples cannot be used."""
        return tuple(p for p in self.problems if p.severity == "error")

    def pixels(self, split: str | None = None) -> NDArray[np.int64]:
        """Return the pixels by class id, (C,), of ``split`` or of all; ignored ones not counted."""
        return self._of(split)[:, :-1].sum(axis=0)

    def ignored(self, split: str | None = None) -> int:
        """Return how many pixels of ``split``, or of all, are ignored."""
        return int(self._of(split)[:, -1].sum())

    def images(self, split: str | None = None) -> NDArray[np.int64]:
        """Return by class id, (C,), in how many images of ``split``, or of all, it occurs."""
        return (self._of(split)[:, :-1] > 0).sum(axis=0)

    def class_counts(self, split: str | None = None) -> list[ClassCount]:
        """Return a row for each class, and for what is ignored where anything is."""
        counts = self._of(split)
        pixels, images = counts.sum(axis=0).tolist(), (counts > 0).sum(axis=0).tolist()
        classes = self.dataset.classes
        rows = list(enumerate(self.dataset.names))
        if pixels[-1]:
            rows.append((classes.ignore_index, IGNORE))
        colors = voc_palette(max(256, classes.ignore_index + 1)).tolist()
        total = max(1, sum(pixels))
        return [
            ClassCount(i, name, tuple(colors[i]), images[at], pixels[at], pixels[at] / total)
            for at, (i, name) in enumerate(rows)
        ]

    def rows(self) -> list[tuple[str, str]]:
        """Return the summary, as a name and a text for each line."""
        data = self.dataset
        good = self.heights > 0
        splits = Counter(example.split or "no split" for example in data.examples)
        shown = ", ".join(f"{name} {count:,}" for name, count in sorted(splits.items()))
        rows = [("examples", f"{len(data):,} ({shown})"), ("classes", ", ".join(data.names))]
        if good.any():
            rows.append(("sizes", _sizes(self.heights[good], self.widths[good])))
        if self.refused:
            rows.append(("refused", f"{len(self.refused):,}, see the problems"))
        if self.resized:
            rows.append(("masks resized", f"{self.resized:,} (nearest), to their image's size"))
        if self.turned:
            rows.append(("masks turned", f"{self.turned:,}, as the EXIF of their image says"))
        return rows + [("note", note) for note in (*data.notes, *self.notes)]

    def _of(self, split: str | None) -> NDArray[np.int64]:
        if split is None:
            return self.counts
        return self.counts[[example.split == split for example in self.dataset.examples]]


def check(dataset: Dataset, *, workers: int = 1, progress: Progress | None = None) -> Check:
    """Look at every example of ``dataset``: the image's header, all pixels of the mask.

    Nothing is raised for what is wrong in the data: it is in the result's problems, and its
    ``refused`` names the examples that :func:`load` would fail on.
    """
    work = partial(_examine, dataset.classes)
    engine = plugins.load("engines", "serial" if workers <= 1 else "processes")
    count, width = len(dataset), len(dataset.classes) + 1
    heights, widths = np.zeros(count, np.int64), np.zeros(count, np.int64)
    counts = np.zeros((count, width), np.int64)
    problems = list(dataset.problems)
    refused, looks = set(), []
    outcomes: Iterator[_Look] = engine.run(work, dataset.examples, workers=workers, on_death=_died)
    for at, look in enumerate(outcomes):
        looks.append(look)
        if look.problem is not None:
            problems.append(look.problem)
        if look.counts is None:
            refused.add(dataset.examples[at].name)
        else:
            heights[at], widths[at], counts[at] = look.height, look.width, look.counts
        if progress is not None:
            progress(at + 1, count)
    problems += _mixed_palettes(dataset, looks)
    undecided = sum(look.undecided for look in looks)
    notes = [] if not undecided else [
        f"{undecided} images are turned by EXIF and their size does not tell whether the mask is: "
        "it is taken as upright"
    ]  # fmt: skip
    result = Check(
        dataset,
        heights,
        widths,
        counts,
        frozenset(refused),
        sum(look.resized for look in looks),
        sum(look.turned for look in looks),
        tuple(problems),
    )
    object.__setattr__(result, "notes", (*notes, *_imbalances(result)))
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
    if label.decoding.form == "planes":
        ids = _loading.read_label(label, classes)
    else:
        colors = label.decoding.form == "colors"
        values, palette = _pixels.read_mask(label.path, colors=colors)
        ids = _loading.decode(values, label, classes)
    fit = _loading.fit(header, ids.shape, example)
    ids = _loading.apply(fit, ids, header) if fit.resized else ids
    every = np.bincount(ids.reshape(-1), minlength=classes.ignore_index + 1)
    counts = np.append(every[: len(classes)], every[classes.ignore_index]).astype(np.int64)
    height, width = header.upright
    return _Look(
        height,
        width,
        counts,
        fit.turned,
        fit.resized,
        header.orientation > 1 and not fit.turned and not _told(header),
        () if palette is None else _own_palette(values, palette),
        None if counts[:-1].any() else _blank(example),
    )


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


def _own_palette(
    values: NDArray[np.uint8], palette: NDArray[np.uint8]
) -> tuple[tuple[int, int], ...]:
    """Return number and colour of what a palette image shows, unless VOC's colours say the ids."""
    used = np.flatnonzero(np.bincount(values.reshape(-1), minlength=256))
    used = used[used < len(palette)]
    if (palette[used] == voc_palette()[used]).all():
        return ()
    return tuple(zip(used.tolist(), _loading.pack(palette[used]).tolist(), strict=True))


def _mixed_palettes(dataset: Dataset, looks: list[_Look]) -> Iterator[Problem]:
    """Find palettes in which one colour has another number than before: those are no ids."""
    numbers: dict[int, tuple[int, Path]] = {}
    for example, look in zip(dataset.examples, looks, strict=True):
        for number, color in look.palette:
            earlier, path = numbers.setdefault(color, (number, example.label.path))
            if earlier != number and dict(look.palette).get(earlier) != color:
                yield Problem(
                    "bad-image",
                    str(example.label),
                    f"the colour #{color:06x} is number {number} of this palette, "
                    f"but {earlier} in {path.name!r}: the numbers are no class ids",
                    cure="save the masks as RGB and give the colours with --style",
                )
                break


def _imbalances(result: Check) -> Iterator[str]:
    """Say which classes cannot be learnt or cannot be scored."""
    names = result.dataset.names
    absent = [name for i, name in enumerate(names) if i and not result.pixels()[i]]
    if absent:
        yield f"classes that no mask shows: {', '.join(absent)}"
    if any(example.split == "train" for example in result.dataset.examples):
        train, held = result.pixels("train"), result.pixels("val")
        untaught = [name for i, name in enumerate(names) if held[i] and not train[i]]
        if untaught:
            yield f"classes in val that train never shows: {', '.join(untaught)}"


def _sizes(heights: NDArray[np.int64], widths: NDArray[np.int64]) -> str:
    area = heights * widths
    low, high = int(area.argmin()), int(area.argmax())
    if (heights == heights[0]).all() and (widths == widths[0]).all():
        return f"{widths[0]}x{heights[0]}"
    return f"{widths[low]}x{heights[low]} to {widths[high]}x{heights[high]}"
