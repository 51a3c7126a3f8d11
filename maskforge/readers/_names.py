"""What an annotation file calls an image: a path of any system, or a URL."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote

from maskforge.errors import ReadError

_URL = re.compile(r"(?i)[a-z][a-z0-9+.-]+://")
_ABSOLUTE = re.compile(r"(?i)[/\\]|[a-z]:[/\\]")
_LONGEST = 60


def shorten(text: str) -> str:
    """Return ``text`` with its middle left out where it is longer than 60 characters."""
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]}…{text[1 - half :]}"


def image_name(filename: str) -> str:
    """Return the image's name with forward slashes: the last part of a URL or absolute path.

    A relative path keeps its folders. Raises ReadError when nothing is left that can name a file.
    """
    name = filename
    if name[:5].lower() == "file:" and name[5:7] != "//":
        name = unquote(name[5:])
    if _URL.match(name):
        name = unquote(re.split("[?#]", name, maxsplit=1)[0].replace("\\", "/").rpartition("/")[2])
    elif _ABSOLUTE.match(name):
        name = name.replace("\\", "/").rpartition("/")[2]
    name = name.replace("\\", "/")
    while name.startswith("./"):
        name = name[2:].lstrip("/")
    unusable = "\0" in name or any("\ud800" <= letter <= "\udfff" for letter in name)
    if unusable or name.rpartition("/")[2].strip() in ("", ".", ".."):
        raise ReadError(f"filename must name an image file, but got {shorten(repr(filename))}")
    return name


def image_beside(path: Path, name: str) -> Path:
    """Return where the image ``name`` of a file of many should be: in ``images`` beside it.

    Where it is not, it may lie beside the file, above it, or in a folder that a word of the file's
    name calls, such as ``train2017`` of ``instances_train2017.json``. No file is opened.
    """
    folder = path.parent
    usual = folder / "images" / name
    others = [folder, folder.parent / "images", folder.parent]
    for word in path.stem.split("_")[1:]:
        others += [folder.parent / word, folder.parent / "images" / word, folder / word]
    # Path.is_file raises for names that are too long.
    return next((p for p in (usual, *(o / name for o in others)) if os.path.isfile(p)), usual)


def image_path(folder: Path, name: str, *, references: tuple[str, ...]) -> Path:
    """Return where the image should be: in ``folder``, else at the first reference that exists.

    The file system is asked only when a reference says something else; no file is opened.
    """
    beside = folder / name
    others = [reference for reference in references if reference != name]
    # Not Path.exists: that raises for a name too long for the file system.
    if not others or os.path.exists(beside):
        return beside
    for reference in others:
        path = folder / _local(reference)
        if os.path.exists(path):
            return path
    return beside


def _local(reference: str) -> str:
    if reference.lower().startswith("file://"):
        return unquote(reference[len("file://") :])
    if _URL.match(reference):
        return unquote(re.split("[?#]", reference, maxsplit=1)[0].rpartition("/")[2])
    return reference.replace("\\", "/")
