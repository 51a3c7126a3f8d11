"""The image that an annotation belongs to: where it is, how large, which way up."""

from __future__ import annotations

import base64
import binascii
import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from PIL import Image

from maskforge.errors import Problem, ReadError
from maskforge.io import headers
from maskforge.io.files import safe_name
from maskforge.raster.annotation import Annotation
from maskforge.raster.geometry import MAX_PIXELS

Exif: TypeAlias = Literal["auto", "upright", "stored"]
"""Which frame an annotation's coordinates are in when the image has an EXIF orientation. auto: told
by the declared size, upright where that cannot tell (annotation tools show images upright)."""

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif")
FORMATS = ("JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF", "MPO", "PPM", "JPEG2000")
"""What is opened as an image: formats of pixels. Pillow would hand others to other programs."""

_LIMIT = threading.Lock()
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_FORMAT_SUFFIX = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "BMP": ".bmp", "TIFF": ".tif"}


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that was found, by its header: nothing is decoded yet.

    path: the file, None for an image embedded in the annotation. stored_height, stored_width: as
    the pixels lie in the file. orientation: EXIF 1 … 8. suffix: a file name suffix for its format.
    """

    path: Path | None
    embedded: bytes | None
    stored_height: int
    stored_width: int
    orientation: int
    suffix: str

    @property
    def height(self) -> int:
        """Rows when the image is shown upright."""
        return self.stored_width if self.orientation >= 5 else self.stored_height

    @property
    def width(self) -> int:
        """Columns when the image is shown upright."""
        return self.stored_height if self.orientation >= 5 else self.stored_width

    def open(self) -> Image.Image:
        """Open the image, not decoded, not turned. Raises ReadError (code ``bad-image``)."""
        return _open(self.path or self.embedded or b"")


def locate(annotation: Annotation, folder: Path | None = None) -> Path | None:
    """Return the image file of ``annotation``, or None when there is none.

    Tried in order: in ``folder``, when one is given, by the image's path and by its name; the path
    that the source gives; the file of that name beside the source or in ``images`` beside it;
    where the source describes one image only, a file of the image's or the source's stem.
    """
    for candidate in _candidates(annotation, folder):
        if candidate.suffix.lower() not in (".json", ".csv", "") and _is_file(candidate):
            return candidate
    return None


def _candidates(annotation: Annotation, folder: Path | None) -> Iterator[Path]:
    """Yield where the image may be, one after the other: mostly the first one is right."""
    base = annotation.name.rsplit("/", 1)[-1]
    if folder is not None:
        named = annotation.image.name if annotation.image is not None else base
        yield from (folder / safe_name(annotation.name), folder / named, folder / base)
    if annotation.image is not None:
        yield annotation.image
    if annotation.mask is not None:
        return  # what lies beside a mask is another mask
    beside = annotation.source.parent
    yield from (beside / base, beside / "images" / base)
    if not annotation.place:
        for stem in (base.rsplit(".", 1)[0], annotation.source.stem):
            for suffix in SUFFIXES:
                yield beside / (stem + suffix)


def picture(
    annotation: Annotation, folder: Path | None = None, *, max_pixels: int = MAX_PIXELS
) -> Picture | None:
    """Return the image of ``annotation`` by its header, or None when there is none.

    An embedded image is used when no file is there or the file is damaged, or when the file's size
    is not the declared one and the embedded image's is. Raises ReadError: ``bad-image``, or
    ``too-large`` beyond ``max_pixels``, before anything is decoded.
    """
    path = locate(annotation, folder)
    if annotation.embedded is None:
        return None if path is None else _header(path, max_pixels)
    found: list[Picture] = []
    damage: list[ReadError] = []
    for source in (path, annotation):
        try:
            if isinstance(source, Path):
                found.append(_header(source, max_pixels))
            elif source is not None:
                found.append(_header(decode_embedded(annotation), max_pixels))
        except ReadError as error:
            damage.append(error)
    if not found:
        raise damage[0]
    return next((picture for picture in found if _agrees(annotation, picture)), found[0])


def decode_embedded(annotation: Annotation) -> bytes:
    """Return the bytes of the embedded image file. Raises ReadError (code ``bad-image``)."""
    text = bytes(annotation.embedded or b"").replace(b"\\/", b"/").replace(b"\\n", b"")
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError) as error:
        raise ReadError(
            f"the embedded image must be base64, but: {error}",
            code="bad-image",
            file=str(annotation.source),
            place="imageData",
            cure="put the image file beside the annotation",
        ) from error


def frame(annotation: Annotation, image: Picture, exif: Exif) -> Literal["upright", "stored"]:
    """Return the frame of the annotation's coordinates. Raises ReadError (``size-mismatch``)."""
    declared = (annotation.height, annotation.width)
    upright = (image.height, image.width)
    stored = (image.stored_height, image.stored_width)
    if exif != "auto":
        expected = upright if exif == "upright" else stored
        fits = None in declared or declared == expected
        chosen = exif
    else:
        fits = None in declared or declared in (upright, stored)
        chosen = "upright" if None in declared or declared == upright else "stored"
    if not fits:
        raise ReadError(
            f"the size must be that of the image, {stored[1]}x{stored[0]}, "
            f"but the annotation says {declared[1]}x{declared[0]}",
            code="size-mismatch",
            file=str(annotation.source),
            place=annotation.place,
            cure="the image was changed after it was annotated: restore it, or correct the size",
        )
    return "upright" if image.orientation == 1 else chosen


