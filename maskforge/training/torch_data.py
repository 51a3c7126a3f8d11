"""A data set as torch's own loaders take it, for a training loop of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskforge.datasets import Dataset, load
from maskforge.errors import many
from maskforge.prediction.sizes import resize, resize_labels
from maskforge.raster.transform import working_size

Transform: TypeAlias = Callable[[NDArray[np.uint8], NDArray[Any]], tuple[Any, Any]]
"""Takes image (H, W, 3) and label image (H, W), arrays; returns both, arrays or tensors."""


class TorchData(torch.utils.data.Dataset[tuple[Any, Any]]):
    """Image and target of each example; see :meth:`maskforge.Dataset.torch`.

    size: () the full size; (N,) the longer side at most N; (width, height). classes: C of them,
    whose channels targets hold. ignore_index: what they hold where pixels are ignored, for
    ``CrossEntropyLoss(ignore_index=…)``.
    """

    def __init__(
        self,
        dataset: Dataset,
        transform: Transform | None = None,
        size: tuple[int, ...] = (),
    ) -> None:
        self.classes = dataset.classes
        self.ignore_index = dataset.classes.channels.ignore_index
        self._dataset = dataset
        self._transform = transform
        self._size = size

    def __repr__(self) -> str:
        classes = many(len(self.classes), "class", "classes")
        return f"<TorchData: {many(len(self), 'example')}, {classes}>"

    def __len__(self) -> int:
        return len(self._dataset.examples)

    def __getitem__(self, number: int) -> tuple[Any, Any]:
        """Return image and target. Raises ReadError, ClassError."""
        image, label_image = load(self._dataset.examples[number], self._dataset)
        size = working_size((image.shape[0], image.shape[1]), self._size)
        if size != label_image.shape:
            image, label_image = resize(image, size), resize_labels(label_image, size)
        pair: tuple[Any, Any] = (image, label_image)
        if self._transform is not None:
            pair = self._transform(image, label_image)
        return _image(pair[0]), _target(pair[1])


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
