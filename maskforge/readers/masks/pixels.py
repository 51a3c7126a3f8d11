"""Pixels of image and mask files: looked at by header first, decoded next, never more than that."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from maskforge.errors import ReadError
from maskforge.io import images
from maskforge.raster.geometry import MAX_PIXELS

_TAIL = 4096
_METADATA = (b"eXIf", b"tEXt", b"zTXt", b"iTXt")
_MAX_CHUNKS = 1 << 16


class Header(NamedTuple):
    """Size of an image as it is stored, in pixels, and its EXIF orientation, 1 … 8."""

    height: int
    width: int
    orientation: int

    @property
    def upright(self) -> tuple[int, int]:
        """(height, width) when the image is shown upright."""
        stored = (self.height, self.width)
        return stored[::-1] if self.orientation >= 5 else stored


class Pixels(NamedTuple):
    """What a mask file holds: integers (H, W), or RGB (H, W, 3); its palette (K, 3), if any.

    lossy: the values are not those that were stored, but near them; uint8.
    """

    values: NDArray[Any]
    palette: NDArray[np.uint8] | None
    lossy: bool = False


def header(path: Path) -> Header:
    """Return the size and orientation of an image; the file must not end too soon.

    Raises ReadError.
    """
    with open_image(path) as image:
        if image.format == "PNG":
            # Pillow would decode all pixels before it says that there is no EXIF.
            chunks = _png_chunks(path)
            whole, exif = b"IEND" in chunks, not chunks.isdisjoint(_METADATA)
        else:
            whole, exif = image.format != "JPEG" or b"\xff\xd9" in _tail(path), True
        if not whole:
            _decode(image, path)  # it may only have something behind its end: see
        return Header(image.height, image.width, images.orientation(image) if exif else 1)


def read_image(path: Path, window: images.Window | None = None) -> tuple[NDArray[np.uint8], Header]:
    """Return the image upright, uint8 (H, W, 3) in RGB, and its header. Raises ReadError.

    window: the values of an image of more than 8 bits that are black and white, None for the lowest
    and the highest of its own.
    """
    with open_image(path) as image:
        _decode(image, path)
        found = Header(image.height, image.width, images.orientation(image))
        return _rgb(images.upright(image), window), found


def color_profile(path: Path) -> bytes | None:
    """Return the ICC profile of an image, without which its colours would look different.

    That of another colour space is of no use to RGB. Raises ReadError.
    """
    with open_image(path) as image:
        profile = image.info.get("icc_profile")
    return profile if isinstance(profile, bytes) and profile[16:20] == b"RGB " else None


def read_mask(path: Path, *, colors: bool = False) -> Pixels:
    """Return what a mask file holds: an image, or a .npy file of integers (H, W).

    Three equal channels are one, unless ``colors`` is set; of a file stored with loss, three that
    are almost equal. Of a palette image these are the numbers, not the colours. Raises ReadError.
    """
    if path.suffix.lower() == ".npy":
        return Pixels(_array(path), None)
    with open_image(path) as image:
        _decode(image, path)
        if images.orientation(image) != 1:
            raise ReadError(
                "a mask must have no EXIF orientation, which some programs follow and some do not",
                code="bad-image",
                file=str(path),
                cure="turn the pixels and remove the tag: PIL.ImageOps.exif_transpose",
            )
        if _is_lossy(image, path):
            return Pixels(_lossy(image, colors=colors), None, lossy=True)
        return _mask(image, path, colors=colors)


Look: TypeAlias = Literal["grey", "palette", "colors", "blank"]
"""What a mask holds: numbers, those of a palette image, colours; or one grey level alone, in three
channels, which may be either."""


def look(path: Path) -> Look:
    """Return what a mask holds; only three channels are decoded for that. Raises ReadError."""
    if path.suffix.lower() == ".npy":
        return "grey"
    with open_image(path) as image:
        if image.mode in ("P", "PA"):
            return "palette"
        if image.mode not in ("RGB", "RGBA", "RGBX", "CMYK"):
            return "grey"
        lossy = _is_lossy(image, path)
        if lossy:
            image.draft("RGB", (-(-image.width // 8), -(-image.height // 8)))  # of a JPEG an eighth
        _decode(image, path)
        channels = np.asarray(image.convert("RGB") if image.mode == "CMYK" else image)[..., :3]
        if _is_colorful(channels) if lossy else (channels[..., :2] != channels[..., 1:]).any():
            return "colors"
        is_uniform = (channels == channels[0, 0]).all()
        return "blank" if is_uniform and not lossy else "grey"


_GREYISH = 24
"""Channels that lie no further apart are those of a grey that was stored with loss."""


def _is_colorful(channels: NDArray[np.uint8]) -> bool:
    spread = channels.max(axis=2) - channels.min(axis=2)
    return bool(np.count_nonzero(spread > _GREYISH) > 0.001 * spread.size)


def _lossy(image: Image.Image, *, colors: bool) -> NDArray[np.uint8]:
    """Return the pixels of an image stored with loss: RGB, or levels where it is grey."""
    if image.mode != "L" or colors:
        channels = np.asarray(image.convert("RGB"))
        if colors or _is_colorful(channels):
            return channels
    return np.asarray(image.convert("L"))


def _mask(image: Image.Image, path: Path, *, colors: bool) -> Pixels:
    if image.mode in ("RGBA", "LA", "PA"):
        alpha = np.asarray(image.getchannel("A"))
        if alpha.min() != alpha.max():
            raise ReadError(
                "a mask must not be partly transparent: its objects are probably in the alpha "
                "channel",
                code="bad-image",
                file=str(path),
                cure="take it out: PIL.Image.open(path).getchannel('A'), made 0 and 1",
            )
        image = image.convert("RGB") if image.mode == "RGBA" else image.getchannel(0)
    if colors:
        return Pixels(np.asarray(image.convert("RGB")), None)
    if image.mode == "P":
        table = np.array(image.getpalette("RGB") or [], dtype=np.uint8).reshape(-1, 3)
        return Pixels(np.asarray(image), table)
    if image.mode in ("RGB", "RGBX"):
        channels = np.asarray(image)[..., :3]
        if (channels[..., :2] != channels[..., 1:]).any():
            return Pixels(channels, None)
        return Pixels(channels[..., 0], None)
    values = np.asarray(image)
    if values.ndim != 2 or values.dtype.kind not in "bui":
        raise ReadError(
            f"a mask must hold one integer, or a colour, a pixel, but has mode {image.mode}",
            code="bad-image",
            file=str(path),
        )
    return Pixels(values.astype(np.uint8) if values.dtype == np.bool_ else values, None)


def _array(path: Path) -> NDArray[Any]:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # the header is parsed as Python, which fails in many ways
        raise ReadError(
            f"the mask must be a whole .npy file of integers, but: {error}",
            code="bad-image",
            file=str(path),
        ) from error
    if array.ndim != 2 or array.dtype.kind not in "bui" or not 0 < array.size <= MAX_PIXELS:
        raise ReadError(
            f"the mask must be integers (H, W), at most {MAX_PIXELS}, "
            f"but is {array.dtype} {array.shape}",
            code="bad-image",
            file=str(path),
        )
    return np.array(array, dtype=np.uint8 if array.dtype == np.bool_ else array.dtype)


def open_image(path: Path) -> Image.Image:
    """Open an image after a look at the size that its header declares; nothing is decoded."""
    try:
        image = images.opened(path)
        if 0 < image.width * image.height <= MAX_PIXELS:
            return image
        size = f"{image.width}x{image.height}"
        image.close()
    except Exception as error:  # Pillow's decoders raise whatever the damage leads them to
        raise images.refused(path, error) from error
    raise ReadError(
        f"an image must have 1 to {MAX_PIXELS} pixels, but has {size}",
        code="too-large",
        file=str(path),
        cure="cut it into parts",
    )


def _decode(image: Image.Image, path: Path) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd but readable files
            image.load()
    except Exception as error:  # Pillow's decoders raise whatever the damage leads them to
        raise ReadError(
            f"the image must be whole, but decoding it says: {error}",
            code="bad-image",
            file=str(path),
            cure="replace the image",
        ) from error


def _rgb(image: Image.Image, window: images.Window | None = None) -> NDArray[np.uint8]:
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return np.array(images.shown(image, window))


def _is_lossy(image: Image.Image, path: Path) -> bool:
    if image.format != "WEBP":
        return image.format in ("JPEG", "MPO", "AVIF", "HEIF")
    with path.open("rb") as file:
        return file.read(16)[8:16] == b"WEBPVP8 "


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _TAIL))
        return file.read()


def _png_chunks(path: Path) -> set[bytes]:
    """Return the types of the chunks of a PNG file, up to one that is cut off."""
    found: set[bytes] = set()
    with path.open("rb") as file:
        size = file.seek(0, 2)
        place = 8
        for _ in range(_MAX_CHUNKS):
            file.seek(place)
            head = file.read(8)
            place += 12 + int.from_bytes(head[:4], "big")
            if len(head) < 8 or place > size:
                return found
            found.add(head[4:])
    return found | set(_METADATA)
