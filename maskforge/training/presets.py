"""Presets: hyperparameters under a name, the default and those of works that maskforge follows."""

from __future__ import annotations

from dataclasses import replace

from maskforge.errors import UsageError
from maskforge.prediction.config import Config

# Adam at one rate under cross entropy, a look at the scores after each epoch, and none of what the
# default adds: what these works do.
_PLAIN = Config(
    options={},
    loss="ce",
    class_weights="none",
    optimizer="adam",
    lr=1e-3,
    weight_decay=0.0,
    schedule="constant",
    clip=0.0,
    ema=0.0,
    evaluate_every=1,
    augment=False,
    normalize="unit",
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
    # The full U-Net on street scenes, as a post on Cityscapes has it: brought to 280 x 280, cut to
    # 256 x 256 at random, mirrored; normalization behind the ReLU.
    "cityscapes": replace(
        _PLAIN,
        options={"norm": "after-relu"},
        size=(256, 256),
        interpolation="bilinear",
        jitter=(280, 280),
        crop=(256, 256),
        normalize="symmetric",
        augment=True,
        scale=(1.0, 1.0),
        rotate=0.0,
        color=0.0,
        blur=0.0,
        batch=32,
        epochs=60,
    ),
    # Chapter 12 of Atienza, "Advanced Deep Learning with TensorFlow 2 and Keras", 2nd edition.
    "book": replace(
        _PLAIN,
        network="fcn-pyramid",
        options={"bias": True},
        size=(),
        val_part="test",
        batch=4,
        schedule="book",
        epochs=100,
        best="image-mean-iou",
    ),
    # Pal's article on people and their background.
    "article": replace(
        _PLAIN,
        network="unet-small",
        size=(512, 512),
        val=0.3,
        batch=16,
        schedule="plateau",
        epochs=50,
        best="loss",
    ),
    # A lecture's portraits: VOC folders, a part held back, the loss of every step.
    "portrait": replace(_PLAIN, size=(256, 256), batch=16),
}


def preset(name: str) -> Config:
    """Return the settings called ``name``. Raises UsageError."""
    if name not in PRESETS:
        raise UsageError(f"preset must be one of {list(PRESETS)}, but got {name!r}")
    return PRESETS[name]
