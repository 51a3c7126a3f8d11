"""Annotations in, training masks out.

    import maskforge
    result = maskforge.convert("dir/", format="labelme")
    trained = maskforge.train(result.out)

Names are loaded when they are first used, so that importing maskforge costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.2.0.dev0"

if TYPE_CHECKING:
    from maskforge.api.arrays import metrics as metrics
    from maskforge.api.arrays import overlay as overlay
    from maskforge.api.converting import convert as convert
    from maskforge.api.converting import inspect as inspect
    from maskforge.api.converting import rasterize as rasterize
    from maskforge.api.converting import read as read
    from maskforge.api.dataset import Dataset as Dataset
    from maskforge.api.dataset import open_dataset as open_dataset
    from maskforge.api.evaluating import Evaluation as Evaluation
    from maskforge.api.evaluating import evaluate as evaluate
    from maskforge.api.predicting import Prediction as Prediction
    from maskforge.api.predicting import open_network as open_network
    from maskforge.api.predicting import predict as predict
    from maskforge.api.rasters import Raster as Raster
    from maskforge.api.training import Training as Training
    from maskforge.api.training import train as train
    from maskforge.classes import ClassTable as ClassTable
    from maskforge.conversion.result import Conversion as Conversion
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

_HOME = {
    "convert": "api.converting",
    "read": "api.converting",
    "rasterize": "api.converting",
    "inspect": "api.converting",
    "open_dataset": "api.dataset",
    "train": "api.training",
    "evaluate": "api.evaluating",
    "predict": "api.predicting",
    "open_network": "api.predicting",
    "overlay": "api.arrays",
    "metrics": "api.arrays",
    "Annotation": "raster.annotation",
    "Region": "raster.annotation",
    "ClassTable": "classes",
    "Bitmap": "raster.geometry",
    "Box": "raster.geometry",
    "Ellipse": "raster.geometry",
    "Polygon": "raster.geometry",
    "Polyline": "raster.geometry",
    "Raster": "api.rasters",
    "Dataset": "api.dataset",
    "Conversion": "conversion.result",
    "Training": "api.training",
    "Evaluation": "api.evaluating",
    "Prediction": "api.predicting",
    "ClassError": "errors",
    "GeometryError": "errors",
    "MaskforgeError": "errors",
    "Problem": "errors",
    "ReadError": "errors",
    "UsageError": "errors",
    "WriteError": "errors",
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
    return sorted(__all__)
