"""From what the user names to a data set: of a kind told by content, and one of several places."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from maskforge import plugins
from maskforge.errors import ClassError, ReadError, UsageError
from maskforge.io.label_lists import Labels
from maskforge.labels import Relabelling
from maskforge.readers.masks import majority, naming
from maskforge.readers.masks.dataset import Dataset, Options, relabelled

PathLike: TypeAlias = str | os.PathLike[str]

_PACKAGE = "readers.masks.kinds"


def open_dataset(
    paths: PathLike | Sequence[PathLike],
    *,
    labels: Labels = None,
    kind: str | None = None,
    ignore: int | None = None,
    style: str | None = None,
    images: PathLike | None = None,
    relabelling: Relabelling | None = None,
) -> Dataset:
    """Return the data set in ``paths``, a folder or file, or several that mean the same classes.

    labels: class table, names or the file that lists them; else those found with the data. kind:
    a module of :mod:`maskforge.datasets`; else found by content. ignore: a pixel value that is
    neither trained nor scored. style: the colours of painted masks. images: the folder of the
    images of a one-hot file or manifest. relabelling: what becomes of the classes' names.

    No image is decoded, and masks are only where nothing else tells what their values mean; see
    :func:`check` for the rest. Raises UsageError, ReadError and ClassError, with the cure.
    """
    places = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not places:
        raise UsageError("there must be a folder or file of training data")
    folder = Path(images) if images is not None else None
    if folder is not None and not folder.is_dir():
        raise UsageError(f"the folder of images must exist, but {str(folder)!r} does not")
    if ignore is not None and not -1 <= ignore <= 65535:
        raise UsageError(f"the value to ignore must be -1 … 65535, but got {ignore}")
    options = Options(labels, ignore, style, folder)
    found = [_open(Path(place), kind, options) for place in places]
    data = found[0] if len(found) == 1 else _merge(found)
    if not relabelling:
        return data
    classes, change = relabelled(data.classes, relabelling)
    examples = tuple(replace(one, label=change(one.label)) for one in data.examples)
    notes = (*data.notes, *relabelling.told(data.classes.names))
    doubts = relabelling.doubts(data.classes.names, ", ".join(map(str, places)))
    problems = (*data.problems, *doubts)
    return replace(data, classes=classes, examples=examples, notes=notes, problems=problems)


def _open(path: Path, kind: str | None, options: Options) -> Dataset:
    if not path.exists():
        raise ReadError(
            "there must be a file or folder, but there is none", code="unreadable", file=str(path)
        )
    if kind is not None:
        module = plugins.load(_PACKAGE, kind)
        reason = module.sniff(path, options)
        if not reason:
            raise ReadError(
                f"this is no data set of kind {kind}: {plugins.summary(_PACKAGE, kind)}",
                code="wrong-format",
                file=str(path),
                cure=f"leave the kind out, or choose another of {list(plugins.names(_PACKAGE))}",
            )
    else:
        kind, reason = find_kind(path, options)
    found: Dataset = plugins.load(_PACKAGE, kind).read(path, options)
    gone = majority.left_out(found.problems)
    examples = tuple(one for one in found.examples if str(one.label) not in gone)
    return replace(
        found,
        examples=examples,
        notes=(f"{kind}: {reason}", *found.notes),
        has_void=found.has_void or found.classes.has_ignore or options.ignore is not None,
    )


def find_kind(path: Path, options: Options) -> tuple[str, str]:
    """Return the kind of the data set ``path`` and, in words, why it is thought to be that.

    Raises ReadError when it is none, UsageError when it could be several.
    """
    hits: dict[int, list[tuple[str, str]]] = {}
    for name in plugins.names(_PACKAGE):
        module = plugins.load(_PACKAGE, name)
        reason = module.sniff(path, options)
        if reason:
            hits.setdefault(getattr(module, "RANK", 0), []).append((name, reason))
    if not hits:
        raise ReadError(
            f"no data set of a known kind {list(plugins.names(_PACKAGE))} is here",
            code="wrong-format",
            file=str(path),
            cure=_hint(path, options),
        )
    best = hits[max(hits)]
    if len(best) > 1:
        shown = ", ".join(f"{name} ({reason})" for name, reason in best)
        raise UsageError(
            f"{str(path)!r} must be a data set of one kind, but could be {shown}",
            cure="name the kind, or the folder that is meant",
        )
    return best[0]


def _hint(path: Path, options: Options) -> str:
    inside = sorted(child for child in path.iterdir() if child.is_dir()) if path.is_dir() else []
    for child in inside[:50]:
        for name in plugins.names(_PACKAGE):
            if plugins.load(_PACKAGE, name).sniff(child, options):
                return f"did you mean {str(child)!r}?"
    return "put images in images/ and masks of the same names in masks/, or convert annotations"


def _merge(parts: Sequence[Dataset]) -> Dataset:
    """Return one data set of several. Raises ClassError when they mean different classes."""
    whole = max(parts, key=lambda part: len(part.classes))
    for part in parts:
        if part.classes.names != whole.classes.names[: len(part.classes)]:
            raise ClassError(
                "all places must mean the same classes, "
                f"but {part.root} has {', '.join(part.classes.names)} "
                f"and {whole.root} has {', '.join(whole.classes.names)}",
                cure="name the classes of all with --labels, or convert all with one labels.txt",
            )
    examples = [
        replace(example, split=example.split or naming.split_of(part.root.stem))
        for part in parts
        for example in part.examples
    ]
    return Dataset(
        whole.kind,
        Path(os.path.commonpath([part.root.absolute() for part in parts])),
        whole.classes,
        naming.unique(examples),
        tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        tuple(problem for part in parts for problem in part.problems),
        has_void=any(part.has_void for part in parts),
    )
