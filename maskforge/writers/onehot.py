"""One-hot dictionary: one ``.npy`` file for all images, image filename → 0/1 planes (H, W, C).

    planes = numpy.load(path, allow_pickle=True).item()["image.jpg"]     # or .flat[0]

Channel 0 is the background; a pixel to be ignored is 0 in every channel. The file is what
``numpy.save`` would write for the dictionary, but it is written image by image: memory holds one
image, however many there are. :mod:`maskforge.io.onehot` reads it without running a pickle.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from maskforge.classes import ClassTable
from maskforge.errors import WriteError
from maskforge.layouts import Names
from maskforge.writers import Scene

TITLE = "one-hot dictionary"
SUFFIX = ".npy"
FOLDER = "onehot"
LOSSLESS = True
COLLECTION: Final = True
BY_SPLIT = False
picture = None


@dataclass(frozen=True, slots=True)
class Options:
    """keep_overlaps: a pixel is 1 for every class that covers it, not only for the one on top."""

    keep_overlaps: bool = False


# The pickle (opcodes: pickletools) is an array () of objects with the dictionary in it. Memo 0 is
# ndarray, 1 the arguments that make an empty array, 2 the dtype of the planes. It names ndarray and
# dtype only, which every NumPy has, and none of the private functions of one NumPy.
_TEXT = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }"
_HEADER = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + _TEXT.ljust(117) + b"\n"
_NDARRAY = b"cnumpy\nndarray\nq\x00"
_EMPTY = b"K\x00\x85X\x01\x00\x00\x00b\x86q\x01"
_UINT8 = (
    b"cnumpy\ndtype\nX\x02\x00\x00\x00u1\x89\x88\x87R"
    b"(K\x03X\x01\x00\x00\x00|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbq\x02"
)
_OBJECT = (
    b"cnumpy\ndtype\nX\x02\x00\x00\x00O8\x89\x88\x87R"
    b"(K\x03X\x01\x00\x00\x00|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x3ftb"
)
_BEGIN = _HEADER + b"\x80\x04" + _NDARRAY + _EMPTY + b"R(K\x01)" + _OBJECT + b"\x89]}"
_ARRAY = b"h\x00h\x01R(K\x01"
_END = b"atb."


class OneHotWriter:
    """Writes a one-hot dictionary to ``file``, opened for binary writing, image by image.

    The file is complete after :meth:`close`, which leaves ``file`` itself open.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._names: set[str] = set()
        file.write(_BEGIN)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def add(self, name: str, planes: NDArray[np.uint8]) -> None:
        """Write the planes, uint8 (H, W, C), of the image ``name``.

        Raises WriteError (code ``name-collision``) when the name has been written before, since
        the dictionary could keep only one of the two.
        """
        if planes.dtype != np.uint8 or planes.ndim != 3:
            got = f"{planes.dtype} {planes.shape}"
            raise ValueError(f"planes must be uint8 (H, W, C), but got {got}")
        if name in self:
            raise WriteError(
                f"a name must occur once in a one-hot dictionary, but {name!r} occurs twice",
                code="name-collision",
            )
        dtype = b"h\x02" if self._names else _UINT8
        self._names.add(name)
        text = name.encode("utf-8", "surrogatepass")
        shape = b"".join(b"J" + n.to_bytes(4, "little") for n in planes.shape) + b"\x87"
        self._file.write(b"X" + len(text).to_bytes(4, "little") + text + _ARRAY + shape + dtype)
        self._file.write(b"\x89\x8e" + planes.nbytes.to_bytes(8, "little"))
        self._file.write(np.ascontiguousarray(planes).data)
        self._file.write(b"tbs")

    def close(self) -> None:
        """Write the end."""
        self._file.write(_END)


class Collection:
    """The one-hot dictionary of a conversion: one image after the other, each under a free key."""

    def __init__(self, file: BinaryIO, classes: ClassTable, options: Options) -> None:
        self._writer = OneHotWriter(file)

    def add(self, piece: bytes, names: Names) -> str:
        """Write one image and return its key: the file name, as the annotation names it.

        Where another image has taken that, it is the stem, unique in the output, and the suffix.
        """
        name = key = names.name.rpartition("/")[2]
        if key in self._writer:
            key = f"{names.stem}{PurePosixPath(name).suffix}"
        number = 2
        while key in self._writer:
            key, number = f"{names.stem}-{number}{PurePosixPath(name).suffix}", number + 1
        self._writer.add(key, _unpacked(piece))
        return key

    def close(self) -> None:
        """Write the end of the file."""
        self._writer.close()


def encode(scene: Scene, options: Options) -> bytes:
    """Return the planes of one image by segment: what many pixels in a row have stands once.

    Pieces wait for those before them, and planes take megabytes. Raises GeometryError where even
    the file could not hold them.
    """
    raster = scene.raster
    by_segment = raster.segment_planes(keep_overlaps=options.keep_overlaps)
    length = raster.segments.length.astype("<i8")
    head = np.array([raster.height, raster.width, *by_segment.shape], "<i8")
    return head.tobytes() + length.tobytes() + by_segment.tobytes()


def _unpacked(piece: bytes) -> NDArray[np.uint8]:
    height, width, segments, count = np.frombuffer(piece, "<i8", 4).tolist()
    length = np.frombuffer(piece, "<i8", segments, offset=32)
    by_segment = np.frombuffer(piece, np.uint8, offset=32 + 8 * segments).reshape(segments, count)
    return np.repeat(by_segment, length, axis=0).reshape(height, width, count)
