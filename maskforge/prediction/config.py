"""The training configuration: all hyperparameters in one dataclass, as JSON in the checkpoint.

Each field says in its metadata what it does; the command line is made from that.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

from maskforge.errors import UsageError
from maskforge.io.images import Window

Option: TypeAlias = str | int | float | bool

MAX_PIXELS = 2**24
"""What a network may see at once: a stranger's checkpoint must not ask for all memory. The images
themselves may be larger."""

DEFAULT_EPOCHS, DEFAULT_STEPS = 100, 1000
"""How long a run is where neither epochs, steps nor minutes are given: whichever is longer.

On 48 photographs 100 epochs are 300 steps, and far too few (docs/training.md has the figures).
"""

BUDGETS = ("epochs", "steps", "minutes")
"""Settings that say how long a run is; one of them does. A run that goes on may have another."""


NETWORK, DATA, SCHEDULE = "network", "data", "schedule"
AUGMENTATION, HARDWARE = "augmentation", "machine"
"""Groups of settings, as the help shows them."""


def _of(
    group: str, help: str, *, metavar: str = "", listed: str = "", rare: bool = False
) -> dict[str, Any]:
    """Return what is to be known of a setting.

    group: the part of the help that it is in. listed: what ``maskforge list`` calls the names that
    it may be. rare: left to --help-all.
    """
    return {"group": group, "help": help, "metavar": metavar, "listed": listed, "rare": rare}


@dataclass(frozen=True, slots=True)
class Config:
    """The settings, with the defaults for a few hundred images and a machine without a GPU.

    Raises UsageError for a value that is not possible.
    """

    # Network
    network: str = field(
        default="unet",
        metadata=_of(NETWORK, "Network, also smp:ARCH:ENCODER.", metavar="NAME", listed="networks"),
    )
    options: dict[str, Option] = field(default_factory=lambda: {"width": 32, "stride": 2})
    sigmoid: bool = field(
        default=False,
        metadata=_of(
            NETWORK, "One logit and a sigmoid instead of two, for a single class.", rare=True
        ),
    )

    # Data
    val: float = field(
        default=0.2,
        metadata=_of(
            DATA,
            "Fraction held out for validation, or those of train, val and test, where the data has "
            "no split.",
            metavar="F|A,B,C",
        ),
    )
    test: float = 0.0  # given with val, by --split
    val_part: Literal["val", "test"] = field(
        default="val",
        metadata=_of(
            DATA,
            "Part of the data that is held back: val, or test where there is one, also in the file "
            "beside (segmentation_test.npy beside segmentation_train.npy).",
            rare=True,
        ),
    )
    size: tuple[int, ...] = field(
        default=(192,),
        metadata=_of(
            DATA,
            "Size the network works at: the longer side in pixels, WIDTHxHEIGHT, or full.",
            metavar="N|WxH|full",
        ),
    )
    crop: tuple[int, ...] = field(
        default=(),
        metadata=_of(
            DATA,
            "Size of the training crops. [default: that of the middle image]",
            metavar="WxH",
            rare=True,
        ),
    )
    window: tuple[float, ...] = field(
        default=(),
        metadata=_of(
            DATA,
            "Values of images of more than 8 bits that are black and white to the network. "
            "[default: the lowest and the highest of each image]",
            metavar="LOW,HIGH",
            rare=True,
        ),
    )
    interpolation: Literal["area", "bilinear", "nearest"] = field(
        default="area",
        metadata=_of(
            DATA,
            "How images are brought to that size. area: smaller by averages, larger bilinear; "
            "bilinear: also smaller, without averages.",
            rare=True,
        ),
    )
    jitter: tuple[int, ...] = field(
        default=(),
        metadata=_of(
            DATA,
            "Size that training images are brought to, of nearest pixels, before the crop. "
            "[default: as --size]",
            metavar="WxH",
            rare=True,
        ),
    )
    channels: int = field(
        default=3,
        metadata=_of(DATA, "Channels that the network sees: 3, or 1 for gray.", rare=True),
    )
    normalize: Literal["imagenet", "unit", "symmetric", "none"] = field(
        default="imagenet",
        metadata=_of(
            DATA,
            "Values that the network sees. imagenet: by the mean and deviation of its images; "
            "unit: 0 to 1; symmetric: -1 to 1; none: 0 to 255.",
            rare=True,
        ),
    )
    batch: int = field(
        default=16,
        metadata=_of(SCHEDULE, "Images a step, over all processes and accumulations."),
    )
    class_weights: Literal["auto", "median", "enet", "none"] = field(
        default="auto",
        metadata=_of(
            NETWORK,
            "How rare classes are made up for. auto: enet, where ce or focal alone is the loss.",
            rare=True,
        ),
    )

    # Augmentation
    augment: bool = field(default=True, metadata=_of(AUGMENTATION, "Change the images at random."))
    flip: float = field(
        default=0.5, metadata=_of(AUGMENTATION, "Probability of a left-right mirror.", rare=True)
    )
    scale: tuple[float, float] = field(
        default=(0.6, 1.6),
        metadata=_of(
            AUGMENTATION, "Lowest and highest factor of the size.", metavar="A,B", rare=True
        ),
    )
    rotate: float = field(
        default=10.0, metadata=_of(AUGMENTATION, "Highest rotation, in degrees.", rare=True)
    )
    color: float = field(
        default=0.4, metadata=_of(AUGMENTATION, "Strength of colour changes, 0 to 1.", rare=True)
    )
    blur: float = field(
        default=0.05, metadata=_of(AUGMENTATION, "Probability of a blur.", rare=True)
    )

    # Learning
    loss: str = field(
        default="ce+dice",
        metadata=_of(
            NETWORK, "Loss, or a sum such as ce+dice.", metavar="NAME[+NAME…]", listed="losses"
        ),
    )
    optimizer: Literal["adam", "adamw"] = field(
        default="adamw", metadata=_of(SCHEDULE, "Optimizer.", rare=True)
    )
    lr: float = field(default=2e-3, metadata=_of(SCHEDULE, "Highest learning rate."))
    weight_decay: float = field(default=1e-2, metadata=_of(SCHEDULE, "Weight decay.", rare=True))
    schedule: Literal["constant", "book", "poly", "cosine", "one-cycle", "plateau"] = field(
        default="one-cycle",
        metadata=_of(
            SCHEDULE,
            "How the learning rate changes.",
            metavar="NAME",
            listed="schedules",
            rare=True,
        ),
    )
    epochs: int | None = field(
        default=None,
        metadata=_of(
            SCHEDULE,
            f"Passes over the data. [default: {DEFAULT_EPOCHS}, or as many as {DEFAULT_STEPS:,} "
            "steps are]",
        ),
    )
    steps: int | None = field(default=None, metadata=_of(SCHEDULE, "Steps, instead of epochs."))
    minutes: float | None = field(
        default=None, metadata=_of(SCHEDULE, "Minutes, instead of epochs.")
    )
    accumulate: int = field(
        default=1,
        metadata=_of(SCHEDULE, "Parts that a batch goes through the network in.", rare=True),
    )
    clip: float = field(
        default=1.0, metadata=_of(SCHEDULE, "Highest norm of the gradient; 0: no limit.", rare=True)
    )
    ema: float = field(
        default=0.99,
        metadata=_of(SCHEDULE, "Decay of the averaged weights, such as 0.99; 0: none.", rare=True),
    )
    patience: int = field(
        default=0,
        metadata=_of(SCHEDULE, "Stop after as many evaluations without a better one; 0: never."),
    )
    best: Literal["mean-iou", "image-mean-iou", "loss"] = field(
        default="mean-iou",
        metadata=_of(
            SCHEDULE,
            "What best.pt has: the highest mean IoU, over all pixels or a mean of the images, or "
            "the lowest validation loss.",
            rare=True,
        ),
    )
    evaluate_every: int = field(
        default=0,
        metadata=_of(
            SCHEDULE,
            "Epochs between evaluations; 0: 20 in a run, at least 30 steps apart.",
            rare=True,
        ),
    )
    seed: int = field(
        default=0, metadata=_of(SCHEDULE, "Seed of everything that is random.", rare=True)
    )

    # Machine
    device: str = field(
        default="auto", metadata=_of(HARDWARE, "auto, cpu, cuda or cuda:N.", rare=True)
    )
    precision: Literal["auto", "float32", "bfloat16"] = field(
        default="auto",
        metadata=_of(HARDWARE, "auto: bfloat16 where the machine has it in hardware.", rare=True),
    )
    trial: bool = field(
        default=True,
        metadata=_of(
            HARDWARE,
            "Before the first step on a CPU, try for some seconds what is fastest: precision "
            "(if that is auto), memory and threads.",
            rare=True,
        ),
    )
    channels_last: bool = field(
        default=True,
        metadata=_of(
            HARDWARE, "Channels-last memory, if a trial finds no other faster.", rare=True
        ),
    )
    compile: bool = field(
        default=False, metadata=_of(HARDWARE, "Compile the network (torch.compile).", rare=True)
    )
    threads: int = field(
        default=0,
        metadata=_of(HARDWARE, "Threads of torch on the CPU; 0: torch's own choice.", rare=True),
    )
    workers: int | None = field(
        default=None,
        metadata=_of(HARDWARE, "Processes that load images. [default: as many as help]", rare=True),
    )
    cache: int = field(
        default=1024,
        metadata=_of(HARDWARE, "Keep loaded images in memory, up to as many MiB.", rare=True),
    )

    def __post_init__(self) -> None:
        for name, choices in _choices().items():
            if getattr(self, name) not in choices:
                shown = " or ".join(map(repr, choices))
                raise UsageError(f"{name} must be {shown}, but got {getattr(self, name)!r}")
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise UsageError(f"{name} must be within {low} … {high}, but got {value}")
        sizes = self.size, self.crop, self.jitter
        if (
            len(self.size) > 2
            or not {len(self.crop), len(self.jitter)} <= {0, 2}
            or min(itertools.chain(*sizes), default=1) < 1
            or max(map(math.prod, sizes)) > MAX_PIXELS
        ):
            raise UsageError(
                f"size, crop and jitter must be sizes of at most {MAX_PIXELS} pixels, "
                f"but got {', '.join(map(str, sizes))}"
            )
        if self.channels not in (1, 3):
            raise UsageError(f"channels must be 3, or 1 for gray, but got {self.channels}")
        ends = (-math.inf, *self.window, math.inf)
        if len(ends) not in (2, 4) or not all(a < b for a, b in itertools.pairwise(ends)):
            raise UsageError(f"window must be LOW,HIGH with LOW < HIGH, but got {self.window}")
        if not 0 < self.scale[0] <= self.scale[1] <= 100:
            raise UsageError(f"scale must be two factors 0 < A <= B, but got {self.scale}")
        given = [name for name in BUDGETS if getattr(self, name) is not None]
        if len(given) > 1:
            raise UsageError(f"only one of epochs, steps and minutes may be given, but got {given}")

    @property
    def shown(self) -> Window | None:
        """The window, None where each image has its own."""
        return (self.window[0], self.window[1]) if self.window else None

    def steps_of(self, images: int) -> int | None:
        """Return the steps of a run on so many training images; None where minutes decide."""
        if self.minutes is not None or self.steps is not None:
            return self.steps
        epoch = -(-images // self.batch)
        if self.epochs is not None:
            return self.epochs * epoch
        return max(DEFAULT_EPOCHS * epoch, DEFAULT_STEPS)

    def to_json(self) -> str:
        """Return the settings as JSON."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Config:
        """Return the settings that ``text`` holds.

        What it lacks keeps its default. Raises UsageError for text that :meth:`to_json` did not
        write.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"settings must be JSON, but: {error}") from error
        if not isinstance(values, dict):
            raise UsageError(f"settings must be a JSON object, but got {type(values).__name__}")
        hints = get_type_hints(cls)
        unknown = sorted(set(values) - set(hints))
        if unknown:
            raise UsageError(f"settings must be among {list(hints)}, but got {unknown}")
        return cls(**{name: _checked(name, v, hints[name]) for name, v in values.items()})


def with_budget(changed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings ``changed``; where they have a budget, the others are None."""
    named = any(changed.get(name) is not None for name in BUDGETS)
    return (dict.fromkeys(BUDGETS) if named else {}) | dict(changed)


