"""OCHuman's COCO style files: people of a COCO file, and who of them may be chosen."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from maskforge.errors import Problem, ReadError
from maskforge.readers import _coco, _segmentation
from maskforge.readers._coco import Entry
from maskforge.readers._ochuman_image import Person, Record
from maskforge.readers._segmentation import is_nothing


def records(path: Path, *, split: str | None) -> Iterator[Record | Problem]:
    """Yield what the file says about each image, a Problem where that cannot be made out."""
    index = _coco.index(path)
    yield from index.problems
    for entry in index.entries():
        try:
            yield _record(entry, split)
        except ReadError as error:
            yield error.problem(file=str(path))


def _record(entry: Entry, split: str | None) -> Record:
    file = str(entry.text.path)
    image, items, digest = entry.load()
    height, width = entry.size(image)
    people = []
    for place, label, item in items:
        shape = None
        if not is_nothing(item.segmentation):
            here = f"{place}.segmentation"
            shape = partial(
                _segmentation.shape, item.segmentation, height, width, file=file, place=here
            )
        if item.num_keypoints is None:
            keypoints = not is_nothing(item.keypoints)
        else:
            keypoints = item.num_keypoints > 0
        name = "person" if label == _coco.NO_CATEGORY else label  # all that OCHuman has
        people.append(Person(place, name, shape, _coco.is_crowd(item), keypoints))
    return Record(entry.place, image.file_name, height, width, digest, people, split)
