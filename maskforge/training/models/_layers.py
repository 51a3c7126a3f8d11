"""What every network here has: the check of the input's size, and the start of its weights."""

from __future__ import annotations

from torch import Tensor, nn


def check_size(x: Tensor, divisor: int) -> None:
    """Raise ValueError, naming the size to pad to, unless ``divisor`` divides height and width."""
    height, width = x.shape[-2:]
    if height % divisor or width % divisor:
        up = [-(-size // divisor) * divisor for size in (height, width)]
        raise ValueError(
            f"height and width must be multiples of {divisor}, but got {height} x {width}; "
            f"pad the image to {up[0]} x {up[1]}"
        )


def start_weights(network: nn.Module) -> None:
    """Set all convolutions to He's normal start (https://arxiv.org/abs/1502.01852), biases to 0.

    Those that have no memory yet are left: they are about to get weights of a file, and torch would
    take more than a second for loading what draws numbers that are none.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and not layer.weight.is_meta:
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
