"""Annotations in, training masks out.

    import maskforge
    result = maskforge.convert("dir/", format="labelme")

Names are loaded when they are first used, so that importing maskforge costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.2.0.dev0"

if TYPE_CHECKING:
    from maskforge.classes import ClassTable as ClassTable
    from maskforge.conversion.conversion import convert as convert
    from maskforge.conversion.result import Conversion as Conversion
    from maskforge.conversion.steps import rasterize as rasterize
    from maskforge.conversion.steps import read as read
    from maskforge.errors import ClassError as ClassError
    from maskforge.errors import GeometryError as GeometryError
    from maskforge.errors import MaskforgeError as MaskforgeError
    from maskforge.errors import Problem as Problem
    from maskforge.errors import ReadError as ReadError
    from maskforge.errors import UsageError as UsageError
    from maskforge.errors import WriteError as WriteError
    from maskforge.raster.annotation import Annotation as Annotation
    from maskforge.raster.annotation import Region as Region
    from maskforge.raster.geometry import Bitmap as Bitmap
    from maskforge.raster.geometry import Box as Box
    from maskforge.raster.geometry import Ellipse as Ellipse
    from maskforge.raster.geometry import Polygon as Polygon
    from maskforge.raster.geometry import Polyline as Polyline
    from maskforge.raster.raster import Raster as Raster
    from maskforge.readers.masks.inspection import inspect as inspect

_HOME = {
    "Annotation": "raster.annotation",
    "Region": "raster.annotation",
    "ClassTable": "classes",
    "convert": "conversion.conversion",
    "ClassError": "errors",
    "GeometryError": "errors",
    "MaskforgeError": "errors",
    "Problem": "errors",
    "ReadError": "errors",
    "UsageError": "errors",
    "WriteError": "errors",
    "Bitmap": "raster.geometry",
    "Box": "raster.geometry",
    "Ellipse": "raster.geometry",
    "Polygon": "raster.geometry",
    "Polyline": "raster.geometry",
    "inspect": "readers.masks.inspection",
    "Raster": "raster.raster",
    "rasterize": "conversion.steps",
    "read": "conversion.steps",
    "Conversion": "conversion.result",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'maskforge' has no attribute {name!r}")
    value = getattr(import_module(f"maskforge.{_HOME[name]}"), name)
    # A function that shares its module's name must not be hidden by the module once it is loaded.
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
