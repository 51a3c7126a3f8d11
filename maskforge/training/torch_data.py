"""A data set as torch's own loaders take it, for a training loop of one's own."""

from __future__ import annotations

from collections.abc import Callable
from operator import index
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskforge.datasets import Dataset, load
from maskforge.errors import UsageError
from maskforge.prediction.sizes import resize, resize_labels

Transform: TypeAlias = Callable[[NDArray[np.uint8], NDArray[Any]], tuple[Any, Any]]
"""Takes image (H, W, 3) and label image (H, W), arrays; returns both, arrays or tensors."""


class TorchData(torch.utils.data.Dataset[tuple[Any, Any]]):
    """Image and target of each example; see :meth:`maskforge.Dataset.torch`.

    classes: C of them, whose channels targets hold. ignore_index: what they hold where pixels are
    ignored, for ``CrossEntropyLoss(ignore_index=…)``.
    """

    def __init__(
        self,
        dataset: Dataset,
        transform: Transform | None = None,
        size: int | tuple[int, int] | None = None,
    ) -> None:
        self.classes = dataset.classes
        self.ignore_index = dataset.classes.channels.ignore_index
        self._dataset = dataset
        self._transform = transform
        self._size = _height_width(size)

    def __len__(self) -> int:
        return len(self._dataset.examples)

    def __getitem__(self, number: int) -> tuple[Any, Any]:
        """Return image and target. Raises ReadError, ClassError."""
        image, label_image = load(self._dataset.examples[number], self._dataset)
        if self._size is not None:
            image, label_image = resize(image, self._size), resize_labels(label_image, self._size)
        pair: tuple[Any, Any] = (image, label_image)
        if self._transform is not None:
            pair = self._transform(image, label_image)
        return _image(pair[0]), _target(pair[1])


def _height_width(size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    try:
        width, height = map(index, (size, size) if isinstance(size, int) else size)
    except (TypeError, ValueError):
        width = height = 0
    if min(width, height) < 1:
        raise UsageError(f"size must be (width, height) in pixels, or one number, not {size!r}")
    return height, width


def _image(image: Any) -> Any:
    """Return the tensor of an array (H, W, 3): bytes come to 0 … 1."""
    if isinstance(image, Tensor):
        return image
    array = np.ascontiguousarray(np.moveaxis(image, -1, 0))
    tensor = torch.from_numpy(array).float()
    return tensor / 255 if array.dtype == np.uint8 else tensor


def _target(label_image: Any) -> Any:
    if isinstance(label_image, Tensor):
        return label_image
    return torch.from_numpy(np.ascontiguousarray(label_image, dtype=np.int64))
