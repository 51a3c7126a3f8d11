"""What each format of regions holds: measured by writing scenes and reading them again."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from _make import markdown
from maskforge import Annotation, ClassTable, Polygon, Region, plugins, rasterize, readers, writers
from maskforge.io.label_lists import Listed
from maskforge.layouts import Names
from maskforge.raster.geometry import Box
from maskforge.writers import Scene

_HEIGHT, _WIDTH = 12, 20
_TABLE = ClassTable.of({0: "_background_", 3: "cat", 9: "dog"})
_YES, _NO = "yes", "–"
_NAMES = Names("a", 0, ".png", name="a.png")


def table() -> str:
    """Return the table: a row for each format of annotations."""
    head = [
        *("format", "in", "out", "ids of classes", "holes", "parts of an object", "what is below"),
        *("polygons as drawn", "lost"),
    ]
    rows = []
    for name in plugins.names("readers"):
        if not readers.load(name).REGIONS:
            continue
        is_out = name in plugins.names("writers")
        told = _measured(name) if is_out else [""] * 6
        rows.append([name, f"`maskforge {name}`", f"`--as {name}`" if is_out else _NO, *told])
    return markdown.table(head, rows)


def _measured(name: str) -> list[str]:
    """Return what is left of scenes that were written and read again."""
    hole = np.array([[4.0, 4.0], [8.0, 4.0], [8.0, 8.0], [4.0, 8.0]])
    slanted = np.array([[1.5, 1.25], [10.75, 2.0], [10.0, 10.5], [2.25, 9.5]])
    with_hole, listed = _again([Region("cat", (Polygon(slanted, (hole,)),))], name)
    parts, _ = _again([Region("cat", (Box(1, 1, 5, 5), Box(12, 2, 18, 9)))], name)
    upon, _ = _again([Region("cat", (Box(1, 1, 12, 9),)), Region("dog", (Box(3, 3, 9, 7),))], name)
    drawn, _ = _again([Region("cat", (Polygon(slanted),))], name)
    ignored = [Region("cat", (Box(1, 1, 12, 9),)), Region("__ignore__", (Box(3, 3, 9, 7),))]
    keeps_hole = _areas(with_hole)[0] < _areas(drawn)[0]
    is_ring = isinstance(with_hole.regions[0].geometry[0], Polygon)
    groups = {region.group for region in parts.regions}
    return [
        _YES if listed == _TABLE.ids else "in `labels.txt`",
        (_YES if not is_ring else "by slits") if keeps_hole else _NO,
        _YES if len(parts.regions) == 1 or groups not in ({None}, set()) else _NO,
        _YES if _areas(upon)[0] == 11 * 8 else _NO,
        _YES if _vertices(drawn) == 4 else "as pixels",
        ", ".join(sorted(_scene(ignored).lost_by(name))) or _NO,
    ]


class _Written(Scene):
    """A scene that knows what a writer loses of it."""

    def lost_by(self, name: str) -> set[str]:
        writer = writers.load(name)
        writer.encode(self, writer.Options())
        return {what for what, count in self.lost.items() if count}


def _scene(regions: Sequence[Region]) -> _Written:
    size = {"height": _HEIGHT, "width": _WIDTH}
    annotation = Annotation("a.png", Path("a.json"), "", tuple(regions), **size)
    raster = rasterize(annotation, _TABLE)
    return _Written(raster, _NAMES, annotation, "a.png", "a.png", "a.json")


def _again(regions: Sequence[Region], name: str) -> tuple[Annotation, tuple[int, ...]]:
    """Write regions, read them again, and return them, and the ids of the file's own classes."""
    writer, reader, scene = writers.load(name), readers.load(name), _scene(regions)
    options = writer.Options()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "all")
        folder.mkdir()
        path = folder / f"all{writer.SUFFIX}"
        data = writer.encode(scene, options)
        if writer.COLLECTION:
            file = io.BytesIO()
            collection = writer.Collection(file, _TABLE, options)
            collection.add(data, _NAMES)
            collection.close()
            data = file.getvalue()
            if writer.picture is not None:
                (folder / "all").mkdir()
                (folder / "all/a.png").write_bytes(writer.picture(scene, options))
        path.write_bytes(data)
        items = list(reader.read(path, reader.Options()))
        listed = next((item.classes.ids for item in items if isinstance(item, Listed)), ())
        (found,) = (item for item in items if hasattr(item, "name"))
        return found if isinstance(found, Annotation) else found.annotation(), listed


def _areas(annotation: Annotation) -> list[int]:
    labels = sorted({region.label for region in annotation.regions})
    raster = rasterize(annotation, labels, height=_HEIGHT, width=_WIDTH)
    return [int(area) for area in raster.region_area]


def _vertices(annotation: Annotation) -> int:
    part = annotation.regions[0].geometry[0]
    return len(part.exterior) if isinstance(part, Polygon) else 0
