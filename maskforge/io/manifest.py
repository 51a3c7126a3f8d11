"""The manifest of an output, read: what the output holds, and how it came about.

It is JSON, one per output, without clock, host or absolute path, so that equal inputs give equal
bytes. What writes it is :mod:`maskforge.conversion.manifest`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from maskforge.classes import ClassTable
from maskforge.errors import ReadError
from maskforge.io import files

FORMAT = "maskforge-manifest/2"
FORMATS = ("maskforge-manifest/1", FORMAT)
"""Those that are read. In the first, of 0.1, ``image`` could be the user's own as well."""


def load(path: Path) -> dict[str, Any]:
    """Return the manifest in the file ``path``. Raises ReadError."""
    try:
        manifest = json.loads(path.read_bytes())
    except OSError as error:
        raise ReadError(
            f"the manifest cannot be read: {error.strerror}", code="unreadable", file=str(path)
        ) from error
    except ValueError as error:
        raise ReadError(
            f"the manifest must be JSON, but: {error}", code="not-json", file=str(path)
        ) from error
    if not isinstance(manifest, dict) or manifest.get("format") not in FORMATS:
        raise ReadError(
            f"the manifest must say format {FORMAT!r}", code="wrong-format", file=str(path)
        )
    parts = {"classes": dict, "settings": dict, "fingerprint": str, "images": list}
    for name, kind in parts.items():
        if not isinstance(manifest.get(name), kind):
            raise ReadError(
                f"the manifest must have {name!r}, a {kind.__name__}",
                file=str(path),
                place=name,
                cure="convert again with --overwrite",
            )
    return manifest


def class_table(manifest: Mapping[str, Any]) -> ClassTable:
    """Return the class table that a manifest carries."""
    classes = manifest["classes"]
    ids = tuple(classes.get("ids", range(len(classes["names"]))))
    colors = tuple(map(tuple, classes["palette"]))
    names, ignore = tuple(classes["names"]), classes["ignore_index"]
    table = ClassTable(names, bool(classes["has_ignore"]), ids, ignore)
    return (
        table
        if colors == tuple(map(tuple, table.palette.tolist()))
        else replace(table, colors=colors)
    )


def output_files(record: Mapping[str, Any]) -> set[str]:
    """Return the files of one image, relative to the output folder.

    ``original``, where the user's own image is, is none of them; the ``image`` of 0.1 may be one.
    """
    roles = ("mask", "instance", "preview", "image")
    named = [record.get(role) for role in roles] + list(record.get("extra", {}).values())
    return {name for name in named if isinstance(name, str) and files.is_inside(name)}
