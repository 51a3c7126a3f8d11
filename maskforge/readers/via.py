"""VGG Image Annotator (VIA), all generations: one file describes many images.

Read are VIA 1 and VIA 2 annotations (JSON and CSV), VIA 2 projects and VIA 3 projects.
https://www.robots.ox.ac.uk/~vgg/software/via/ and https://gitlab.com/vgg/via (the formats are
what ``via-1.x.y/via.js``, ``via-2.x.y/src/js/via.js`` and ``via-3.x.y/src/js`` write).

Kept: every image, also one without regions (all background); rect, circle, ellipse with theta,
polygon, polyline, line, point and VIA 3's extreme rectangle and circle; an image embedded in VIA 1
or VIA 3. The class of a region is a value of one attribute, see :mod:`._via_labels`; a region with
several ticked options becomes one region for each of them, at the same place.
Dropped: file attributes, all other region attributes, settings. A video is a problem, not a mask.

Coordinates are not moved: VIA's canvas has pixel (0, 0) covering [0, 1) x [0, 1), as maskforge has.
A polyline is ``line_width`` pixels wide, a point is a disc of radius ``point_size``.
VIA stores neither height nor width: they come from the image.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import msgspec

from maskforge.errors import GeometryError, Problem, ReadError, UsageError
from maskforge.io.digests import Digest
from maskforge.raster.annotation import Annotation, Region
from maskforge.readers import (
    _json,
    _names,
    _via_csv,
    _via_entry,
    _via_json,
    _via_labels,
    _via_project3,
    _via_shapes,
)
from maskforge.readers._via_entry import Entry, Project
from maskforge.readers._via_labels import Labelling

TITLE = "VGG Image Annotator (VIA)"
SUFFIXES = (".json", ".csv")
DEFAULT_OUTPUT = "onehot"
DEFAULT_FILE = None
REGIONS = True
labels = None

_BOM = b"\xef\xbb\xbf"
_ENTRY_FIRST = re.compile(rb'\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\{')


@dataclass(frozen=True)
class Options:
    """What a user can say about a VIA file."""

    attribute: str | None = field(
        default=None,
        metadata={
            "help": "the region attribute that says the class (default: the only one, or the one "
            "called label, name, class, category or type)",
            "metavar": "NAME",
        },
    )
    default_label: str | None = field(
        default=None,
        metadata={
            "help": "the class of regions without a label (default: none; 'object' where no region "
            "of a file has one)",
            "metavar": "NAME",
        },
    )
    line_width: float = field(
        default=10.0, metadata={"help": "width of polylines, in pixels", "metavar": "PIXELS"}
    )
    point_size: float = field(
        default=5.0, metadata={"help": "radius of points, in pixels", "metavar": "PIXELS"}
    )

    def __post_init__(self) -> None:
        """Raise UsageError for a size that is not positive or a name that is blank."""
        for name in ("line_width", "point_size"):
            value = getattr(self, name)
            if not 0 < value < float("inf"):
                raise UsageError(f"{name} must be a positive number of pixels, but got {value}")
        for name in ("attribute", "default_label"):
            value = getattr(self, name)
            if value is not None and not value.strip():
                raise UsageError(f"{name} must be a name, but got {value!r}")


def sniff(path: Path, head: bytes) -> str | None:
    """Return why the beginning of a file looks like VIA, in a few words, or None if it does not.

    ``head``: the first bytes of the file, 64 KiB or fewer, cut anywhere.
    """
    head = head.removeprefix(_BOM).lstrip()
    if not head.startswith(b"{"):
        line = head.partition(b"\n")[0].decode("utf-8", "replace")
        is_csv = _via_csv.is_header(line)
        return "VIA CSV: the header names region_shape_attributes" if is_csv else None
    if _has_key(head, "_via_img_metadata") or _has_key(head, "_via_settings"):
        return "VIA 2 project: it has _via_img_metadata or _via_settings"
    if _has_key(head, "project") and any(
        _has_key(head, key) for key in ("vid_list", "fid_list", "loc_prefix", "anchor_id")
    ):
        return "VIA 3 project: it has a project with files and views"
    if _ENTRY_FIRST.match(head) and _has_key(head, "filename"):
        if _has_key(head, "base64_img_data"):
            return "VIA 1 annotations: the first entry has filename and base64_img_data"
        if _has_key(head, "shape_attributes"):
            return "VIA annotations: the first entry has filename and shape_attributes"
        if _has_key(head, "file_attributes") and _has_key(head, "regions"):
            return "VIA annotations: the first entry has filename, regions and file_attributes"
    return None


def read(path: Path, options: Options) -> Iterator[Annotation | Problem]:
    """Yield what a VIA file says about each of its images, in the file's order.

    A Problem stands for an image that cannot be used: a mask that lacks a region is worse than
    none. Images are looked for beside ``path``; none is opened.

    Raises ReadError when the file as a whole cannot be read, or nothing in it says the class.
    """
    try:
        project = _project(path)
        labelling = _via_labels.choose(
            project, attribute=options.attribute, default=options.default_label
        )
    except ReadError as error:
        error.file = error.file or str(path)
        raise
    decision = [labelling.attribute, dict(labelling.texts), asdict(options)]
    basis = Digest(json.dumps(decision, sort_keys=True).encode())
    if labelling.assumed:
        yield Problem(
            "no-label",
            str(path),
            f"{labelling.assumed}: all become {labelling.default!r}",
            cure="give the class of all of them with --default-label NAME",
            severity="warning",
        )
    for image in project.images:
        if isinstance(image, Problem):
            yield image
            continue
        yield _annotation(image, path, labelling, options, digest=_digest(image, basis.copy()))


def _has_key(head: bytes, key: str) -> bool:
    return re.search(rb'"%b"\s*:' % key.encode(), head) is not None


def _project(path: Path) -> Project:
    file = str(path)
    # The encoding is told once, from the whole file: a part of it may be too short for that.
    data = _json.utf8(_json.read_bytes(path), file=file)
    start = data[:4096].lstrip()
    header = start.partition(b"\n")[0].decode("utf-8", "replace")
    if start[:1] not in (b"{", b"[") and (
        path.suffix.lower() == ".csv" or _via_csv.is_header(header)
    ):
        return _via_csv.read_csv(data.decode(), file=file)
    try:
        document = _json.load(data, dict[str, msgspec.Raw], file=file)
    except ReadError as error:
        if error.code == "bad-field":  # JSON, but no object
            error.code = "wrong-format"
        raise
    if _via_json.METADATA in document:
        return _via_json.read_project(data, file=file)
    if _via_project3.is_project(document):
        return _via_project3.read_project(data, file=file)
    if _via_json.is_annotations(document):
        return _via_json.read_annotations(document, file=file)
    keys = [_names.shorten(key) for key in list(document)[:5]]
    raise ReadError(
        "must be a VIA project or VIA annotations, with a filename and regions for each image, "
        f"but the file has {keys if keys else 'nothing in it'}",
        code="wrong-format",
        cure="VIA's attribute files and its COCO export are not VIA annotations",
    )


def _annotation(
    entry: Entry, path: Path, labelling: Labelling, options: Options, *, digest: str
) -> Annotation | Problem:
    file = str(path)
    try:
        name = _names.image_name(entry.filename)
        regions, warnings = _regions(entry, labelling, options, file=file)
        return Annotation(
            name=name,
            source=path,
            digest=digest,
            regions=regions,
            place=entry.place,
            image=_names.image_path(path.parent, name, references=entry.references),
            embedded=_embedded(entry.embedded, file=str(path)),
            problems=entry.problems + warnings,
            key=entry.key,
        )
    except (ReadError, GeometryError) as error:
        return error.problem(file=file, place=entry.place)


def _regions(
    entry: Entry, labelling: Labelling, options: Options, *, file: str
) -> tuple[tuple[Region, ...], tuple[Problem, ...]]:
    """Return the regions that can be drawn, and what is wrong with the others."""
    regions: list[Region] = []
    problems: list[Problem] = []
    for raw in entry.regions:
        place = entry.prefix + raw.place
        try:
            shape = _json.load(raw.shape, dict[str, object], file=file)
            geometry = _via_shapes.geometry(
                shape, line_width=options.line_width, point_size=options.point_size
            )
        except ReadError as error:
            message = f"the shape cannot be read: a value {error.message}"
            problems.append(Problem("bad-shape", file, message, place))
            continue
        except GeometryError as error:
            problem = error.problem(file=file, place=place)
            is_empty = error.code == "empty-shape"
            problems.append(replace(problem, severity="warning") if is_empty else problem)
            continue
        labels = labelling.labels(raw.attributes)
        if not labels:
            what = "" if labelling.attribute is None else f" in attribute {labelling.attribute!r}"
            problems.append(
                Problem(
                    "no-label",
                    file,
                    f"every region must have a label{what}, but this one has none",
                    place,
                    "give such regions a class with --default-label NAME, or fill it in in VIA",
                )
            )
        regions.extend(Region(label, (geometry,), place=place) for label in labels)
    return tuple(regions), tuple(problems)


def _embedded(raw: msgspec.Raw | None, *, file: str) -> bytes | None:
    """Return the base64 text of the image, without the beginning of a data URL."""
    text = (raw is not None and _json.load(raw, object, file=file)) or ""
    if not isinstance(text, str):
        raise ReadError(f"the embedded image must be text, but got {_via_entry.kind(text)}")
    base64 = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return base64.encode("ascii") or None
    except UnicodeEncodeError as error:
        raise ReadError("the embedded image must be base64, but it is not ASCII") from error


def _digest(entry: Entry, digest: Digest) -> str:
    """Return the hash of all that decides this image's regions, whatever the order of the keys."""
    digest.update(json.dumps(entry.filename).encode())
    for raw in entry.content:
        digest.update(b"\n")
        try:
            digest.update(msgspec.json.encode(msgspec.json.decode(raw), order="sorted"))
        except (msgspec.DecodeError, RecursionError):
            digest.update(raw)  # a number no float can hold, somewhere that nobody reads
    return digest.hexdigest()
