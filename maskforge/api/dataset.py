"""A data set as a sequence: images and label images one by one, parts, torch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple, SupportsIndex, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from maskforge import plugins, splits
from maskforge.api import torch_part, words
from maskforge.conversion import sources
from maskforge.conversion.settings import Settings
from maskforge.datasets import Check, check, load, split, with_test
from maskforge.errors import ClassError, UsageError, many
from maskforge.io.label_lists import Labels
from maskforge.readers.masks import dataset as core
from maskforge.readers.masks import opening

if TYPE_CHECKING:
    from maskforge.training.torch_data import TorchData, Transform

PathLike: TypeAlias = str | os.PathLike[str]
Rules: TypeAlias = Sequence[str] | Mapping[str, str]
Look: TypeAlias = Callable[[Check], None]
"""Called with what was found in the data, before anything is made of them."""

MEANING = (
    *("labels", "kind", "ignore", "style", "images_from"),
    *("map", "only", "drop", "ignore_labels"),
)
"""What a caller may say of data, as parameters of :func:`open_dataset`."""

_MANY = 500
"""Examples that several processes look at sooner."""


class Item(NamedTuple):
    """One image of a data set.

    image: uint8 (H, W, 3) in RGB, upright. label_image: (H, W), the class ids of the data set's
    table and its ignore index, uint8 or uint16 by the table.
    """

    name: str
    image: NDArray[np.uint8]
    label_image: NDArray[Any]


class Dataset(core.Dataset):
    """Images and their label images, a sequence of :class:`Item`. Picklable.

    ``ds[0]``, ``ds[-1]`` and ``ds["park_001"]`` read an image and its mask when they are asked for,
    ``ds[:8]`` is a data set of some, ``"park_001" in ds`` asks for a name. Reading raises ReadError
    and ClassError, which name the file.

    kind: how the data are laid out. root: where. classes: the class table. examples: where each
    image and mask is, and which part it belongs to. notes: what was decided, in words. problems:
    what was left out or looks wrong. has_void: whether something says what is ignored. window: what
    is black and white in images of more than 8 bits.
    """

    __slots__ = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What the images are called, without suffix, each once."""
        return tuple(example.name for example in self.examples)

    def __iter__(self) -> Iterator[Item]:
        """Yield the items in order, one read at a time."""
        return (self[number] for number in range(len(self)))

    def __contains__(self, name: object) -> bool:
        """Return whether an image is called so."""
        return any(example.name == name for example in self.examples)

    @overload
    def __getitem__(self, key: SupportsIndex | str) -> Item: ...
    @overload
    def __getitem__(self, key: slice) -> Dataset: ...
    def __getitem__(self, key: SupportsIndex | str | slice) -> Item | Dataset:
        """Return an image by number or name; of a slice a data set."""
        if isinstance(key, slice):
            return replace(self, examples=self.examples[key])
        if isinstance(key, str):
            return self._item(next((e for e in self.examples if e.name == key), None), key)
        return self._item(self.examples[key], "")

    def _item(self, example: core.Example | None, name: str) -> Item:
        if example is None:
            raise KeyError(f"no image is called {name!r}, but for example {self.names[:3]}")
        with words.python():
            image, label_image = load(example, self)
        if not self.classes.is_dense:
            label_image = self.classes.stored[np.minimum(label_image, len(self.classes))]
        return Item(example.name, image, label_image)

    @words.python()
    def split(self, name: str, *, fraction: float = 0.2, seed: int = 0) -> Dataset:
        """Return the part ``name``: "train", "val" or "test".

        Where the data say which image belongs to which part, that counts. Else the fraction is held
        back as "val", chosen by the images' names and ``seed``: the images that ``train`` holds
        back with the same ``val`` and ``seed``. Raises UsageError for a part that has no example.
        """
        plugins.choose("a part", name, splits.NAMES)
        whole: core.Dataset = self
        if any(example.split in (None, "train") for example in self.examples):
            whole = split(self, val=fraction, seed=seed)
        examples = whole.of(name)
        if not examples:
            counts = {part: len(whole.of(part)) for part in splits.NAMES}
            shown = ", ".join(f"{count} in {part}" for part, count in counts.items())
            raise UsageError(f"no example is in {name!r}: there are {shown}")
        return replace(self, examples=examples)

    @words.python()
    def torch(
        self, transform: Transform | None = None, *, size: int | str | Sequence[int] = "full"
    ) -> TorchData:
        """Return a ``torch.utils.data.Dataset`` of the same examples, picklable for workers.

        An item is the image, float32 (3, H, W) from 0 to 1, and the target, int64 (H, W): the
        channel of each pixel's class, 0 … C-1, and ``ignore_index`` where it is ignored.

        transform: called with image, uint8 (H, W, 3), and label image, (H, W) by channel; what it
        returns takes their place. Arrays become tensors as above, tensors stay what they are. It
        must be picklable where workers load. size: what image and label image are brought to before
        that: the longer side, (width, height), which makes batches of all images possible, or
        "full".

        Raises UsageError where torch is missing.
        """
        from maskforge.api.predicting import size_of

        made: TorchData = torch_part.load("torch_data").TorchData(self, transform, size_of(size))
        return made

    def __repr__(self) -> str:
        counts = {name: len(self.of(name)) for name in splits.NAMES}
        shown = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
        some = ", ".join(self.classes.names[:8]) + (" …" if len(self.classes) > 8 else "")
        return f"<Dataset: {many(len(self), 'example')} ({shown or 'no split'}), classes {some}>"