def orientation(image: Image.Image) -> int:
    """Return the EXIF orientation of ``image``, 1 … 8; 1 where the EXIF is absent or damaged."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of damaged EXIF, which turns nothing
        try:
            value = int(image.getexif().get(_ORIENTATION, 1))
        except Exception:  # so damaged that no viewer can follow it either
            return 1
    return value if 1 <= value <= 8 else 1


def upright(image: Image.Image) -> Image.Image:
    """Return the pixels of ``image`` as its EXIF orientation says that they are shown."""
    image.load()  # Pillow itself turns a TIFF now, and removes the tag
    turn = _TURNS.get(orientation(image))
    return image if turn is None else image.transpose(turn)


def encode(image: Image.Image, suffix: str) -> bytes:
    """Return ``image`` as a file: JPEG at quality 95 for a .jpg suffix, else PNG."""
    buffer = io.BytesIO()
    if suffix.lower() in (".jpg", ".jpeg"):
        rgb = image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")
        rgb.save(
            buffer, "JPEG", quality=95, subsampling=0, icc_profile=image.info.get("icc_profile")
        )
    else:
        plain = (
            image
            if image.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
            else image.convert("RGB")
        )
        plain.save(buffer, "PNG", icc_profile=image.info.get("icc_profile"))
    return buffer.getvalue()


def missing(annotation: Annotation, *, severity: Literal["error", "warning"]) -> Problem:
    """Return the problem that the annotation's image cannot be found."""
    return Problem(
        "no-image",
        str(annotation.source),
        f"the image {annotation.name!r} must lie beside the annotation, but it is not there",
        annotation.place,
        "put it there, or say where the images are with --images-from"
        + (", or choose --images none" if severity == "warning" else ", or --assume-size WxH"),
        severity,
    )


def _agrees(annotation: Annotation, image: Picture) -> bool:
    declared = (annotation.height, annotation.width)
    sizes = ((image.height, image.width), (image.stored_height, image.stored_width))
    return None in declared or declared in sizes


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # names that the system cannot even ask for
        return False


def _header(source: Path | bytes, max_pixels: int) -> Picture:
    path = source if isinstance(source, Path) else None
    if path is not None and (size := headers.plain_size(path)):
        _check_size(source, size, max_pixels)
        return Picture(path, None, size[1], size[0], 1, path.suffix)
    with _open(source) as image:
        width, height = image.size
        _check_size(source, image.size, max_pixels)  # to tell the orientation may mean to decode
        turn = orientation(image)
        kind = image.format or ""
    if kind == "TIFF" and turn >= 5:
        width, height = height, width  # Pillow gives the size that it turns a TIFF into
    suffix = path.suffix if path is not None else _FORMAT_SUFFIX.get(kind, ".png")
    data = source if isinstance(source, bytes) else None
    return Picture(path, data, height, width, turn, suffix)


def _check_size(source: Path | bytes, size: tuple[int, int], max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        raise ReadError(
            f"an image must have at most {max_pixels} pixels, but this one is {size[0]}x{size[1]}",
            code="too-large",
            file=str(source) if isinstance(source, Path) else "",
            cure="raise --max-pixels if the size is right",
        )


def _open(source: Path | bytes) -> Image.Image:
    try:
        with no_other_limit(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of damaged EXIF, which is passed over
            file = source if isinstance(source, Path) else io.BytesIO(source)
            return Image.open(file, formats=FORMATS)
    except Exception as error:  # Pillow's decoders raise whatever the damage leads them to
        raise ReadError(
            f"the file must be an image, but: {error}",
            code="bad-image",
            file=str(source) if isinstance(source, Path) else "",
            cure="replace the image",
        ) from error


@contextmanager
def no_other_limit() -> Iterator[None]:
    """Lift Pillow's limit on pixels: ours is checked before decoding, and users can raise it.

    It is one for all threads, so they wait for each other: for the time of a look at a header.
    """
    with _LIMIT:
        before = Image.MAX_IMAGE_PIXELS
        Image.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before
