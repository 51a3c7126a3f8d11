"""torchvision for tests, beside a torch that its compiled part was not built for.

Where torch is a CPU build, the wheel of the index does not load its compiled part, and importing
torchvision fails on the two operators that it says something about in Python. Nothing here needs
them: declared, they leave its data sets and the layers of its networks.
"""

from __future__ import annotations

import importlib
import importlib.util

_OPERATORS = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


def declare() -> None:
    """Have ``import torchvision`` succeed, where it is installed."""
    if not all(importlib.util.find_spec(name) for name in ("torch", "torchvision")):
        return
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
        import torch

        for name, schema in _OPERATORS.items():
            torch.library.define(f"torchvision::{name}", schema)
        importlib.import_module("torchvision")
