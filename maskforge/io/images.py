"""The image that an annotation belongs to: where it is, how large, which way up."""

from __future__ import annotations

import base64
import binascii
import io
import json
import os
import re
import threading
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import unquote

import numpy as np
from PIL import Image, UnidentifiedImageError

from maskforge import extras
from maskforge.errors import Problem, ReadError
from maskforge.io import headers
from maskforge.io.files import IMAGES, safe_name
from maskforge.io.ownership import Entry, digest_in
from maskforge.raster.annotation import Annotation
from maskforge.raster.geometry import MAX_PIXELS

Exif: TypeAlias = Literal["auto", "upright", "stored"]
"""Which frame an annotation's coordinates are in when the image has an EXIF orientation. auto: told
by the declared size, upright where that cannot tell (annotation tools show images upright)."""

Window: TypeAlias = tuple[float, float]
"""The values that are shown black and white, of an image of more than 8 bits."""

SUFFIXES = IMAGES
_COMMON = ("JPEG", "PNG", "BMP", "GIF", "PPM")
"""What Pillow reads without loading more of itself."""
_OTHERS = (
    *("TIFF", "WEBP", "JPEG2000", "AVIF", "HEIF", "DIB", "TGA", "PCX", "SGI", "PSD", "QOI", "DDS"),
    "ICO",
)
"""All else that is opened as an image: formats of pixels. Pillow would hand others to other
programs."""
_HEIF = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")

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
_URL_ALPHABET = bytes.maketrans(b"-_", b"+/")
_FORMAT_SUFFIX = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "BMP": ".bmp", "TIFF": ".tif"}


@dataclass(frozen=True, slots=True)
class Picture:
    """An image that was found, by its header: nothing is decoded yet.

    path: the file, None for an image embedded in the annotation. stored_height, stored_width: as
    the pixels lie in the file. orientation: EXIF 1 … 8. suffix: a file name suffix for its format.
    several: the file has more pages or frames, of which this is the first. entry: size and digest
    of the file, where they were taken as it was open.
    """

    path: Path | None
    embedded: bytes | None
    stored_height: int
    stored_width: int
    orientation: int
    suffix: str
    several: bool = False
    entry: Entry | None = None

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
    where the source describes one image only, a file of the image's or the source's stem. Where
    there is none, what people mean by the name: percent-decoded, in another normal form or case,
    with another suffix, also in ``../images``, and in folders there or beside that whose names are
    parts of the source's name.
    Raises ReadError (code ``no-image``) where two files could be meant.
    """
    for candidate in _candidates(annotation, folder):
        if candidate.suffix.lower() not in (".json", ".csv", "") and _is_file(candidate):
            return candidate
    if annotation.mask is not None and folder is None:
        return None
    return _meant(annotation, folder)


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


def _meant(annotation: Annotation, folder: Path | None) -> Path | None:
    """Return the only file whose name is the image's as people mean it, None where none is."""
    name = annotation.name.replace("\\", "/").rsplit("/", 1)[-1]
    beside = annotation.source.parent
    places = [beside, beside / "images", beside.parent / "images"]
    if annotation.image is not None:
        places.insert(0, annotation.image.parent)
    parts = [part for part in re.split(r"[_.\-]", annotation.source.stem) if part]
    places += [beside.parent / between / part for between in ("", "images") for part in parts]
    if folder is not None:
        places[:0] = [(folder / safe_name(annotation.name)).parent, folder]
    for key, keys in ((_whole_key, 0), (_stem_key, 1)):
        for place in dict.fromkeys(map(os.path.abspath, places)):
            found = _listed(place, _changed(place))[keys].get(key(name), ())
            if len(found) > 1:
                raise ReadError(
                    f"the image {annotation.name!r} must be one file, but could be "
                    f"{found[0]!r} or {found[1]!r} in {place!r}",
                    code="no-image",
                    file=str(annotation.source),
                    place=annotation.place,
                    cure="rename one of them, or give the name as it is in the annotation",
                )
            if found:
                return Path(place, found[0])
    return None