MACHINE: dict[str, Any] = {
    **{"device": "auto", "threads": 0, "workers": None, "cache": 1024},
    "trial": True,
}
"""Settings that a resumed run may change, with their defaults."""

_ANY = math.inf
_RANGES: tuple[tuple[str, float, float], ...] = (
    ("val", 0, 0.9),
    ("test", 0, 0.9),
    ("batch", 1, 2**16),
    ("flip", 0, 1),
    ("rotate", 0, 180),
    ("color", 0, 1),
    ("blur", 0, 1),
    ("lr", 0, 1e3),
    ("weight_decay", 0, 1e3),
    ("epochs", 1, 2**31),
    ("steps", 1, 2**31),
    ("minutes", 1e-3, 2**31),
    ("accumulate", 1, 2**16),
    ("clip", 0, _ANY),
    ("ema", 0, 0.99999),
    ("patience", 0, 2**31),
    ("evaluate_every", 0, 2**31),
    ("seed", 0, 2**63 - 1),
    ("threads", 0, 4096),
    ("workers", 0, 4096),
    ("cache", 0, 2**31),
)


@cache
def _choices() -> dict[str, tuple[str, ...]]:
    """Return what the settings that have few values may be."""
    hints = get_type_hints(Config)
    return {name: get_args(hint) for name, hint in hints.items() if get_origin(hint) is Literal}


def _checked(name: str, value: Any, hint: Any) -> Any:
    """Return ``value`` as the type ``hint`` has it; JSON has lists for tuples."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        fits = value in inner
    elif origin is UnionType:
        if value is None and NoneType in inner:
            return None
        return _checked(name, value, inner[0])
    elif origin is tuple:
        fits = isinstance(value, list) and all(_is_number(v, inner[0]) for v in value)
        fits = fits and (inner[-1] is Ellipsis or len(value) == len(inner))
        value = tuple(value) if fits else value
    elif origin is dict:
        fits = isinstance(value, dict) and all(
            isinstance(v, get_args(Option)) for v in value.values()
        )
    elif hint in (int, float):
        fits = _is_number(value, hint)
    else:
        fits = isinstance(value, hint)
    if not fits:
        shown = (
            " or ".join(map(repr, inner)) if origin is Literal else getattr(hint, "__name__", hint)
        )
        raise UsageError(f"{name} must be {shown}, but got {value!r}")
    return value


def _is_number(value: object, kind: type) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) or (kind is float and math.isfinite(value))


def names() -> tuple[str, ...]:
    """Return the names of all settings."""
    return tuple(f.name for f in fields(Config))
