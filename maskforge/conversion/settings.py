"""How a conversion is to be done: everything a worker needs to know besides the job itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, TypeAlias, get_args

from maskforge import __version__, plugins
from maskforge.classes import ClassTable
from maskforge.errors import UsageError
from maskforge.io.images import Exif
from maskforge.raster.geometry import MAX_PIXELS
from maskforge.raster.overlap import Overlap
from maskforge.raster.raster import Unknown

Images: TypeAlias = Literal["auto", "link", "copy", "none"]
"""What becomes of the images. auto and copy: a copy, that shares its blocks with the image where
the file system can. link: a hard link where that can be, by which to edit one is to edit both."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What is the same for all images of one conversion. Picklable, and comparable by fingerprint.

    size: (width, height) of the outputs in pixels, None for each image's own.
    images_from: a folder to look for images in, besides where the source says they are.
    assume_size: (width, height) of images that are not found and whose size nothing declares.
    out: the output folder, or the file of a writer that makes one file of all images.
    """

    reader: str
    writer: str
    out: Path
    classes: ClassTable
    reader_options: Mapping[str, object] = field(default_factory=dict)
    writer_options: Mapping[str, object] = field(default_factory=dict)
    layout: str = "pairs"
    rule: str = "pixel-center"
    overlap: Overlap = "last"
    priority: tuple[str, ...] = ()
    unknown: Unknown = "error"
    size: tuple[int, int] | None = None
    exif: Exif = "auto"
    images: Images = "auto"
    images_from: Path | None = None
    assume_size: tuple[int, int] | None = None
    previews: bool = True
    instances: bool = True
    max_pixels: int = MAX_PIXELS

    def __post_init__(self) -> None:
        for name, choices in (
            ("overlap", Overlap),
            ("unknown", Unknown),
            ("exif", Exif),
            ("images", Images),
        ):
            if getattr(self, name) not in get_args(choices):
                raise UsageError(
                    f"{name} must be one of {list(get_args(choices))}, "
                    f"but got {getattr(self, name)!r}"
                )

    def public(self) -> dict[str, Any]:
        """Return the settings that decide about output bytes, as the manifest records them."""
        record = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _PLACES}
        record["classes"] = self.classes.hash
        record["reader_options"] = dict(self.reader_options)
        record["writer_options"] = dict(self.writer_options)
        record["priority"] = list(self.priority)
        for name in ("size", "assume_size"):
            record[name] = None if record[name] is None else list(record[name])
        return record

    @property
    def fingerprint(self) -> str:
        """sha256 (hex) of :meth:`public` and our version; only equal ones may be mixed."""
        text = json.dumps([__version__, self.public()], sort_keys=True)
        return sha256(text.encode()).hexdigest()


_PLACES = ("out", "images_from")
"""Settings that say where files are; they do not decide about bytes."""


def options(module: ModuleType, values: Mapping[str, object]) -> Any:
    """Return ``module.Options`` made of ``values``; raises UsageError for one it does not have."""
    known = _option_names(module)
    stranger = sorted(values.keys() - known)
    if stranger:
        name = module.__name__.rpartition(".")[2].replace("_", "-")
        raise UsageError(
            f"{name} must be given only its own options {sorted(known)}, but got {stranger}"
        )
    return module.Options(**values)


@cache
def _option_names(module: ModuleType) -> frozenset[str]:
    return frozenset(f.name for f in fields(module.Options))


def effective(module: ModuleType, values: Mapping[str, object]) -> dict[str, object]:
    """Return all options of ``module`` with their values, defaults filled in."""
    return asdict(options(module, values))


def reader(name: str) -> ModuleType:
    """Return the reader that ``name`` stands for."""
    return plugins.load("readers", name)


def writer(name: str) -> ModuleType:
    """Return the writer that ``name`` stands for."""
    return plugins.load("writers", name)


def is_collection(name: str) -> bool:
    """Tell whether the writer makes one file of all images."""
    return hasattr(writer(name), "COLLECTION")


def folder(settings: Settings) -> Path:
    """Return the folder that names of outputs are relative to."""
    return settings.out.parent if is_collection(settings.writer) else settings.out


def layout(name: str) -> ModuleType:
    """Return the layout that ``name`` stands for."""
    return plugins.load("layouts", name)
