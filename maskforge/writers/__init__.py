"""Rasters to files: one file an output, and the file name is what users type after ``--as``.

A writer has ``TITLE``, ``SUFFIX``, ``LOSSLESS``, a frozen dataclass ``Options``, and

    encode(raster: Raster, options: Options) -> bytes
    decode(data: bytes, classes: ClassTable, options: Options) -> NDArray    # where LOSSLESS

which are pure; the caller writes the file. A writer with ``COLLECTION = True`` puts all images of
an input into one file instead, see ``onehot``.
"""
