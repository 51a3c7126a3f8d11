"""The band of a line's width, as rings: flat ends, round joints."""

from __future__ import annotations

import numpy as np

from maskforge.raster.geometry import Polyline, Ring


def band(line: Polyline) -> list[Ring]:
    """Return rings whose union is the band of ``line.width`` pixels around the line.

    One for each segment and joint, so that time and memory grow with their number only, however
    often they cross; what crosses is united as pixels. Nothing for a line without extent or width.
    """
    import shapely  # only lines need it, and importing it takes as long as a small conversion

    start, end = line.points[:-1], line.points[1:]
    long = (start != end).any(axis=1)
    if not long.any() or not line.width > 0:
        return []
    start, end = start[long], end[long]
    segments = shapely.linestrings(np.stack([start, end], axis=1))
    bands = shapely.buffer(segments, line.width / 2, cap_style="flat")
    joints = shapely.buffer(shapely.points(start[1:]), line.width / 2)
    shapes = np.concatenate([bands, joints])
    return [np.array(shape.exterior.coords[:-1]) for shape in shapes if not shape.is_empty]
