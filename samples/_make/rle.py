"""COCO's run lengths, as numbers and compressed."""

from __future__ import annotations

import numpy as np

from .canvas import Mask


def runs(mask: Mask) -> list[int]:
    """Return the runs of ``mask`` (H, W), column by column and zeros first."""
    flat = np.concatenate([[False], mask.ravel(order="F"), [not mask[-1, -1]]])
    edges = np.flatnonzero(flat[1:] != flat[:-1])
    found: list[int] = np.diff(np.concatenate([[0], edges])).tolist()
    return found


def encode(mask: Mask) -> str:
    """Return the runs of ``mask`` (H, W) as COCO's text.

    Each run but the first three is stored as the difference to the run two before it, in groups
    of five bits, lowest first; bit 5 tells that more follow, and 48 makes it printable.
    """
    text = []
    lengths = runs(mask)
    for index, run in enumerate(lengths):
        value = run - lengths[index - 2] if index > 2 else run
        more = True
        while more:
            bits = value & 0x1F
            value >>= 5
            more = value != (-1 if bits & 0x10 else 0)
            text.append(chr(48 + bits + (0x20 if more else 0)))
    return "".join(text)
