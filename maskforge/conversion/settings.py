"""How a conversion is to be done: what the user chose, and what was decided on that.

Each field of :class:`Settings` says in its metadata what it does; the options of the command line,
their help, the reference of :func:`maskforge.convert` and the checks of values are made from that.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from functools import cache, lru_cache
from hashlib import sha256
from operator import index
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, get_args, get_origin, get_type_hints

from maskforge import __version__, layouts, plugins, splits, styles, writers
from maskforge.classes import ClassTable
from maskforge.conversion.one_file import OneFile
from maskforge.errors import UsageError
from maskforge.io.images import Exif, Window
from maskforge.io.label_lists import Labels
from maskforge.labels import Relabelling
from maskforge.layouts import Kind, Layout
from maskforge.raster.geometry import MAX_PIXELS
from maskforge.raster.overlap import Overlap
from maskforge.raster.raster import Unknown

Images: TypeAlias = Literal["auto", "link", "copy", "none"]
"""What becomes of the images. auto and copy: a copy, that shares its blocks with the image where
the file system can. link: a hard link where that can be, by which to edit one is to edit both."""

Size: TypeAlias = tuple[int, int]
"""(width, height) in pixels."""


READ, CLASSES, DRAWING = "what is read", "classes", "drawing"
OUTPUT, RUN = "output", "run"
"""Groups of settings, as the help shows them."""


class Flag(NamedTuple):
    """Another way to say on the command line that a setting has a certain value.

    rare: left to --help-all.
    """

    spelled: str
    value: object
    help: str
    rare: bool = True


def _of(
    group: str,
    help: str,
    *,
    metavar: str | None = None,
    choices: str = "",
    least: int | None = None,
    letter: str = "",
    flags: tuple[Flag, ...] = (),
    rare: bool = False,
    **more: object,
) -> dict[str, Any]:
    """Return what is to be known of a setting.

    group: the part of the help that it is in. choices: the folder whose file names it may be.
    least: the lowest number. letter: another way to type it. rare: left to --help-all. command:
    whether it has an option of its own name. helpful: what None means, in words, which is the
    default on the command line. writer: a writer's option of the same name, for those that have it.
    """
    known = {"group": group, "help": help, "metavar": metavar, "choices": choices, "least": least}
    return {**known, "letter": letter, "flags": flags, "rare": rare, **more}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user chose. Raises UsageError for a value that is not possible.

    What comes from Python may have another form: a text for a place, a list for a tuple.
    """

    # What is written
    out: Path | None = field(
        default=None,
        metadata=_of(
            OUTPUT, "Where to write. [default: beside the source]", metavar="PATH", letter="-o"
        ),
    )
    as_: str | None = field(
        default=None,
        metadata=_of(
            OUTPUT,
            "What to write.",
            choices="writers",
            flags=(Flag("palette", "palette", "Label PNGs with the VOC palette (--as palette)."),),
        ),
    )
    style: str | None = field(
        default=None,
        metadata=_of(
            OUTPUT,
            "Colours of --as color: a name, #rrggbb,#rrggbb (background, object), or one colour "
            "for each class.",
            metavar="STYLE",
            writer=True,
        ),
    )
    segmentation: Literal["auto", "polygon", "rle"] = field(
        default="auto",
        metadata=_of(
            OUTPUT,
            "Regions of --as coco: polygons, run lengths, or polygons where there is no hole.",
            writer=True,
            rare=True,
        ),
    )
    split_parts: bool = field(
        default=False,
        metadata=_of(
            OUTPUT,
            "A line for each part of an object in --as yolo, instead of parts tied by slits.",
            writer=True,
            rare=True,
        ),
    )

    tolerance: float | None = field(
        default=None,
        metadata=_of(
            OUTPUT,
            "Simplify traced outlines: how far they may depart from the middles of pixel edges.",
            metavar="PIXELS",
            writer=True,
            rare=True,
        ),
    )
    keep_iou: float | None = field(
        default=None,
        metadata=_of(
            OUTPUT,
            "Simplify traced outlines so far that each class and each object of more than 100 "
            "pixels keeps this IoU.",
            metavar="0…1",
            writer=True,
            rare=True,
        ),
    )
    min_area: int | None = field(
        default=None,
        metadata=_of(
            OUTPUT,
            "Before tracing, parts of fewer pixels, and holes, become what is around them.",
            metavar="PIXELS",
            least=1,
            writer=True,
            rare=True,
        ),
    )

    # Which pixel is what
    labels: Labels = field(
        default=None,
        metadata=_of(
            CLASSES,
            "Class names in the order of their ids. [default: labels.txt beside the source or "
            "in the current folder, else all labels of the input, sorted]",
            metavar="FILE|A,B,C",
        ),
    )
    rule: str = field(
        default="pixel-center",
        metadata=_of(
            DRAWING,
            "Which pixels a shape covers: exact (pixel-center), or as another tool does.",
            choices="rules",
        ),
    )
    overlap: Literal[Overlap, "keep"] = field(
        default="last",
        metadata=_of(DRAWING, "Who wins where regions overlap; keep: all of them, in a one-hot."),
    )
    priority: tuple[str, ...] = field(
        default=(),
        metadata=_of(DRAWING, "Classes from the top down, over --overlap.", rare=True),
    )
    unknown: Unknown = field(
        default="error",
        metadata=_of(CLASSES, "What becomes of other labels."),
    )

    map: tuple[str, ...] = field(
        default=(),
        metadata=_of(
            CLASSES,
            "Rename labels: 'bus-*=bus', 'car,van=vehicle'; may be given again, and the first rule "
            "that fits counts.",
            metavar="A[,B…]=C",
            multiple=True,
        ),
    )
    only: tuple[str, ...] = field(
        default=(),
        metadata=_of(CLASSES, "Labels to take; others are as if they had not been drawn."),
    )
    drop: tuple[str, ...] = field(
        default=(),
        metadata=_of(CLASSES, "Labels to leave out."),
    )
    ignore_labels: tuple[str, ...] = field(
        default=(), metadata=_of(CLASSES, "Labels whose pixels become ignore.")
    )
    bad_shape: Literal["withhold", "skip"] = field(
        default="withhold",
        metadata=_of(
            DRAWING,
            "What becomes of an image with a shape that cannot be drawn: no mask, or one without "
            "that region.",
            rare=True,
        ),
    )

    # How it is laid out
    layout: str | None = field(
        default=None,
        metadata=_of(
            OUTPUT,
            "How the output folder is laid out. [default: pairs; yolo for --as yolo]",
            choices="layouts",
        ),
    )
    size: tuple[int, ...] | None = field(
        default=None,
        metadata=_of(
            DRAWING,
            "Size of the outputs: the longer side in pixels at most, WIDTHxHEIGHT, or full. The "
            "geometry is scaled, then rasterized. [default: full]",
            metavar="N|WxH|full",
        ),
    )
    images: Images = field(
        default="auto",
        metadata=_of(
            OUTPUT,
            "The images beside the masks: copies, which share their blocks with the originals "
            "where the file system can (auto, copy), hard links, by which to edit one is to edit "
            "both (link), or none.",
        ),
    )
    images_from: Path | None = field(
        default=None,
        metadata=_of(READ, "Look for the images in this folder first.", metavar="DIR"),
    )
    assume_size: Size | None = field(
        default=None,
        metadata=_of(
            READ,
            "Size of images that are not found, where the annotation declares none (VIA).",
            rare=True,
        ),
    )
    previews: bool = field(
        default=True,
        metadata=_of(
            OUTPUT,
            "Write overlays to look at.",
            rare=True,
            flags=(Flag("noviz", False, "Same as --no-previews."),),
        ),
    )
    window: Window | None = field(
        default=None,
        metadata=_of(
            OUTPUT,
            "Values of images of more than 8 bits that previews show black and white. [default: "
            "the lowest and the highest of each]",
            metavar="LOW,HIGH",
            rare=True,
        ),
    )
    instances: bool = field(
        default=True,
        metadata=_of(
            OUTPUT,
            "Instance images in the layouts that have them.",
            command=False,
            flags=(Flag("noobject", False, "No instance images in the layouts that have them."),),
            rare=True,
        ),
    )
    exif: Exif = field(
        default="auto",
        metadata=_of(
            READ,
            "Which way up the annotation is when the image has an EXIF orientation.",
            rare=True,
        ),
    )
    split: tuple[float, ...] | None = field(
        default=None,
        metadata=_of(
            OUTPUT,
            "Fraction held out for validation, or those of train, val and test.",
            metavar="F|A,B,C",
            letter="--val",
        ),
    )
    seed: int = field(default=0, metadata=_of(OUTPUT, "Seed of --split.", rare=True))
    max_pixels: int = field(
        default=MAX_PIXELS, metadata=_of(READ, "Refuse larger images.", least=1, rare=True)
    )

    # How the work is done. In a script more than one process is a surprise.
    workers: int | None = field(
        default=1,
        metadata=_of(
            RUN, "Processes that convert.", least=1, letter="-j", helpful="as many as help"
        ),
    )
    engine: str | None = field(
        default=None,
        metadata=_of(
            RUN, "Who does the work. [default: by --workers]", choices="engines", rare=True
        ),
    )
    overwrite: bool = field(default=False, metadata=_of(RUN, "Replace an earlier output."))
    resume: bool = field(
        default=False,
        metadata=_of(RUN, "Go on with an earlier run: do what is missing or changed."),
    )
    strict: bool = field(default=False, metadata=_of(RUN, "Stop at the first problem.", rare=True))

    def __post_init__(self) -> None:
        for one, hint in described(Settings):
            object.__setattr__(self, one.name, _checked(one, hint, getattr(self, one.name)))
        if self.overwrite and self.resume:
            raise UsageError("overwrite and resume contradict each other", cure="give one of them")
        if self.split is not None:
            splits.check(self.split)
        if self.style is not None:
            styles.check(self.style)
        if self.tolerance is not None and self.keep_iou is not None:
            raise UsageError("tolerance and keep_iou contradict each other", cure="give one")
        if not 0 <= (self.tolerance or 0) < math.inf:
            raise UsageError(f"tolerance must be 0 or more pixels, but got {self.tolerance}")
        if not 0 <= (self.keep_iou or 0) <= 1:
            raise UsageError(f"keep_iou must be from 0 to 1, but got {self.keep_iou}")
        _relabelling(self.map, self.only, self.drop, self.ignore_labels)  # refuses what is no rule

    @property
    def relabelling(self) -> Relabelling:
        """What becomes of labels before classes are looked up."""
        return _relabelling(self.map, self.only, self.drop, self.ignore_labels)

    @classmethod
    def of(cls, chosen: Mapping[str, Any]) -> Settings:
        """Return the settings of these names. Raises UsageError for a name that is none."""
        for name in chosen:
            plugins.choose("a setting", name, [one.name for one in fields(Settings)])
        return cls(**chosen)


