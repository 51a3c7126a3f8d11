"""VIA 1 and VIA 2 JSON: the saved annotations, and the project that holds them.

An image's entry is the same in both but for ``regions``: an object "0", "1", ... in VIA 1, an
array in VIA 2. Either is read anywhere, because files are edited and merged by scripts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from maskforge.errors import Problem, ReadError
from maskforge.readers import _json
from maskforge.readers._names import shorten
from maskforge.readers._via_entry import ABSENT, Entry, Project, RawRegion, place_of, problem_at

METADATA = "_via_img_metadata"


class _Region(msgspec.Struct):
    shape_attributes: msgspec.Raw
    region_attributes: dict[str, object] | None = None


class _Image(msgspec.Struct):
    filename: str
    regions: dict[str, _Region] | list[_Region]
    fileref: str | None = None
    base64_img_data: msgspec.Raw = ABSENT


class _Sign(msgspec.Struct):
    """What tells an image's entry from an entry of another format, right or wrong in itself."""

    filename: msgspec.Raw
    regions: msgspec.Raw = ABSENT
    size: msgspec.Raw = ABSENT


class _Project(msgspec.Struct):
    images: dict[str, msgspec.Raw] = msgspec.field(name=METADATA)
    settings: object = msgspec.field(name="_via_settings", default=None)
    attributes: object = msgspec.field(name="_via_attributes", default=None)
    order: object = msgspec.field(name="_via_image_id_list", default=None)


def is_annotations(document: Mapping[str, msgspec.Raw]) -> bool:
    """Tell whether ``document`` holds at least one image as VIA 1 and VIA 2 write it."""
    for value in document.values():
        try:
            sign = msgspec.json.decode(value, type=_Sign)
        except (msgspec.DecodeError, RecursionError):
            continue  # not an image; the next one may be
        if sign.regions is not ABSENT or sign.size is not ABSENT:
            return True
    return False


def read_project(data: bytes, *, file: str) -> Project:
    """Return the images of a VIA 2 project, in the order in which VIA shows them.

    Raises ReadError when a part of the file that concerns all images has the wrong type.
    """
    project = _json.load(data, _Project, file=file)
    order = project.order if isinstance(project.order, list) else []
    listed = [key for key in order if isinstance(key, str) and key in project.images]
    keys = dict.fromkeys(listed + list(project.images))
    folder = member(member(project.settings, "core"), "default_filepath")
    folder = folder if isinstance(folder, str) else ""
    entries = {key: project.images[key] for key in keys}
    images = _Images(entries, METADATA, file, folder)
    return Project(images, _declared(member(project.attributes, "region")))


def read_annotations(document: Mapping[str, msgspec.Raw], *, file: str) -> Project:
    """Return the images of VIA 1's or VIA 2's saved annotations."""
    return Project(_Images(document, "", file))


@dataclass(frozen=True, slots=True)
class _Images:
    """The images of a file, each decoded when its turn comes: memory holds one at a time."""

    entries: Mapping[str, msgspec.Raw]
    where: str
    file: str
    folder: str = ""

    def __iter__(self) -> Iterator[Entry | Problem]:
        for key, value in self.entries.items():
            yield _entry(key, value, self.where, file=self.file, folder=self.folder)


def member(value: object, key: str) -> object:
    """Return what the JSON object ``value`` has under ``key``; None if it has not or is none."""
    return value.get(key) if isinstance(value, dict) else None


def option_texts(options: object) -> dict[str, str]:
    """Return {option id: display text}, without what is not text."""
    if not isinstance(options, dict):
        return {}
    return {key: text for key, text in options.items() if isinstance(text, str)}


def _declared(attributes: object) -> dict[str, dict[str, str]]:
    if not isinstance(attributes, dict):
        return {}
    return {
        # The options of type "image" map to pictures; their ids are the only words there are.
        name: {} if member(item, "type") == "image" else option_texts(member(item, "options"))
        for name, item in attributes.items()
    }


def _entry(key: str, value: msgspec.Raw, where: str, *, file: str, folder: str) -> Entry | Problem:
    place = place_of(where, key)
    try:
        image = _json.load(value, _Image, file=file)
    except ReadError as error:
        return problem_at(error, place, file=file)
    in_folder = f"{folder}/{image.filename}" if folder else ""
    references = (in_folder, image.fileref or "", image.filename)
    return Entry(
        filename=image.filename,
        place=place,
        prefix=f"{place}.",
        regions=_regions(image.regions),
        content=(value,),
        references=tuple(reference for reference in references if reference),
        embedded=image.base64_img_data,
        key=key,
    )


def _regions(regions: dict[str, _Region] | list[_Region]) -> tuple[RawRegion, ...]:
    if isinstance(regions, list):
        numbered = [(str(index), region) for index, region in enumerate(regions)]
    else:
        numbered = [
            (key if key.isdecimal() else f'"{shorten(key)}"', region)
            for key, region in regions.items()
        ]
    return tuple(
        RawRegion(f"regions[{index}]", region.shape_attributes, region.region_attributes or {})
        for index, region in numbered
    )
