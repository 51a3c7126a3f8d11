"""What the documents take from the code: a function for each part, under the name of the part."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from _make import (
    areas,
    choices,
    commands,
    converted,
    examples,
    formats,
    presets,
    records,
    reference,
    road,
)

PARTS: dict[str, Callable[[], str]] = {
    "adr": records.decisions,
    "areas": areas.table,
    "classes": reference.names,
    "commands": commands.helps,
    "engines": lambda: choices.table("engines"),
    "errors": reference.errors,
    **{f"example-{folder}": partial(examples.file, folder) for folder in examples.FOLDERS},
    "formats": formats.table,
    "layouts": lambda: choices.table("layouts"),
    "road": road.folders,
    "manifest": converted.manifest_excerpt,
    "presets": presets.table,
    "problems": records.problems,
    "reader-coco": lambda: choices.reader("coco"),
    "reader-panoptic": lambda: choices.reader("panoptic"),
    "reader-yolo": lambda: choices.reader("yolo"),
    "reader-labelme": lambda: choices.reader("labelme"),
    "reader-ochuman": lambda: choices.reader("ochuman"),
    "reader-via": lambda: choices.reader("via"),
    "readers": lambda: choices.table("readers"),
    "rules": lambda: choices.sections("rules"),
    "via-labels": choices.via_labels,
    "writers": lambda: choices.table("writers"),
}
