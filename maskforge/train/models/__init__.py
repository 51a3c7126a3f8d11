"""Networks: one file each, and the file's name is what users type.

Each file has ``DIVISOR``, what height and width of an image must be multiples of with the default
options, and ``build(*, in_channels, num_classes, **options)``, which returns a module that turns
images (N, in_channels, H, W) into logits (N, num_classes, H, W). The module's attribute ``divisor``
holds with the options it was built with.
"""

from __future__ import annotations

import inspect
from typing import Any

from torch import nn

from maskforge import plugins
from maskforge.errors import MaskforgeError, UsageError

CONTRACT = ("in_channels", "num_classes")


def build(name: str, *, in_channels: int, num_classes: int, **options: Any) -> nn.Module:
    """Return the network ``name``, such as "unet", "fcn-pyramid" or "smp:unet:resnet18".

    ``options`` are those of the network's own ``build``. Raises UsageError for a name or an option
    that is not known.
    """
    if name.startswith("smp:"):
        parts = name.split(":")
        if len(parts) != 3 or not all(parts):
            raise UsageError(f"the network must be written smp:ARCH:ENCODER, but got {name!r}")
        if named := sorted({"arch", "encoder"} & set(options)):
            raise UsageError(f"ARCH and ENCODER are in the network's name, but {named} are options")
        name, options = "smp", {"arch": parts[1], "encoder": parts[2], **options}
    module = plugins.load("train.models", name)
    known = [key for key in inspect.signature(module.build).parameters if key not in CONTRACT]
    unknown = [key for key in options if key not in known]
    if unknown:
        raise UsageError(
            f"options of network {name!r} are {known}, but got {unknown}",
            cure="options of another network do not hold for this one: give its own, or none",
        )
    try:
        network: nn.Module = module.build(
            in_channels=in_channels, num_classes=num_classes, **options
        )
    except MaskforgeError:  # some are a ValueError too
        raise
    except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:
        raise UsageError(f"network {name!r} cannot be built with {options}: {error}") from error
    return network
