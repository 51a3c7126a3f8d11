"""Whether the highest id of masks is no class, but what nobody has labelled: void.

Void lies along the borders of the other classes: in thin bands, as PASCAL VOC has it, or in many
small pieces, as id 11 of CamVid does (161 an image there, where no class has more than 20). A
class of that kind, such as poles, touches few others, or is in few images. What is measured here
only makes a warning: nobody but the user knows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskforge.classes import BACKGROUND
from maskforge.errors import MaskforgeError, Problem
from maskforge.readers.masks import decoding
from maskforge.readers.masks.dataset import Dataset, Example

MASKS = 24
"""Masks that are looked at, from all over the set."""

SIDE = 1024
"""Of larger masks it is the middle that is looked at."""


def find(dataset: Dataset, examples: Sequence[Example]) -> Problem | None:
    """Return the warning that the highest id looks like void, None where it does not.

    Also None where somebody has named the classes. examples: those of ``dataset`` that can be used.
    """
    ids, names = dataset.classes.ids, dataset.classes.names
    named = any(name not in (BACKGROUND, f"class_{i}") for i, name in zip(ids, names, strict=True))
    masks = [example.label for example in examples if example.label.decoding.form == "ids"]
    if named or len(ids) < 3 or len(masks) < 4:
        return None
    count = min(MASKS, len(masks))
    found = _Found(len(ids) - 1)
    for at in range(count):
        try:
            label_image = decoding.read_label(masks[at * len(masks) // count], dataset.classes)
        except MaskforgeError:  # it was readable a moment ago; whoever loads it will say
            continue
        found.look(label_image, dataset.classes.channels.ignore_index)
    if not found.is_void(count):
        return None
    pieces = found.pieces[found.last] / found.seen
    return Problem(
        "label-doubt",
        str(dataset.root),
        f"id {ids[-1]} has no name and lies along the borders of nearly all other classes, in "
        f"{pieces:.0f} pieces an image: it looks like void, and is learnt as a class",
        cure=f"say --ignore {ids[-1]} if it is void, or name the classes with --labels",
        severity="warning",
    )


class _Found:
    """What the looks at masks came to. last: the channel of the highest id.

    seen: masks that show it. pieces: of each channel, in all of them. touched: how many others it
    touches there, of so many ``others``. borders: pixel sides between two classes, and those of
    the last. thin: its pixels in parts less than 5 wide, of its ``pixels``.
    """

    def __init__(self, last: int) -> None:
        self.last = last
        self.pieces: Counter[int] = Counter()
        self.seen = self.touched = self.others = self.pixels = self.thin = 0
        self.borders = self.own_borders = 0

    def look(self, label_image: NDArray[np.generic], ignored: int) -> None:
        """Take in a mask, channels (H, W)."""
        import cv2

        top, left = (max(0, size - SIDE) // 2 for size in label_image.shape)
        whole = label_image[top : top + SIDE, left : left + SIDE]
        present = [int(channel) for channel in np.unique(whole) if int(channel) != ignored]
        if self.last not in present:
            return
        self.seen += 1
        self.others += len(present) - 1
        for channel in present:
            mask = (whole == channel).astype(np.uint8)
            self.pieces[channel] += cv2.connectedComponents(mask, connectivity=8)[0] - 1
        near = cv2.dilate(mask, np.ones((3, 3), np.uint8)) > mask  # of the last: it is the highest
        self.touched += len(set(np.unique(whole[near]).tolist()) - {ignored})
        opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
        self.pixels += int(mask.sum())
        self.thin += int((mask > opened).sum())
        for a, b in ((whole[:, 1:], whole[:, :-1]), (whole[1:], whole[:-1])):
            self.borders += int((a != b).sum())
            self.own_borders += int(((a != b) & ((a == self.last) | (b == self.last))).sum())

    def is_void(self, count: int) -> bool:
        """Return whether that looks like void, in ``count`` masks."""
        if self.seen < 0.8 * count or self.touched < 0.8 * self.others:
            return False
        bands = self.thin >= 0.8 * self.pixels and self.own_borders >= 0.8 * self.borders
        most = max(pieces for channel, pieces in self.pieces.items() if channel != self.last)
        return bands or self.pieces[self.last] >= max(3 * most, 10 * self.seen)
