"""Presets: hyperparameters under a name, the default and those of works that maskforge follows."""

from __future__ import annotations

from dataclasses import replace

from maskforge.errors import UsageError
from maskforge.prediction.config import Config

# Adam at one rate under cross entropy, and none of what the default adds: what older works did.
_PLAIN = Config(
    options={}, loss="ce", optimizer="adam", lr=1e-3, weight_decay=0.0, clip=0.0, ema=0.0
)

PRESETS: dict[str, Config] = {
    # A few hundred images from scratch, on a machine without a GPU.
    "default": Config(),
    # A first look, in a minute or two, at small and similar images: can this be learned?
    "quick": Config(
        options={"width": 32, "depth": 3, "stride": 2},
        size=(160,),
        batch=12,
        scale=(0.8, 1.25),
        rotate=5.0,
        color=0.3,
        lr=4e-3,
        ema=0.98,
        steps=360,
    ),
    # The full U-Net on street scenes: 280 x 280, cut to 256 x 256 at random, mirrored.
    "cityscapes": replace(
        _PLAIN,
        network="unet",
        size=(256, 256),
        crop=(256, 256),
        scale=(280 / 256, 280 / 256),
        rotate=0.0,
        color=0.0,
        blur=0.0,
        schedule="constant",
    ),
    # Chapter 12 of Atienza, "Advanced Deep Learning with TensorFlow 2 and Keras", 2nd edition.
    "book": replace(
        _PLAIN, network="fcn-pyramid", size=(), batch=4, augment=False, schedule="book"
    ),
    # Pal's article on people and their background; its network, as small as it is.
    "article": replace(
        _PLAIN, network="unet-small", size=(128, 128), batch=32, augment=False, schedule="plateau"
    ),
}


def preset(name: str) -> Config:
    """Return the settings called ``name``. Raises UsageError."""
    if name not in PRESETS:
        raise UsageError(f"preset must be one of {list(PRESETS)}, but got {name!r}")
    return PRESETS[name]
