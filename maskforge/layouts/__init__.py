"""Where outputs lie: one file a layout, and the file name is what users type after ``--layout``.

All paths are relative to the output folder, with forward slashes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, cast

from maskforge import plugins
from maskforge.classes import BACKGROUND, HIGHEST_ID
from maskforge.errors import ClassError

if TYPE_CHECKING:
    from maskforge.classes import ClassTable
    from maskforge.raster.raster import Raster


Records: TypeAlias = Sequence[Mapping[str, Any]]
"""What the manifest says of each image: "stem", "split", "height", "width", and "image" and "mask",
their places in the output; None, or missing, where there is none."""


@dataclass(frozen=True, slots=True)
class Names:
    """What one image is called.

    stem: unique in the output, with forward slashes; it may contain folders. index: from 0, in the
    order of the input. image_suffix: file name suffix of the image as written, such as ".jpg".
    split: the one that it is in. name: what the source calls the image.
    """

    stem: str
    index: int
    image_suffix: str
    split: str | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a writer makes of images.

    suffix: of the file of an image, such as ".png". folder: what a folder of such files is called.
    collection: what a file of all images is called, such as "instances.json"; None where each image
    has a file of its own.
    """

    suffix: str
    folder: str = "masks"
    collection: str | None = None


@dataclass(frozen=True, slots=True)
class Places:
    """Where the files of one image go; None: the layout has no such file.

    collection: the file of all images that this image's part goes to, of writers that have one.
    """

    mask: str
    image: str | None = None
    preview: str | None = None
    instance: str | None = None
    collection: str | None = None


class Layout(Protocol):
    """What a file in this folder has; mypy holds it to that."""

    @property
    def MASK_WRITER(self) -> str | None:
        """The writer it wants where the user names none; None: the format's own."""

    @property
    def INSTANCES(self) -> bool:
        """Whether it has a place for instance images."""

    @property
    def IMAGE_FORM(self) -> Literal["as-is", "png"]:
        """Whether images keep their file format."""

    @property
    def SIZE(self) -> tuple[int, int] | None:
        """(width, height) that it wants for images and masks."""

    def table(self, classes: ClassTable) -> ClassTable:
        """Return the class table that masks are to have here: ids may be others, and what stands
        for ignore; the order is the same. Raises ClassError for classes that cannot be.
        """

    def places(self, names: Names, kind: Kind) -> Places:
        """Return where the files of one image go."""

    def per_image(self, raster: Raster, names: Names) -> Mapping[str, bytes]:
        """Return small files beside each mask, by path."""

    def closing(self, classes: ClassTable, records: Records) -> Mapping[str, bytes]:
        """Return the files about the whole output, by path. records: of all images, in order."""


def load(name: str) -> Layout:
    """Return the layout that ``name`` stands for. Raises UsageError with the choices."""
    return cast(Layout, plugins.load("layouts", name))


USUAL = "pairs"
"""The layout where the user names none."""


def usual(writer: str) -> str:
    """Return the layout of a writer's files where the user names none.

    That is the one of its own name, if there is one that wants it, else :data:`USUAL`.
    """
    is_own = writer in plugins.names("layouts") and writer == load(writer).MASK_WRITER
    return writer if is_own else USUAL


def collects(layout: Layout, kind: Kind) -> bool:
    """Tell whether a layout has a place for a file of all images."""
    return layout.places(Names("probe", 0, ".png"), kind).collection is not None


# The tables that layouts have.


def as_it_is(classes: ClassTable) -> ClassTable:
    """Return the table itself."""
    return classes


def consecutive(
    classes: ClassTable, *, ignore: int | None = None, most: int = HIGHEST_ID
) -> ClassTable:
    """Return the classes with ids 0, 1, 2 …. Raises ClassError for more than ``most``."""
    if len(classes) > most:
        raise ClassError(
            f"this layout must have at most {most} classes, but there are {len(classes)}",
            code="too-large",
        )
    ids = tuple(range(len(classes)))
    return replace(classes, ids=ids, ignore=ignore, has_ignore=classes.has_ignore)


# Places and files that several layouts have.


def in_folders_of_splits(names: Names, kind: Kind) -> Places:
    """Return places in ``images/SPLIT`` and a folder beside it; without a split in ``train``."""
    split = names.split or "train"
    return Places(
        mask=f"{kind.folder}/{split}/{names.stem}{kind.suffix}",
        image=f"images/{split}/{names.stem}{names.image_suffix}",
        preview=f"previews/{names.stem}.jpg",
    )


def no_more(raster: Raster, names: Names) -> Mapping[str, bytes]:
    """Return nothing: there is nothing to say about a single image."""
    return {}


# The lists that several layouts write at the end.


def lines(items: Iterable[str]) -> bytes:
    """Return ``items`` one a line, UTF-8."""
    return "".join(f"{item}\n" for item in items).encode("utf-8", "replace")


def labels(classes: ClassTable) -> dict[str, bytes]:
    """Return labels.txt."""
    return {"labels.txt": classes.to_text().encode("utf-8", "replace")}


def stems_by_split(records: Records) -> dict[str, list[str]]:
    """Return the stems of each split, splits sorted; what is in none is left out."""
    found: dict[str, list[str]] = {}
    for record in records:
        if record["split"]:
            found.setdefault(record["split"], []).append(record["stem"])
    return dict(sorted(found.items()))


def splits(records: Records) -> dict[str, bytes]:
    """Return train.txt, val.txt …: the stems of each split; nothing when there is no split."""
    return {f"{split}.txt": lines(stems) for split, stems in stems_by_split(records).items()}


def named_by_split(name: str, split: str | None) -> str:
    """Return what a file of all images is called, or of those of a split: instances_val.json."""
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}_{split}{dot}{suffix}" if split else name


def plain(classes: ClassTable) -> list[str]:
    """Return the names of the classes, the background under its usual one."""
    return ["background" if name == BACKGROUND else name for name in classes.names]


def things(classes: ClassTable) -> list[str]:
    """Return the names of the classes but the background, in the order of their ids."""
    return [name for name in classes.names if name != BACKGROUND]


def trainer_yaml(
    names: Sequence[str], records: Records, *, more: Mapping[str, object] | None = None
) -> bytes:
    """Return the data.yaml of ultralytics: images by split, and ``names`` by number.

    more: other keys. A split that has no image is left out, but for those that it wants: train, and
    val, which is then the same.
    """
    met = dict.fromkeys(record["split"] or "train" for record in records)
    places = {split: f"images/{split}" for split in ("train", "val", "test") if split in met}
    first = next(iter(places.values()), "images/train")
    places = {"train": first, "val": first} | places
    keys: dict[str, object] = {
        key: places[key] for key in ("train", "val", "test") if key in places
    }
    keys |= more or {}
    rows = [f"{key}: {_quoted(value)}" for key, value in keys.items()]
    rows += ["names:", *(f"  {number}: {_quoted(name)}" for number, name in enumerate(names))]
    return lines(rows)


def _quoted(value: object) -> str:
    """Return a value as YAML has it, which is what JSON has."""
    return json.dumps(value, ensure_ascii=False)
