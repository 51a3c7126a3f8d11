"""Inference on images of any size. Needs no torch: the network is a function.

predictor = network_predictor(Path("best.pt"))     # of torch_network or onnx_network
[probabilities] = predictor.probabilities([image])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from maskforge.classes import ClassTable
from maskforge.prediction.config import Config
from maskforge.prediction.sizes import Image, LabelImage, Size, groups, pad, resize
from maskforge.prediction.tiles import Mosaic, Tile, cut
from maskforge.raster.transform import working_size

Forward: TypeAlias = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Images (N, H, W, 3) uint8 in RGB, whose sides are multiples of the divisor, to the probability
of each class, (N, C, H, W)."""

WHOLE = 2**21
"""Images of more pixels than this, at the size the network works at, are cut into tiles."""

TILE = 1024


@dataclass(frozen=True, slots=True)
class Predictor:
    """A network and how it looks at an image.

    size: as in the settings. tile: side of the tiles in
    pixels; 0: only what is too large for one piece is cut, into tiles of :data:`TILE`. overlap:
    fraction of a tile. flip: average with the mirrored image. batch: images or tiles at once.
    config: the settings of the training. data: the fingerprint of what it was trained on. digest:
    of the network's file, "" where it is in none.
    """

    forward: Forward = field(repr=False)
    classes: ClassTable
    divisor: int
    size: tuple[int, ...]
    tile: int = 0
    overlap: float = 0.25
    flip: bool = False
    batch: int = 8
    config: Config = field(default_factory=Config, repr=False)
    data: str = ""
    digest: str = ""

    @property
    def identity(self) -> tuple[object, ...]:
        """All that bears on what it predicts, as JSON: equal predictors say the same."""
        view = (self.size, self.tile, self.overlap, self.flip)
        return (self.digest, self.classes.to_text(), *view)

    def probabilities(self, images: Sequence[Image]) -> list[NDArray[np.float32]]:
        """Return the probability of each class, (C, H, W), for images (H, W, 3) uint8 in RGB."""
        full: list[Size] = [(image.shape[0], image.shape[1]) for image in images]
        work = [
            resize(image, working_size(size, self.size), self.config.interpolation)
            for image, size in zip(images, full, strict=True)
        ]
        pieces = [(at, tile) for at, image in enumerate(work) for tile in self._tiles(image)]
        mosaics: dict[int, Mosaic] = {}
        sizes = [(tile.bottom - tile.top, tile.right - tile.left) for _, tile in pieces]
        for group in groups(sizes, divisor=self.divisor, batch=self.batch):
            cuts = [_piece(work[pieces[n][0]], pieces[n][1]) for n in group]
            found = self._forward(np.stack([pad(c, self.divisor, 0) for c in cuts]))
            for number, values in zip(group, found, strict=True):
                at, tile = pieces[number]
                height, width = work[at].shape[:2]
                mosaic = mosaics.setdefault(at, Mosaic(len(values), height, width))
                mosaic.add(tile, values[:, : sizes[number][0], : sizes[number][1]])
        return [_enlarged(mosaics.pop(at).result(), full[at]) for at in range(len(images))]

    def label_images(self, images: Sequence[Image]) -> list[LabelImage]:
        """Return the label images (H, W) of the most probable classes, by channel."""
        return [self.decide(values) for values in self.probabilities(images)]

    def decide(self, probabilities: NDArray[np.float32]) -> LabelImage:
        """Return the label image, by channel, of ``probabilities`` (C, H, W)."""
        ids: LabelImage = probabilities.argmax(axis=0).astype(self.classes.channels.dtype)
        return ids

    def _tiles(self, image: Image) -> list[Tile]:
        height, width = image.shape[:2]
        if not self.tile and height * width <= WHOLE:
            return [Tile(0, 0, height, width)]
        return cut(height, width, tile=self.tile or TILE, overlap=self.overlap)

    def _forward(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        found = self.forward(images)
        if not self.flip:
            return found
        mirrored = self.forward(np.ascontiguousarray(images[:, :, ::-1]))
        mean: NDArray[np.float32] = (found + mirrored[:, :, :, ::-1]) * np.float32(0.5)
        return mean


def _piece(image: Image, tile: Tile) -> Image:
    return image[tile.top : tile.bottom, tile.left : tile.right]


def _enlarged(values: NDArray[np.float32], size: Size) -> NDArray[np.float32]:
    """Return ``values`` (C, h, w) at ``size`` (height, width), bilinear."""
    if values.shape[1:] == size:
        return values
    enlarged = np.empty((len(values), *size), dtype=np.float32)
    for channel, target in zip(values, enlarged, strict=True):
        cv2.resize(channel, size[::-1], dst=target, interpolation=cv2.INTER_LINEAR)
    return enlarged
