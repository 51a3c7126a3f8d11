"""Drinks on a table as VIA 1, 2 and 3 write them."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path
from typing import Any

from . import drinks
from .canvas import Scene, Thing
from .files import jpeg, put, put_json
from .trace import rings

NAMES = {"1": "bottle", "2": "can", "3": "juice"}
Entry = dict[str, Any]


def write(folder: Path, *, count: int = 60) -> None:
    """Write the train and the test project as in the book, and the other files VIA writes."""
    split: dict[str, list[Entry]] = {"train": [], "test": []}
    for number in range(count):
        stage = drinks.scene(number)
        entry = _entry(folder, f"drinks_{number:03d}.jpg", stage, attribute="Name")
        split["test" if number % 5 == 4 else "train"].append(entry)
    for name, entries in split.items():
        attributes = {"Name": {"type": "text", "description": "", "default_value": ""}}
        project = _project(f"segmentation_{name}", entries, attributes)
        put_json(folder / f"segmentation_{name}.json", project, indent=None)
    _write_variants(folder / "variants")


def _write_variants(folder: Path) -> None:
    scenes = {"a": 100, "b": 101, "c": 104, "d": 106, "empty": 11}
    *tables, empty = [
        _entry(folder, f"table_{letter}.jpg", drinks.scene(n), attribute="name", named=True)
        for letter, n in scenes.items()
    ]
    meals = [_entry(folder, f"breakfast_{letter}.jpg", drinks.breakfast(number), attribute="type")
             for number, letter in enumerate("abc")]  # fmt: skip
    put_json(folder / "via_1x.json", _keyed([_version_1(e) for e in tables]), indent=None)
    put(folder / "via_region_data.csv", _table([*tables, empty]).encode())
    put_json(folder / "via3_project.json", _version_3([*tables, empty]), indent=None)
    # A dropdown that was a checkbox before keeps the old kind of value.
    plate = meals[0]["regions"][1]["region_attributes"]
    plate["type"] = {plate["type"]: True}
    both = [_renamed(tables[0], "type"), *meals]
    put_json(folder / "via_shapes.json", _keyed(both), indent=None)


def _entry(folder: Path, name: str, stage: Scene, *, attribute: str, named: bool = False) -> Entry:
    """Write the picture; return its record as VIA 2 keeps it."""
    content = jpeg(stage.render(random.Random(f"via {name}")))
    put(folder / name, content)
    regions = []
    for thing in stage.things:
        label = NAMES[thing.label] if named else thing.label
        regions += [{"shape_attributes": shape, "region_attributes": {attribute: label}}
                    for shape in _shapes(thing)]  # fmt: skip
    return {"filename": name, "size": len(content), "regions": regions, "file_attributes": {}}


def _shapes(thing: Thing) -> list[Entry]:
    """Return shape_attributes in whole pixels, as VIA rounds the mouse."""
    at = [(round(x), round(y)) for x, y in thing.points]
    if thing.shape == "polygon":
        return [_line("polygon", _whole(ring)) for ring in rings(thing.mask)[0]]
    if thing.shape == "polyline":
        return [_line("polyline", at)]
    if thing.shape == "rect":
        (x1, y1), (x2, y2) = at
        return [{"name": "rect", "x": x1, "y": y1, "width": x2 - x1, "height": y2 - y1}]
    center = {"name": thing.shape, "cx": at[0][0], "cy": at[0][1]}
    if thing.shape == "circle":
        return [center | {"r": at[1][0] - at[0][0]}]
    if thing.shape == "ellipse":
        return [center | {"rx": at[1][0], "ry": at[1][1], "theta": thing.points[2][0]}]
    return [center]


def _line(name: str, points: list[tuple[int, int]]) -> Entry:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return {"name": name, "all_points_x": xs, "all_points_y": ys}


def _whole(ring: list[tuple[float, float]]) -> list[tuple[int, int]]:
    """Round to whole pixels; drop what then repeats or lies straight between its neighbours."""
    points = [(round(x), round(y)) for x, y in ring]
    index = 0
    while index < len(points) and len(points) > 3:
        (ax, ay), (bx, by) = points[index - 1], points[index]
        cx, cy = points[(index + 1) % len(points)]
        if (bx - ax) * (cy - ay) == (by - ay) * (cx - ax):
            del points[index]
            index = max(0, index - 1)
        else:
            index += 1
    return points


def _keyed(entries: list[Entry]) -> Entry:
    return {f"{entry['filename']}{entry['size']}": entry for entry in entries}


def _renamed(entry: Entry, attribute: str) -> Entry:
    regions = [region | {"region_attributes": {attribute: region["region_attributes"]["name"]}}
               for region in entry["regions"]]  # fmt: skip
    return entry | {"regions": regions}


def _project(name: str, entries: list[Entry], attributes: Entry) -> Entry:
    image = {"region_label": "__via_region_id__", "region_color": "__via_default_region_color__",
             "region_label_font": "10px Sans",
             "on_image_annotation_editor_placement": "NEAR_REGION"}  # fmt: skip
    grid = {"img_height": 80, "rshape_fill": "none", "rshape_fill_opacity": 0.3,
            "rshape_stroke": "yellow", "rshape_stroke_width": 2, "show_region_shape": True,
            "show_image_policy": "all"}  # fmt: skip
    return {
        "_via_settings": {
            "ui": {
                "annotation_editor_height": 25,
                "annotation_editor_fontsize": 0.8,
                "leftsidebar_width": 18,
                "image_grid": grid,
                "image": image,
            },
            "core": {"buffer_size": 18, "filepath": {}, "default_filepath": ""},
            "project": {"name": name},
        },
        "_via_img_metadata": _keyed(entries),
        "_via_attributes": {"region": attributes, "file": {}},
        "_via_data_format_version": "2.0.10",
        "_via_image_id_list": list(_keyed(entries)),
    }


def _version_1(entry: Entry) -> Entry:
    """Return the record of VIA 1, which numbers regions and repeats the first vertex last."""
    regions = {}
    for number, region in enumerate(entry["regions"]):
        shape = dict(region["shape_attributes"])
        for key in ("all_points_x", "all_points_y"):
            shape[key] = shape[key] + shape[key][:1]
        regions[str(number)] = region | {"shape_attributes": shape}
    head = {"fileref": "", "size": entry["size"], "filename": entry["filename"]}
    return head | {"base64_img_data": "", "file_attributes": {}, "regions": regions}


def _table(entries: list[Entry]) -> str:
    """Return the CSV; a picture without regions has one row."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("filename", "file_size", "file_attributes", "region_count", "region_id",
                     "region_shape_attributes", "region_attributes"))  # fmt: skip
    for entry in entries:
        regions = entry["regions"] or [{"shape_attributes": {}, "region_attributes": {}}]
        for number, region in enumerate(regions):
            cells = (_short(region["shape_attributes"]), _short(region["region_attributes"]))
            writer.writerow((entry["filename"], entry["size"], "{}", len(entry["regions"]), number,
                             *cells))  # fmt: skip
    return buffer.getvalue()


