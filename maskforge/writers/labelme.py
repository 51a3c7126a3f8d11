"""Labelme JSON: a file for each image, to be corrected in Labelme and converted again.

https://github.com/wkentaro/labelme (``labelme/_label_file.py`` of 7.1.0 says what it holds).
Polygons, rectangles, circles and lines are those that were drawn; all else becomes polygons on
pixel edges. A hole is tied to the outline by a slit without width. Parts of one object share a
``group_id``. The file lies beside its image, where Labelme looks for it.
"""

from maskforge.writers._labelme import (
    COLLECTION,
    FOLDER,
    LOSSLESS,
    SUFFIX,
    TITLE,
    Options,
    encode,
)

__all__ = ["COLLECTION", "FOLDER", "LOSSLESS", "SUFFIX", "TITLE", "Options", "encode"]
