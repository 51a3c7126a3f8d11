"""What maskforge wrote: a folder with manifest.json, or a one-hot file with X.manifest.json.

Classes, ignore index, colours and splits are those of the manifest; nothing has to be said again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from maskforge import plugins, styles, writers
from maskforge.classes import ClassTable
from maskforge.errors import ClassError, MaskforgeError, Problem, ReadError
from maskforge.io import files, label_lists, manifest, stage
from maskforge.labels import name_of_class
from maskforge.raster.annotation import Decoding, MaskFile
from maskforge.readers.masks import colors, naming
from maskforge.readers.masks.dataset import Dataset, Example, Options, id_decoding

RANK = 1
"""Above the other kinds: what has a manifest has folders that look like theirs, too."""

_TAIL = "manifest.json"
_STYLE = "purple-yellow"
_KIND = re.compile(rb'"kind": "([a-z-]+)"')
_HEAD = 1 << 20
"""Bytes of a manifest in which its kind stands: only the classes come before that."""


def sniff(path: Path, options: Options) -> str:
    """Return why ``path`` is such an output, "" when it is not."""
    found = _manifests(path)
    return f"{found[0].name}" if found else ""


def read(path: Path, options: Options) -> Dataset:
    """Return the data set. Raises ReadError, ClassError, UsageError."""
    options.refuse("manifest", "style")
    parts = [_Output.of(file, options) for file in _manifests(path)]
    examples: list[Example] = []
    problems: list[Problem] = []
    for part in parts:
        part.collect(options, examples, problems)
    first = parts[0]
    for part in parts[1:]:
        if part.classes != first.classes:
            raise ClassError(
                f"all outputs must have one class table, but {first.file.name} has "
                f"{', '.join(first.classes.names)} and {part.file.name} has "
                f"{', '.join(part.classes.names)}",
                file=str(path),
                cure="convert all of them with one labels.txt",
            )
    if not examples:
        shown = f": {problems[0].message}" if problems else ""
        raise ReadError(
            f"no image of the manifest can be had{shown}",
            code="no-image",
            file=str(first.file),
            cure=problems[0].cure if problems else "",
        )
    notes = [f"classes: {first.file.name}"]
    if options.ignore is not None:
        notes.append(f"value {options.ignore} is ignored")
    return Dataset(
        "manifest",
        path,
        first.classes,
        naming.unique(examples),
        tuple(notes),
        tuple(problems),
        has_void=True,
    )


def labels(path: Path, options: Options) -> tuple[ClassTable, dict[str, MaskFile]]:
    """Return the class table and the label images of an output, by stem; no image is asked for."""
    part = _Output.of(_manifests(path)[0], options)
    found = {record["stem"]: part.label(record) for record in part.content["images"]}
    return part.classes, {
        stem: label for stem, label in found.items() if label is not None and label.path.is_file()
    }


def names(path: Path) -> tuple[ClassTable | None, dict[int, str] | None]:
    """Return what the values of a mask, or of the masks in a folder, stand for.

    A class table and, of colour masks, names by colour 0xrrggbb: as the manifest says that lies
    with them or one folder above. None and None where none does that can be read.
    """
    folder = path if path.is_dir() else path.parent
    for file in (folder / _TAIL, folder.parent / _TAIL):
        if file.is_file():
            try:
                output = _Output.of(file, Options())
            except (ReadError, ClassError):
                break
            return output.names()
    return None, None


@dataclass(frozen=True, slots=True)
class _Output:
    """One manifest, and how the masks that it lists are read."""

    file: Path
    content: Mapping[str, Any]
    classes: ClassTable
    decoding: Decoding

    def names(self) -> tuple[ClassTable, dict[int, str] | None]:
        """Return the classes that were drawn and, of colour masks, what each 0xrrggbb stands for.

        These may be several classes: one colour may have been given to all but the background.
        """
        classes, settings = manifest.class_table(self.content), self.content["settings"]
        if settings["writer"] != "color":
            return classes, None
        found: dict[int, list[str]] = {}
        painted = styles.parse(str(settings["writer_options"].get("style", _STYLE)), classes)
        shown = [*map(name_of_class, classes.names), "ignore"]
        for name, (red, green, blue) in zip(shown, painted.tolist(), strict=True):
            found.setdefault(red << 16 | green << 8 | blue, []).append(name)
        return classes, {color: " or ".join(several) for color, several in found.items()}

    @classmethod
    def of(cls, file: Path, options: Options) -> _Output:
        content = manifest.load(file)
        key = content.get("collection") if file.name != _TAIL else "convert"
        if stage.is_cut_off(file.parent, str(key)):
            raise ReadError(
                "the output was being replaced when the run was cut off: it is partly the old one "
                "and partly the new one",
                file=str(file),
                cure="convert again, with --resume: that completes it",
            )
        try:
            classes = manifest.class_table(content)
            settings = content["settings"]
            writer = str(settings["writer"])
            style = str(settings["writer_options"].get("style", _STYLE))
            listed = [record for record in content["images"] if isinstance(record["stem"], str)]
            whole = len(listed) == len(content["images"]) and all(
                isinstance(name, str) for name in classes.names
            )
            if not whole or classes.hash != content["classes"]["hash"]:
                raise ReadError("names, hash and images do not agree")
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ReadError(
                f"the manifest must be as maskforge writes it, but: {type(error).__name__} {error}",
                file=str(file),
                cure="convert again with --overwrite",
            ) from error
        _refuse_other(classes, options, file)
        try:
            decoding, classes = _decoding(writer, style, classes, options)
        except MaskforgeError as error:
            error.file = error.file or str(file)
            raise
        return cls(file, content, classes, decoding)

    def collect(self, options: Options, examples: list[Example], problems: list[Problem]) -> None:
        """Add what the manifest lists."""
        folder = self.file.parent
        of_file = naming.split_of(self.file.name) if self.decoding.form == "planes" else None
        for record in self.content["images"]:
            label = self.label(record)
            if label is None or not label.path.is_file():
                message = f"the mask of {record['stem']!r} must be there, but it is not: left out"
                problems.append(
                    Problem("no-mask", str(self.file), message, record["stem"], "convert again")
                )
                continue
            image = _image(record, folder, options)
            if image is None:
                shown = str(
                    record.get("key")
                    or record.get("image")
                    or record.get("original")
                    or record["stem"]
                )
                problems.append(naming.missing(shown, self.file))
                continue
            split = record.get("split")
            split = split if split in ("train", "val", "test") else of_file
            digest = record.get("image_digest")
            digest = digest if isinstance(digest, str) else None
            examples.append(Example(record["stem"], image, label, split, digest))

    def label(self, record: Mapping[str, Any]) -> MaskFile | None:
        """Return where the label image of a record is, None where the record does not say."""
        if self.decoding.form == "planes":
            collection, key = self._collection(record.get("split")), record.get("key")
            if collection is None or not isinstance(key, str):
                return None
            return MaskFile(self.file.parent / collection, self.decoding, key)
        mask = record.get("mask")
        if not isinstance(mask, str) or mask not in manifest.output_files(record):
            return None
        return MaskFile(self.file.parent / mask, self.decoding)

    def _collection(self, split: object) -> str | None:
        """Return the file of all images of ``split``, relative; some layouts have one for each."""
        told = self.content.get("collection")
        names = [
            name
            for name in (told if isinstance(told, list) else [told])
            if isinstance(name, str) and files.is_inside(name)
        ]
        if len(names) > 1:
            names = [name for name in names if naming.split_of(PurePosixPath(name).stem) == split]
        return names[0] if names else None


def _manifests(path: Path) -> list[Path]:
    """Return the manifests of masks that ``path`` means; those of regions are no masks."""
    return [file for file in _all_manifests(path) if not _is_of_regions(file)]


def _is_of_regions(file: Path) -> bool:
    with file.open("rb") as opened:
        kind = _KIND.search(opened.read(_HEAD))
    name = kind[1].decode() if kind else ""
    return name in plugins.names("writers") and not writers.load(name).LOSSLESS


def _all_manifests(path: Path) -> list[Path]:
    if path.is_dir():
        whole = path / _TAIL
        return [whole] if whole.is_file() else sorted(path.glob(f"*.{_TAIL}"))
    if path.name == _TAIL or path.name.endswith(f".{_TAIL}"):
        return [path] if path.is_file() else []
    beside = path.with_name(f"{path.stem}.{_TAIL}")
    return [beside] if path.is_file() and path.suffix == ".npy" and beside.is_file() else []


def _refuse_other(classes: ClassTable, options: Options, file: Path) -> None:
    """Raise ClassError when the user names other classes than the manifest."""
    wanted = label_lists.given(options.labels)
    if wanted is not None and wanted.classes.names != classes.names:
        raise ClassError(
            f"the classes must be those that the masks were made with, "
            f"{', '.join(classes.names)}, but got {', '.join(wanted.classes.names)}",
            file=str(file),
            cure="leave --labels out, or convert again with other labels",
        )


def _decoding(
    writer: str, style: str, classes: ClassTable, options: Options
) -> tuple[Decoding, ClassTable]:
    if writer in ("label", "palette", "npy"):
        return id_decoding(classes, ignore=options.ignore), classes
    if options.ignore is not None:
        raise ClassError(f"a value to ignore must not be given for masks written --as {writer}")
    if writer == "onehot":
        return Decoding("planes"), classes
    if writer == "color":
        return colors.style_decoding(style, classes)
    raise ClassError(
        f"masks written --as {writer} hold no class ids",
        cure="convert --as label, palette, npy, color or onehot",
    )


def _image(record: Mapping[str, Any], folder: Path, options: Options) -> Path | None:
    """Return the image of a record: where the manifest says, else where images of its name lie."""
    named = record.get("image") or record.get("original")
    if isinstance(named, str) and options.images is None:
        path = Path(os.path.normpath(folder / named))
        if path.is_file():
            return path
    suffix = PurePosixPath(named).suffix if isinstance(named, str) else ""
    for name in (record.get("key"), record["stem"] + suffix):
        found = naming.image_of(name, folder, options) if isinstance(name, str) else None
        if found is not None:
            return found
    return None