def _changed(folder: str) -> int:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=32)
def _listed(folder: str, changed: int) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Return the images directly in a folder: by name, and by name without suffix."""
    whole: dict[str, list[str]] = {}
    stems: dict[str, list[str]] = {}
    with suppress(OSError, ValueError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.lower().endswith(SUFFIXES) and entry.is_file():
                whole.setdefault(_whole_key(entry.name), []).append(entry.name)
                stems.setdefault(_stem_key(entry.name), []).append(entry.name)
    return whole, stems


def _whole_key(name: str) -> str:
    """Return a name as it is compared: decoded, in NFC, without invisible marks, in one case."""
    text = unicodedata.normalize("NFC", unquote(name))
    return "".join(c for c in text if unicodedata.category(c) != "Cf").strip().casefold()


def _stem_key(name: str) -> str:
    stem, dot, suffix = _whole_key(name).rpartition(".")
    return stem if dot and f".{suffix}" in SUFFIXES else _whole_key(name)


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
    """Return the bytes of the embedded image file. Raises ReadError (code ``bad-image``).

    The text is base64 as JSON holds it, so with escapes; it may be wrapped, have the prefix of a
    data URL or the letters of the URL alphabet, or be Python's text of bytes.
    """
    text = bytes(annotation.embedded or b"")
    try:
        if b"\\" in text:
            text = json.loads(b'"' + text + b'"').encode("ascii")
        text = b"".join(text.split())
        if text[:5].lower() == b"data:":
            text = text.partition(b",")[2]
        if text[:2] in (b"b'", b'b"'):
            text = text[2:-1]
        text = text.translate(_URL_ALPHABET).rstrip(b"=")
        return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
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


def shown(image: Image.Image, window: Window | None = None) -> Image.Image:
    """Return the image as people see it, RGB of 8 bits.

    One of more than 8 bits, or of floats, is shown from the lowest to the highest value of
    ``window``, black to white, or of its own: cut off at 255 it would be white.
    """
    if not image.mode.startswith(("I", "F")):
        return image.convert("RGB")
    values = np.asarray(image, dtype=np.float64)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    low, high = (low, high) if window is None else window
    scaled = np.nan_to_num((values - low) * (255 / max(high - low, 1e-300)), posinf=255, neginf=0)
    return Image.fromarray(np.clip(np.rint(scaled), 0, 255).astype(np.uint8)).convert("RGB")


def written_suffix(suffix: str) -> str:
    """Return the suffix of an image that is written anew: that of the source, or ``.png``."""
    return suffix if suffix.lower() in _WRITTEN else ".png"


_WRITTEN = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), "JPEG"),
    **{".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF", ".bmp": "BMP", ".webp": "WEBP"},
}
_MODES = {
    "JPEG": ("L", "RGB", "CMYK"),
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"),
    "BMP": ("1", "L", "P", "RGB"),
    "WEBP": ("RGB", "RGBA"),
}


def encode(image: Image.Image, suffix: str) -> bytes:
    """Return ``image`` as the file that ``suffix`` says, without loss but for JPEG at quality 95.

    Raises ReadError (code ``bad-image``) where it has more than the 8 bits that the format holds.
    """
    kind = _WRITTEN.get(suffix.lower(), "PNG")
    if image.mode not in _MODES[kind]:
        values = np.asarray(image) if image.mode.startswith(("I", "F")) else None
        if values is None:
            image = image.convert("RGBA" if kind == "WEBP" and "A" in image.getbands() else "RGB")
        elif (
            kind == "PNG"
            and values.dtype.kind in "iu"
            and values.min() >= 0
            and values.max() <= 65535
        ):
            image = Image.fromarray(values.astype(np.uint16))
        else:
            raise ReadError(
                f"an image of {values.dtype} cannot be written as {kind} without loss",
                code="bad-image",
                cure="keep its size and its form (--layout pairs), or convert it to 16 bits",
            )
    options: dict[str, Any] = {"icc_profile": image.info.get("icc_profile")}
    if kind == "JPEG":
        options |= {"quality": 95, "subsampling": 0}
    elif kind == "WEBP":
        options |= {"lossless": True}
    elif kind == "BMP":
        options = {}
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
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


def notes(annotation: Annotation, picture: Picture) -> Iterator[Problem]:
    """Yield what is worth knowing of an image that was found."""
    named = annotation.name.replace("\\", "/").rsplit("/", 1)[-1]
    found = "" if picture.path is None else picture.path.name
    source, place = str(annotation.source), annotation.place
    meant = (found, found.rpartition(".")[0])  # some sources name no suffix
    if annotation.mask is None and named not in meant and _whole_key(named) == _whole_key(found):
        said = f"the image {named!r} is taken to be {found!r}"
        yield Problem("image-meant", source, said, place, severity="note")
    if picture.several:
        said = f"{found!r} has several pages or frames: the first one is taken"
        yield Problem("first-page", source, said, place, severity="note")


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
    if path is not None and (plain := _plain(path, max_pixels)):
        return plain
    with _open(source) as image:
        width, height = image.size
        _check_size(source, image.size, max_pixels)  # to tell the orientation may mean to decode
        turn = orientation(image)
        kind = image.format or ""
        # Telephones keep small previews as further pictures of a JPEG (MPO).
        several = kind != "MPO" and bool(getattr(image, "is_animated", False))
    if kind == "TIFF" and turn >= 5:
        width, height = height, width  # Pillow gives the size that it turns a TIFF into
    suffix = path.suffix if path is not None else _FORMAT_SUFFIX.get(kind, ".png")
    data = source if isinstance(source, bytes) else None
    return Picture(path, data, height, width, turn, suffix, several)


def _plain(path: Path, max_pixels: int) -> Picture | None:
    """Return a plain JPEG or PNG by its header, with its digest; None for any other file."""
    try:
        with path.open("rb", buffering=0) as file:
            size = headers.plain_size(file)
            if size is None:
                return None
            _check_size(path, size, max_pixels)
            file.seek(0)
            entry = digest_in(file)
    except OSError:
        return None  # Pillow meets the same and says it better
    return Picture(path, None, size[1], size[0], 1, path.suffix, entry=entry)


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
        return opened(source)
    except Exception as error:  # Pillow's decoders raise whatever the damage leads them to
        raise refused(source, error) from error


def opened(source: Path | bytes) -> Image.Image:
    """Open an image file, nothing decoded; what Pillow raises is up to the damage."""
    with no_other_limit(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of damaged EXIF, which is passed over
        file = source if isinstance(source, Path) else io.BytesIO(source)
        try:
            return Image.open(file, formats=_COMMON)
        except UnidentifiedImageError:
            if isinstance(file, io.BytesIO):
                file.seek(0)
            return Image.open(file, formats=_more())


@cache
def _more() -> tuple[str, ...]:
    """Return all formats that this Pillow reads, HEIC where pillow-heif is installed."""
    Image.init()
    with suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()
    return tuple(name for name in (*_COMMON, *_OTHERS) if name in Image.OPEN)


def refused(source: Path | bytes, error: Exception) -> ReadError:
    """Return what to say of a file that cannot be opened as an image."""
    cure, why = "replace the image", str(error)
    if isinstance(error, UnidentifiedImageError):
        head = _head(source)
        if head[4:8] == b"ftyp" and head[8:12] in _HEIF:
            why, cure = "it is HEIC, for which Pillow needs pillow-heif", extras.install("heif")
        else:
            why = f"no decoder knows what begins with {head[:16]!r}"
    return ReadError(
        f"the file must be an image, but: {why}",
        code="bad-image",
        file=str(source) if isinstance(source, Path) else "",
        cure=cure,
    )


def _head(source: Path | bytes) -> bytes:
    if isinstance(source, bytes):
        return source[:32]
    try:
        with source.open("rb") as file:
            return file.read(32)
    except OSError:
        return b""


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
