"""Networks of segmentation-models-pytorch, with pretrained encoders: the door to transfer learning.

Typed as ``smp:ARCH:ENCODER``, such as ``smp:unet:resnet18`` or ``smp:deeplabv3plus:mobilenet_v2``;
the names are those of https://smp.readthedocs.io. Needs the extra ``pretrained``.

Pretrained encoders expect images normalized with ImageNet's mean and standard deviation.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor, nn

from maskforge import extras
from maskforge.errors import UsageError
from maskforge.training.models import _pretrained
from maskforge.training.models._layers import check_size

DIVISOR = 32


def build(
    *,
    in_channels: int,
    num_classes: int,
    arch: str,
    encoder: str,
    encoder_weights: str | Path | None = None,
) -> nn.Module:
    """Return the network ``arch`` on ``encoder``.

    ``encoder_weights`` is None for random ones, the path of a local file (of torchvision, timm or
    segmentation-models-pytorch, see ``_pretrained.py``), or the name of a set that
    segmentation-models-pytorch fetches from its hub, such as "imagenet". Raises UsageError, and
    ReadError for a file that does not fit.
    """
    library = load_library()
    file = Path(encoder_weights) if encoder_weights is not None else None
    local = file is not None and (file.suffix != "" or file.exists())
    if local and in_channels != 3:
        raise UsageError(f"local encoder weights need images of 3 channels, but got {in_channels}")
    try:
        network = library.create_model(
            arch,
            encoder_name=encoder,
            encoder_weights=None if local else encoder_weights,
            in_channels=in_channels,
            classes=num_classes,
        )
    except (KeyError, ValueError) as error:
        raise UsageError(
            f"smp:{arch}:{encoder} is no network of segmentation-models-pytorch: {error}"
        ) from error
    except OSError as error:
        raise UsageError(
            f"the weights {str(encoder_weights)!r} must be a file or be had from the hub, but: "
            f"{error}",
            cure="download the encoder's state dict elsewhere and give the file",
        ) from error
    if local and file is not None:
        cure = f"give the state dict of a classifier that is a {encoder}"
        _pretrained.load_encoder(network.encoder, file, cure=cure)
    return SMP(network)


class SMP(nn.Module):
    """See the module. ``divisor`` is what the input's height and width must be multiples of."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.divisor = DIVISOR
        self.network = network

    def forward(self, x: Tensor) -> Tensor:  # (N, in_channels, H, W)
        """Return logits (N, num_classes, H, W)."""
        check_size(x, self.divisor)
        logits: Tensor = self.network(x)
        return logits


def load_library() -> ModuleType:
    """Import segmentation-models-pytorch.

    Raises UsageError with the cure where it or torchvision, which its encoders are made of, is
    missing or was built for another torch.
    """
    try:
        importlib.import_module("torchvision")
        return importlib.import_module("segmentation_models_pytorch")
    except ImportError as error:
        raise UsageError(
            f"networks named smp:… need segmentation-models-pytorch and torchvision ({error})",
            cure=extras.install("pretrained"),
        ) from error
    except RuntimeError as error:  # its compiled part does not load
        raise UsageError(
            f"torchvision must be built for the installed torch {torch.__version__}, but: {error}",
            cure="take both from one place, for one kind of machine, such as the CPU builds of "
            "https://download.pytorch.org/whl/cpu",
        ) from error