@lru_cache(maxsize=8)
def _relabelling(*lists: tuple[str, ...]) -> Relabelling:
    return Relabelling.of(*lists)


@cache
def described(kind: type) -> list[tuple[Field[Any], Any]]:
    """Return the fields of a dataclass, each with its type."""
    hints = get_type_hints(kind)
    return [(one, hints[one.name]) for one in fields(kind)]


def _checked(one: Field[Any], hint: Any, value: Any) -> Any:
    """Return the value as its field has it. Raises UsageError, with the nearest choice."""
    if value is None and (one.default is None or type(None) in get_args(hint)):
        return None
    if package := one.metadata["choices"]:
        return plugins.choose(package, str(value).replace("_", "-"), plugins.names(package))
    if get_origin(hint) is Literal:
        return plugins.choose(one.name, value, get_args(hint))
    wanted, take = _FORMS.get(hint, ("", lambda value: value))
    try:
        value = take(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{one.name} must be {wanted}, but got {value!r}") from error
    least = one.metadata["least"]
    if least is not None and value < least:
        raise UsageError(f"{one.name} must be at least {least}, but got {value}")
    return value


def _window(value: Any) -> Window:
    low, high = map(float, value)
    if not -math.inf < low < high < math.inf:
        raise ValueError
    return low, high


def _size(value: Any) -> Size:
    width, height = map(index, value)
    if min(width, height) < 1:
        raise ValueError
    return width, height


def _working_size(value: Any) -> tuple[int, ...] | None:
    """Return (N,) the longer side, (width, height), or None for the full size."""
    if value in ("full", ()):
        return None
    sides = tuple(map(index, (value,) if _is_number(value) else value))
    if not 1 <= len(sides) <= 2 or min(sides) < 1:
        raise ValueError
    return sides


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _fractions(value: Any) -> tuple[float, ...]:
    return tuple(map(float, (value,) if _is_number(value) else value))


def _yes_or_no(value: Any) -> bool:
    if value not in (True, False):
        raise ValueError
    return bool(value)


def _names(value: Any) -> tuple[str, ...]:
    if isinstance(value, Mapping):
        value = [f"{old}={new}" for old, new in value.items()]
    if isinstance(value, str) or not all(isinstance(name, str) for name in value):
        raise TypeError
    return tuple(value)


_FORMS: dict[Any, tuple[str, Callable[[Any], Any]]] = {
    bool: ("True or False", _yes_or_no),
    int: ("a whole number", index),
    int | None: ("a whole number", index),
    float | None: ("a number", float),
    Path | None: ("a path", Path),
    Size | None: ("(width, height) in pixels, such as (640, 480)", _size),
    tuple[int, ...] | None: (
        'the longer side in pixels, (width, height), such as (640, 480), or "full"',
        _working_size,
    ),
    Window | None: ("two numbers, the lower one first, such as (0, 4095)", _window),
    tuple[str, ...]: ("a list of names", _names),
    tuple[float, ...] | None: ("a fraction, or a list of them", _fractions),
}
"""How values may come, in words, by the type of their field, and what makes them that type."""


ONE_FILE = layouts.USUAL
"""The layout in which a file of all images stands by itself."""


TRACING = ("tolerance", "keep_iou", "min_area")
"""Settings about the outlines of masks."""

REGION_OPTIONS = ("segmentation", "split_parts", *TRACING)
"""Settings about how regions are written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(Settings):
    """What is the same for all images of one conversion: the settings, and what was decided.

    Picklable, and comparable by fingerprint. reader, writer: by name. out: the output folder, or
    the file of a writer that makes one file of all images.
    """

    reader: str
    writer: str
    out: Path
    classes: ClassTable
    reader_options: Mapping[str, object] = field(default_factory=dict)
    writer_options: Mapping[str, object] = field(default_factory=dict)
    overlap: Overlap = "last"
    layout: str = layouts.USUAL

    def __post_init__(self) -> None:
        """Check nothing again: settings were checked as such."""

    @property
    def is_file(self) -> bool:
        """Whether the output is one file of all images, or one for each split, and no folder."""
        return writers.load(self.writer).COLLECTION and self.layout == ONE_FILE

    @property
    def folder(self) -> Path:
        """The folder that names of outputs are relative to."""
        return self.out.parent if self.is_file else self.out

    @property
    def laid_out(self) -> Layout:
        """Where files go."""
        writer = writers.load(self.writer)
        if writer.COLLECTION and self.is_file:
            return OneFile(self.out.name, writer.BY_SPLIT)
        return layouts.load(self.layout)

    @property
    def kind(self) -> Kind:
        """What the writer makes, as a layout has to know it."""
        return writers.kind(writers.load(self.writer))

    @property
    def places_images(self) -> bool:
        """Whether images are placed in the output; beside one file only where the user asks."""
        return self.images in (("link", "copy") if self.is_file else ("auto", "link", "copy"))

    def public(self) -> dict[str, Any]:
        """Return what decides about output bytes, as the manifest records it."""
        record = {name: getattr(self, name) for name in PUBLIC}
        record["classes"] = self.classes.hash
        record["reader_options"] = dict(self.reader_options)
        record["writer_options"] = dict(self.writer_options)
        for name in ("priority", "map", "only", "drop", "ignore_labels"):
            record[name] = list(record[name])
        for name in ("size", "assume_size", "window"):
            record[name] = None if record[name] is None else list(record[name])
        return record

    @property
    def fingerprint(self) -> str:
        """sha256 (hex) of :meth:`public` and our version; only equal ones may be mixed."""
        text = json.dumps([__version__, self.public()], sort_keys=True)
        return sha256(text.encode()).hexdigest()


PUBLIC = (
    *("reader", "writer", "classes", "reader_options", "writer_options", "layout", "rule"),
    *("overlap", "priority", "unknown", "map", "only", "drop", "ignore_labels", "bad_shape"),
    *("size", "exif", "images", "assume_size", "previews", "window", "instances", "max_pixels"),
)
"""What decides about output bytes, in the manifest's order. All else says where files are, has come
into one of these, or is about how the work is done."""
