"""What every layout must keep, whichever files lie in the folder."""

from __future__ import annotations

from pathlib import PurePosixPath

import numpy as np
import pytest

from maskforge import plugins
from maskforge.classes import ClassTable
from maskforge.layouts import Kind, Names
from maskforge.raster.label_image import to_raster

NAMES = plugins.names("layouts")
TABLE = ClassTable.from_names(["__ignore__", "person"])
RASTER = to_raster(np.array([[0, 1, 1]]), TABLE)


def record(stem: str) -> dict[str, object]:
    return {"stem": stem, "split": None, "height": 1, "width": 3}


def every_path(name: str, names: Names) -> list[str]:
    layout = plugins.load("layouts", name)
    places = layout.places(names, Kind(".png"))
    paths = [places.mask, places.image, places.preview, places.instance]
    return [path for path in paths if path is not None] + list(layout.per_image(RASTER, names))


@pytest.mark.parametrize("name", NAMES)
def test_has_what_a_layout_has(name: str) -> None:
    layout = plugins.load("layouts", name)
    assert layout.MASK_WRITER is None or layout.MASK_WRITER in plugins.names("writers")
    assert layout.IMAGE_FORM in ("as-is", "png")
    assert layout.SIZE is None or len(layout.SIZE) == 2
    places = layout.places(Names("a", 0, ".jpg"), Kind(".npy"))
    assert places.mask.endswith(".npy")
    assert (places.instance is not None) == layout.INSTANCES


@pytest.mark.parametrize("name", NAMES)
def test_no_two_files_share_a_place(name: str) -> None:
    images = [Names("a", 0, ".png"), Names("b", 1, ".png"), Names("sub/a", 2, ".png")]
    paths = [path for names in images for path in every_path(name, names)]
    paths += plugins.load("layouts", name).closing(TABLE, [record(names.stem) for names in images])
    assert len(set(paths)) == len(paths)
    for path in paths:
        assert not PurePosixPath(path).is_absolute()
        assert ".." not in PurePosixPath(path).parts
        assert "\\" not in path


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_utf8_stops_nothing(name: str) -> None:
    layout = plugins.load("layouts", name)
    odd = ClassTable(("_background_", "\ud800"))
    names = Names("a", 0, ".png")
    raster = to_raster(np.array([[1]]), odd)
    for data in (
        *layout.per_image(raster, names).values(),
        *layout.closing(odd, [record("a")]).values(),
    ):
        data.decode()
