"""What a user does to photographs and annotations between two commands."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

from history_law import Known, digest, name_in, way_of
from history_makers import LABELS
from history_project import Project
from PIL import Image

PHOTOS = (".jpg", ".png", ".bmp")


def remove_photo(project: Project, known: Known) -> str | None:
    name = project.one(photos(project))
    if name is None:
        return None
    project.remove(name)
    return f"rm '{name}'"


def replace_photo(project: Project, known: Known) -> str | None:
    name = project.one(photos(project))
    if name is None:
        return None
    size = size_of(project.mine[name])
    in_place = project.rng.random() < 0.3
    project.write(name, project.picture(*size, Path(name).suffix), in_place=in_place)
    return f"another picture over '{name}'" + (", in place" if in_place else "")


def turn_photo(project: Project, known: Known) -> str | None:
    """Change the EXIF orientation and nothing else, at the same size, as tools do in place."""
    name = project.one([n for n in photos(project) if n.endswith(".jpg")])
    if name is None:
        return None
    data = bytes(project.mine[name])
    at = data.find(b"\x12\x01\x03\x00\x01\x00\x00\x00")  # the tag, little-endian, one short
    big = data.find(b"\x01\x12\x00\x03\x00\x00\x00\x01")
    if at < 0 and big < 0:
        return None
    place = at + 8 if at >= 0 else big + 9
    turned = bytearray(data)
    turned[place] = 3 if turned[place] == 1 else 1
    project.write(name, bytes(turned), in_place=project.rng.random() < 0.5)
    return f"exiftool -Orientation#={turned[place]} '{name}'"


def rename_photo(project: Project, known: Known) -> str | None:
    name = project.one(photos(project))
    if name is None:
        return None
    new = str(Path(name).with_name(f"renamed-{project.rng.randrange(100)}{Path(name).suffix}"))
    if os.path.lexists(project.cwd / new):
        return None
    project.rename(name, new)
    return f"mv '{name}' '{new}'"


def move_photo_to_an_output(project: Project, known: Known) -> str | None:
    """Put a photograph where the copy of it lies, or lay."""
    places = [way_of(project, o, n) for o in known.values() for n in o.images]
    name = project.one(photos(project))
    target = project.one(places)
    if name is None or target is None or not (project.cwd / target).parent.is_dir():
        return None
    if (project.cwd / target).is_dir() or (project.cwd / target).is_symlink():
        return None
    data = bytes(project.mine[name])
    project.write(target, data)
    project.remove(name)
    if any(digest(data) in o.placed.get(name_in(project, o, target), ()) for o in known.values()):
        del project.mine[target]  # nobody can tell it from the copy; it is the only one now
    return f"mv '{name}' '{target}'"


def remove_annotation(project: Project, known: Known) -> str | None:
    name = project.one(_annotations(project))
    if name is None:
        return None
    project.remove(name)
    return f"rm '{name}'"


def damage_annotation(project: Project, known: Known) -> str | None:
    name = project.one([*_annotations(project), *_collections(project)])
    if name is None:
        return None
    data = bytes(project.mine[name])
    project.write(name, data[: project.rng.randrange(len(data))])
    return f"truncate '{name}'"


def _document(project: Project, name: str) -> Any:
    """Return what a JSON file holds, None for one that is damaged."""
    try:
        return json.loads(bytes(project.mine[name]))
    except ValueError:
        return None


def change_annotation(project: Project, known: Known) -> str | None:
    name = project.one(_annotations(project))
    if name is None:
        return None
    document = _document(project, name)
    if document is None:
        return None
    labels = ("zebra",) if project.rng.random() < 0.15 else LABELS
    size = (document["imageHeight"], document["imageWidth"])
    document["shapes"] = [
        {"label": label, "points": [[x, y], [x + w, y + h]], "shape_type": "rectangle"}
        for label, x, y, w, h in project.shapes(size, labels)
    ]
    project.write(name, json.dumps(document).encode())
    return f"other shapes in '{name}'"


def add_annotation(project: Project, known: Known) -> str | None:
    folder = "photos" if "photos" in project.sources else "."
    stem = project.rng.choice("efgh")
    way = "" if folder == "." else f"{folder}/"
    if any(os.path.lexists(project.cwd / f"{way}{stem}{s}") for s in (".json", *PHOTOS)):
        return None
    data = project.photo(".png")
    project.write(f"{way}{stem}.png", data)
    project.write(f"{way}{stem}.json", project.labelme(data, f"{stem}.png"))
    return f"'{way}{stem}.png' and '{way}{stem}.json' are new"


def change_collection(project: Project, known: Known) -> str | None:
    """Take an image out of a VIA or OCHuman file, or draw in it anew."""
    name = project.one(_collections(project))
    if name is None:
        return None
    document = _document(project, name)
    if document is None:
        return None
    entries = document.get("images", document)
    if len(entries) < 2:
        return None
    chosen = project.rng.choice(range(len(entries)))
    what = "one image less in"
    if isinstance(entries, list):
        entries.pop(chosen)
    elif project.rng.random() < 0.5:
        entries.pop(list(entries)[chosen])
    else:
        what = "another label in"
        for region in entries[list(entries)[chosen]]["regions"]:
            region["region_attributes"]["class"] = project.rng.choice(LABELS)
    project.write(name, json.dumps(document).encode())
    return f"{what} '{name}'"


def photos(project: Project) -> list[str]:
    kinds = (b"\xff\xd8", b"\x89PNG", b"BM")  # a text may be called .jpg, too
    places = ("photos/", "images/", "via-", "x.", "y.", "z.")
    return [
        name
        for name, data in project.mine.items()
        if isinstance(data, bytes) and data.startswith(kinds) and name.startswith(places)
    ]


def _annotations(project: Project) -> list[str]:
    return [
        name
        for name, data in project.mine.items()
        if name.endswith(".json") and isinstance(data, bytes) and b'"shapes"' in data
    ]


def _collections(project: Project) -> list[str]:
    return [name for name in ("seg.json", "ochuman.json") if name in project.mine]


def size_of(data: Any) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as image:
        return image.size[1], image.size[0]