def _short(value: Entry) -> str:
    return json.dumps(value, separators=(",", ":"))


def _version_3(entries: list[Entry]) -> Entry:
    """Return a VIA 3 project: files, the views that show them, metadata of the views."""
    ids = {name: str(number) for number, name in enumerate(NAMES.values())}
    files, views, metadata = {}, {}, {}
    for number, entry in enumerate(entries, start=1):
        name = entry["filename"]
        files[str(number)] = {"fid": number, "fname": name, "type": 2, "loc": 1, "src": name}
        views[str(number)] = {"fid_list": [number]}
        for part, region in enumerate(entry["regions"]):
            shape = region["shape_attributes"]
            pairs = zip(shape["all_points_x"], shape["all_points_y"], strict=True)
            polygon = [7, *(value for pair in pairs for value in pair)]
            chosen = {"1": ids[region["region_attributes"]["name"]]}
            metadata[f"{number}_region{part}"] = {
                "vid": str(number), "flg": 0, "z": [], "xy": polygon, "av": chosen,
            }  # fmt: skip
    select = {"aname": "name", "anchor_id": "FILE1_Z0_XY1", "type": 4, "desc": "what it is",
              "options": {number: name for name, number in ids.items()},
              "default_option_id": ""}  # fmt: skip
    return {
        "project": {
            "pid": "__VIA_PROJECT_ID__",
            "rev": "__VIA_PROJECT_REV_ID__",
            "rev_timestamp": "__VIA_PROJECT_REV_TIMESTAMP__",
            "pname": "drinks",
            "creator": "VGG Image Annotator (http://www.robots.ox.ac.uk/~vgg/software/via)",
            "created": 1556000000000,
            "data_format_version": "3.1.1",
            "vid_list": list(views),
        },
        "config": {
            "file": {"loc_prefix": {"1": "", "2": "", "3": "", "4": ""}},
            "ui": {
                "file_content_align": "center",
                "file_metadata_editor_visible": True,
                "spatial_metadata_editor_visible": True,
                "spatial_region_label_attribute_id": "1",
            },
        },
        "attribute": {"1": select},
        "file": files,
        "metadata": metadata,
        "view": views,
    }