@words.python()
def open_dataset(
    paths: PathLike | Sequence[PathLike],
    *,
    labels: Labels = None,
    kind: str | None = None,
    ignore: int | None = None,
    style: str | None = None,
    images_from: PathLike | None = None,
    map: Rules = (),
    only: Sequence[str] = (),
    drop: Sequence[str] = (),
    ignore_labels: Sequence[str] = (),
    window: Sequence[float] | None = None,
) -> Dataset:
    """Return the images and masks in ``paths``, a folder or file, or several of the same classes.

    It may be what a conversion wrote, or any folder of images and masks that ``train`` takes.

    labels: class table, names or the file that lists them; else those found with the data. kind:
    how the data are laid out; else found by content. ignore: one more pixel value that is ignored.
    style: the colours of painted masks. images_from: the images of a one-hot file. map: new names
    of classes, ``{"car": "vehicle"}``. only: classes to take. drop: classes to leave out.
    ignore_labels: classes whose pixels are ignored. window: values of images of more than 8 bits
    that are black and white; None: the lowest and the highest of each.

    No image is decoded, and masks are only where nothing else tells what their values mean. Raises
    UsageError, ReadError and ClassError, with the cure.
    """
    said = Settings(
        map=map,  # type: ignore[arg-type]  # which takes these forms, too
        only=only,  # type: ignore[arg-type]
        drop=drop,  # type: ignore[arg-type]
        ignore_labels=ignore_labels,  # type: ignore[arg-type]
        window=window,  # type: ignore[arg-type]
    )
    found = opening.open_dataset(
        paths,
        labels=labels,
        kind=kind,
        ignore=ignore,
        style=style,
        images=images_from,
        relabelling=said.relabelling,
    )
    values = {one.name: getattr(found, one.name) for one in fields(found)}
    values |= {"problems": words.problems(found.problems), "window": said.window}
    return Dataset(**values)


def opened(
    data: core.Dataset | PathLike | Sequence[PathLike],
    meaning: Mapping[str, Any],
    *,
    classes: Labels = None,
    part: str = "val",
) -> core.Dataset:
    """Return the data set that a twin was given, open or by its place.

    meaning: what was said of it, by the names of :data:`MEANING`. classes: where nothing was said.
    part: what a training holds back; "test" may lie in a file beside.
    """
    given = {name: value for name, value in meaning.items() if value not in (None, ())}
    if isinstance(data, core.Dataset):
        if given:
            raise UsageError(f"{next(iter(given))} must not be given with a data set that is open")
        return data
    if part == "test":
        data = with_test([data] if isinstance(data, str | os.PathLike) else data)
    return open_dataset(data, **({"labels": classes} | given))


def checked(data: core.Dataset, *, strict: bool, look: Look | None = None) -> Check:
    """Look at the whole data set.

    Raises ClassError for pixels that are no class; with ``strict`` whatever makes an example
    useless.
    """
    workers = min(8, os.cpu_count() or 1) if len(data) > _MANY else 1
    found = check(data, workers=workers)
    if look is not None:
        look(found)
    for problem in found.errors:
        if problem.code == "unknown-label":
            told = problem.as_dict()
            del told["severity"]
            raise ClassError(**told)
        if strict:
            sources.refuse(problem)
    return found
