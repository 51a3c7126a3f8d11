"""Networks: one file each, and the file's name is what users type.

Each file has ``DIVISOR``, what height and width of an image must be multiples of with the default
options, and ``build(*, in_channels, num_classes, **options)``, which returns a module that turns
images (N, in_channels, H, W) into logits (N, num_classes, H, W). The module's attribute ``divisor``
holds with the options it was built with.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from torch import nn

from maskforge import plugins
from maskforge.errors import MaskforgeError, UsageError

CONTRACT = ("in_channels", "num_classes")


def check(name: str, options: Mapping[str, Any]) -> None:
    """Raise UsageError for a network, or an option of it, that is not known; nothing is built."""
    module, _ = _chosen(name, options)
    if name.startswith("smp:"):
        module.load_library()


def build(name: str, *, in_channels: int, num_classes: int, **options: Any) -> nn.Module:
    """Return the network ``name``, such as "unet", "fcn-pyramid" or "smp:unet:resnet18".

    ``options`` are those of the network's own ``build``. Raises UsageError for a name or an option
    that is not known.
    """
    module, given = _chosen(name, options)
    try:
        network: nn.Module = module.build(in_channels=in_channels, num_classes=num_classes, **given)
    except MaskforgeError:  # some are a ValueError too
        raise
    except (TypeError, ValueError, ArithmeticError, RuntimeError) as error:
        raise UsageError(f"network {name!r} cannot be built with {given}: {error}") from error
    return network


def _chosen(name: str, options: Mapping[str, Any]) -> tuple[ModuleType, dict[str, Any]]:
    """Return the file of the network and all options of its ``build``. Raises UsageError."""
    given = dict(options)
    if name.startswith("smp:"):
        parts = name.split(":")
        if len(parts) != 3 or not all(parts):
            raise UsageError(f"the network must be written smp:ARCH:ENCODER, but got {name!r}")
        if named := sorted({"arch", "encoder"} & set(given)):
            raise UsageError(f"ARCH and ENCODER are in the network's name, but {named} are options")
        name, given = "smp", {"arch": parts[1], "encoder": parts[2], **given}
    module = plugins.load("training.models", name)
    known = [key for key in inspect.signature(module.build).parameters if key not in CONTRACT]
    unknown = [key for key in given if key not in known]
    if unknown:
        raise UsageError(
            f"options of network {name!r} are {known}, but got {unknown}",
            cure="options of another network do not hold for this one: give its own, or none",
        )
    return module, given
