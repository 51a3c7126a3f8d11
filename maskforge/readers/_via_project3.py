"""VIA 3 projects: files, views of files, and metadata that says something about a view.

A metadata entry with ``xy`` is a region of the one file in its view; without ``xy`` and ``z`` it
describes the file, and is dropped; with ``z`` it is a moment or a stretch of a video or audio.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from maskforge.errors import Problem, ReadError
from maskforge.readers import _json
from maskforge.readers._names import shorten
from maskforge.readers._via_entry import (
    ABSENT,
    Entry,
    Project,
    RawRegion,
    kind,
    place_of,
    problem_at,
)
from maskforge.readers._via_json import member, option_texts

_CHECKBOX, _IMAGE_CHOICE = 2, 5
_VIDEO, _AUDIO = 4, 8
_INLINE = 4
_FIELDS: dict[object, tuple[str, tuple[str, ...]]] = {
    1: ("point", ("cx", "cy")),
    2: ("rect", ("x", "y", "width", "height")),
    3: ("circle", ("cx", "cy", "r")),
    4: ("ellipse", ("cx", "cy", "rx", "ry")),
}
_VERTICES: dict[object, str] = {
    5: "line",
    6: "polyline",
    7: "polygon",
    8: "extreme_rect",
    9: "extreme_circle",
}


class _Attribute(msgspec.Struct):
    aname: str = ""
    anchor_id: str = ""
    type: object = None
    options: object = None

    def texts(self) -> dict[str, str]:
        """Return {option id: text}; the options of an image choice are pictures, not words."""
        return {} if self.type == _IMAGE_CHOICE else option_texts(self.options)

    def value(self, value: object) -> object:
        """Return ``value`` as VIA 2 would hold it: VIA 3 joins ticked option ids with commas."""
        return value.split(",") if self.type == _CHECKBOX and isinstance(value, str) else value


class _File(msgspec.Struct):
    fname: str
    type: object = None
    loc: object = None
    src: msgspec.Raw = ABSENT


class _View(msgspec.Struct):
    fid_list: list[str | int]


class _Metadata(msgspec.Struct):
    vid: str | int
    xy: msgspec.Raw
    z: list[object] | None = None
    av: dict[str, object] | None = None


class _Project(msgspec.Struct):
    file: dict[str, msgspec.Raw]
    view: dict[str, _View]
    metadata: dict[str, msgspec.Raw]
    attribute: dict[str, _Attribute] = msgspec.field(default_factory=dict)
    config: object = None


def is_project(document: Mapping[str, msgspec.Raw]) -> bool:
    """Tell whether ``document`` is a VIA 3 project."""
    return document.keys() >= {"file", "view", "metadata"}


def read_project(data: bytes, *, file: str) -> Project:
    """Return the images of a VIA 3 project; a video, or metadata of nothing, is a Problem.

    Raises ReadError when a part of the file that concerns all images has the wrong type.
    """
    project = _json.load(data, _Project, file=file)
    of_file: dict[str, dict[str, msgspec.Raw]] = {key: {} for key in project.file}
    images: list[Entry | Problem] = []
    lost: list[Entry | Problem] = []
    for key, raw in project.metadata.items():
        try:
            for file_id in _files_of(raw, project, file=file):
                of_file[file_id][key] = raw
        except ReadError as error:
            lost.append(problem_at(error, place_of("metadata", key), file=file))
    for key, raw in project.file.items():
        place = place_of("file", key)
        try:
            images.append(_entry(raw, of_file[key], project, place=place, file=file))
        except ReadError as error:
            # A problem of a region has its whole place already.
            where = "" if error.place.startswith("metadata[") else place
            images.append(problem_at(error, where, file=file))
    declared = {
        attribute.aname or key: attribute.texts()
        for key, attribute in project.attribute.items()
        if not attribute.anchor_id or attribute.anchor_id.endswith("XY1")
    }
    return Project(images + lost, declared)


def _files_of(raw: msgspec.Raw, project: _Project, *, file: str) -> tuple[str, ...]:
    """Return the file that metadata belongs to; none for what is said about several together."""
    metadata = _json.load(raw, _Metadata, file=file)
    view = project.view.get(str(metadata.vid))
    if view is None:
        raise ReadError(f"must name a view, but got {kind(metadata.vid)}", place="vid")
    file_ids = tuple(str(file_id) for file_id in view.fid_list)
    if len(file_ids) == 1 and file_ids[0] in project.file:
        return file_ids
    if len(file_ids) > 1 and not _xy(metadata.xy, file=file):
        return ()
    raise ReadError(
        "a region must be in a view of exactly one file, but its view has "
        f"{shorten(repr(list(file_ids)))}"
    )


def _entry(
    raw: msgspec.Raw,
    metadata: Mapping[str, msgspec.Raw],
    project: _Project,
    *,
    place: str,
    file: str,
) -> Entry:
    fields = _json.load(raw, _File, file=file)
    regions, is_timed = _regions(metadata, project.attribute, file=file)
    if fields.type in (_VIDEO, _AUDIO) or is_timed:
        raise ReadError(
            f"must be an image, but {shorten(fields.fname)} is a video or audio: "
            "its regions and segments belong to moments in time",
            code="no-mask",
            cure="save the frames as images and annotate those",
        )
    is_inline = fields.loc == _INLINE or bytes(memoryview(fields.src)[:6]) == b'"data:'
    references: list[str] = []
    if not is_inline:
        source = _json.load(fields.src, object, file=file)
        source = source if isinstance(source, str) else ""
        prefixes = member(member(project.config, "file"), "loc_prefix")
        prefix = member(prefixes, str(fields.loc))
        prefixed = prefix + source if isinstance(prefix, str) else source
        references = [prefixed, source, fields.fname]
    return Entry(
        filename=fields.fname,
        place=place,
        prefix="",
        regions=tuple(regions),
        content=(raw, *metadata.values()),
        references=tuple(dict.fromkeys(text for text in references if text)),
        embedded=fields.src if is_inline else None,
    )


def _regions(
    metadata: Mapping[str, msgspec.Raw], attributes: Mapping[str, _Attribute], *, file: str
) -> tuple[list[RawRegion], bool]:
    """Return the regions, and whether anything is said about a moment in time."""
    regions: list[RawRegion] = []
    is_timed = False
    for key, raw in metadata.items():
        place = place_of("metadata", key)
        try:
            item = _json.load(raw, _Metadata, file=file)
            xy = _xy(item.xy, file=file)
            is_timed = is_timed or bool(item.z)
            if xy:
                shape = msgspec.Raw(msgspec.json.encode(_shape(xy)))
                regions.append(RawRegion(place, shape, _named(item.av or {}, attributes)))
        except ReadError as error:
            error.place = problem_at(error, place, file=file).place
            raise
    return regions, is_timed


def _xy(raw: msgspec.Raw, *, file: str) -> list[object]:
    try:
        return _json.load(raw, list[object], file=file)
    except ReadError as error:
        message = f"must be an array of numbers: it {error.message}"
        raise ReadError(message, code="bad-shape", place=f"xy{error.place}") from error


def _named(values: Mapping[str, object], attributes: Mapping[str, _Attribute]) -> dict[str, object]:
    named: dict[str, object] = {}
    for key, value in values.items():
        attribute = attributes.get(key, _Attribute())
        named[attribute.aname or key] = attribute.value(value)
    return named


def _shape(xy: list[object]) -> dict[str, object]:
    """Return [shape id, numbers...] with the field names of VIA 2."""
    shape_id, numbers = xy[0], xy[1:]
    if isinstance(shape_id, int) and shape_id in _FIELDS:
        name, fields = _FIELDS[shape_id]
        if len(numbers) == len(fields):
            return {"name": name, **dict(zip(fields, numbers, strict=True))}
        raise ReadError(
            f"a {name} must have {len(fields)} numbers, but got {len(numbers)}",
            code="bad-shape",
            place="xy",
        )
    if isinstance(shape_id, int) and shape_id in _VERTICES:
        name = _VERTICES[shape_id]
        return {"name": name, "all_points_x": numbers[0::2], "all_points_y": numbers[1::2]}
    raise ReadError(
        f"the shape id must be 1 to 9, but got {kind(shape_id)}", code="bad-shape", place="xy[0]"
    )
