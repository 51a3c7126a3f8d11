"""One case: a damaged file, made from its number, and what must be true of what becomes of it."""

from __future__ import annotations

import random
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
from corpus import Seed
from guard import Trespass, only_inside
from mutate import mutate

from maskforge import plugins, rasterize, readers, writers
from maskforge.classes import IGNORE, ClassTable
from maskforge.conversion.conversion import convert
from maskforge.errors import (
    CODES,
    ClassError,
    GeometryError,
    MaskforgeError,
    Problem,
    ReadError,
    UsageError,
)
from maskforge.io.label_lists import Listed
from maskforge.io.onehot import OneHotFile
from maskforge.raster import transform
from maskforge.raster.annotation import Annotation, Unread
from maskforge.writers import Scene

BUDGET_S = 2.0
"""Seconds for one file in this process."""

CONVERT_BUDGET_S = 10.0
"""Seconds for one whole conversion."""

MEMORY = 1 << 30
"""Bytes that the process may hold at its peak."""

MAX_PIXELS = 1 << 20
RULES = ("pixel-center", "labelme", "opencv", "coco")
WRITERS = ("label", "palette", "color", "npy", "instance")
_ALLOWED = (ReadError, GeometryError, ClassError)


class Broken(Exception):
    """The program did not keep a promise."""


class _TooSlow(BaseException):
    pass


@dataclass(frozen=True)
class Case:
    """A damaged file. whole: through ``maskforge.convert`` instead of through its parts."""

    name: str
    reader: str
    seed: Seed
    data: bytes
    whole: bool
    rng: random.Random


def make(
    seed: int, reader: str, level: str, number: int, *, corpus: list[Seed], whole: int
) -> Case:
    """Return the case ``number``; ``whole``: every so many cases one is a whole conversion."""
    rng = random.Random(f"{seed}/{reader}/{level}/{number}")
    chosen = rng.choice(corpus)
    others = [other.data for other in corpus if other.suffix == chosen.suffix]
    data = mutate(chosen.data, level, rng, others=others, suffix=chosen.suffix)
    name = f"{seed}/{reader}/{level}/{number}"
    entire = reader != "onehot" and bool(whole) and number % whole == whole - 1
    return Case(name, reader, chosen, data, entire, rng)


def check(case: Case, folder: Path, *, peak: bool = True) -> str:
    """Return a word for what became of the case; raises Broken, Trespass or what escaped.

    peak: look at the memory of the whole process, too.
    """
    for name in ("source", "out", "case"):
        shutil.rmtree(folder / name, ignore_errors=True)
    with (
        _time_limit(CONVERT_BUDGET_S if case.whole else BUDGET_S),
        only_inside(folder, pickles=case.whole),
    ):
        if case.whole:
            word = _convert(case, folder)
        elif case.reader == "onehot":
            word = _onehot(case, folder)
        else:
            word = _parts(case, folder)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if peak and used > MEMORY:
        raise Broken(f"memory: the peak is {used >> 20} MiB")
    return word


def _parts(case: Case, folder: Path) -> str:
    reader = readers.load(case.reader)
    path = folder / f"case{case.seed.suffix}"
    path.write_bytes(case.data)
    _lay_beside(case, path)
    options = plugins.options(reader, _reader_options(case))
    reader.sniff(Path("x"), case.data[: 1 << 16])
    word = "read"
    labels: set[str] = set()
    own: ClassTable | None = None
    annotations: list[Annotation] = []
    if reader.labels is not None:
        try:
            labels |= reader.labels(path, options)
        except ReadError as error:
            _check_error(error, path)
    try:
        for item in reader.read(path, options):
            if isinstance(item, Problem):
                word = "problem"
                _check_problem(item, path)
                continue
            if isinstance(item, Listed):
                own = item.classes
                continue
            annotation = item if isinstance(item, Annotation) else _decoded(item, path)
            if annotation is None:
                word = "problem"
                labels |= item.labels
                continue
            for problem in annotation.problems:
                _check_problem(problem, path)
            labels.update(region.label for region in annotation.regions)
            annotations.append(annotation)
    except ReadError as error:
        _check_error(error, path)
        word = "refused"
    # Labels are collected from files that cannot be read, too.
    try:
        classes = ClassTable.collect(labels)
    except ClassError:
        return "refused"
    for table in (classes, own or classes):
        again = ClassTable.from_text(table.to_text())
        if (again.ids, again.names) != (table.ids, table.names):
            raise Broken(f"labels.txt: {table.names!r:.200} reads back as {again.names!r:.200}")
    for annotation in annotations[:4]:
        told = own is not None and all(region.label in own for region in annotation.regions)
        table = own if own is not None and told else classes
        word = _draw(annotation, table, case.rng) or word
    return word


def _decoded(item: Unread, path: Path) -> Annotation | None:
    """Return the annotation of an image that was only found, None where it is a problem."""
    try:
        annotation = item.annotation()
    except (ReadError, GeometryError) as error:
        _check_code(error)
        _check_problem(error.problem(file=str(path), place=item.place), path)
        return None
    if (annotation.name, annotation.place) != (item.name, item.place):
        raise Broken(f"{item.name!r} at {item.place} became {annotation.name!r}")
    if strangers := {region.label for region in annotation.regions} - {*item.labels, IGNORE}:
        raise Broken(f"labels that it had not told: {strangers!r:.200}")
    return annotation


def _draw(annotation: Annotation, classes: ClassTable, rng: random.Random) -> str | None:
    height, width = annotation.height or 120, annotation.width or 160
    resized = rng.random() < 0.2 and height * width <= MAX_PIXELS
    writer = writers.load(rng.choice(WRITERS))
    rule = rng.choice(RULES)
    try:
        if annotation.relative:
            annotation = transform.absolute(annotation, height=height, width=width)
        if resized:
            matrix = transform.scale_matrix(97 / width, 61 / height)
            annotation = transform.transform_annotation(annotation, matrix, height=61, width=97)
            height, width = 61, 97
        raster = rasterize(
            annotation,
            classes,
            height=height,
            width=width,
            rule=rule,
            overlap=rng.choice(("last", "first", "smallest", "error")),
            max_pixels=MAX_PIXELS,
        )
        is_empty = not writer.encode(Scene(raster), writer.Options())
    except _ALLOWED as error:
        _check_code(error)
        return "not drawn"
    except UsageError as error:
        raise Broken(f"not a problem of data: {error!r}") from error
    counted = raster.pixel_counts
    if sum(counted.values()) != height * width:
        raise Broken(f"{rule}: {sum(counted.values())} pixels in an image {width}x{height}")
    if is_empty:
        raise Broken("an empty mask file")
    if height * width * len(classes) <= 1 << 22:
        raster.one_hot(keep_overlaps=bool(rng.getrandbits(1)))
    return None


def _reader_options(case: Case) -> dict[str, Any]:
    rng = case.rng
    if case.reader == "via" and rng.random() < 0.5:
        return {"default_label": "thing"}
    if case.reader == "ochuman":
        chosen = {"filter": rng.choice(["segm", "kpt", "segm&kpt", "all"])}
        return chosen | ({"max_iou": "0.2:0.8"} if rng.random() < 0.2 else {})
    if case.reader == "coco":
        crowd = rng.choice(["ignore", "class", "skip"])
        return {"crowd": crowd, "boxes": rng.choice(["skip", "fill"])}
    return {}


def _convert(case: Case, folder: Path) -> str:
    rng = case.rng
    source, out = folder / "source", folder / "out"
    source.mkdir()
    path = source / f"case{case.seed.suffix}"
    path.write_bytes(case.data)
    _lay_images(case, source)
    _lay_beside(case, path)
    as_ = rng.choice([*WRITERS, "onehot"])
    layout = "pairs" if as_ == "onehot" else rng.choice(["pairs", "voc", "labelme", "article"])
    before = _listing(folder, out)
    # Damage, or another name, may make a file look like one of another format, without its options.
    named = case.reader if rng.random() < 0.9 else None
    try:
        with chdir(folder):  # where no labels.txt lies
            result = convert(
                path if rng.random() < 0.8 else source,
                format=named,
                out=out,
                as_=as_,
                layout=layout,
                size=(40, 30) if layout == "article" or rng.random() < 0.2 else None,
                rule=rng.choice(RULES),
                labels=rng.choice([None, "person,dog,bottle,1,2"]),
                unknown=rng.choice(["error", "skip", "ignore", "background"]),
                overlap=rng.choice(["last", "first", "smallest", "error"]),
                images=rng.choice(["link", "copy", "none"]),
                previews=rng.random() < 0.5,
                max_pixels=MAX_PIXELS,
                reader_options=_reader_options(case) if named else {},
            )
    except _ALLOWED as error:
        _check_code(error)
        word = "refused"
    except UsageError as error:
        if "must be in one format" not in str(error):
            raise
        word = "refused"
    else:
        word = "converted" if result.records else "nothing"
        for problem in result.problems:
            _check_problem(problem, None)
        if result.failed and not result.problems:
            raise Broken("images failed, but no problem says why")
    if _listing(folder, out) != before:
        raise Broken("files outside the output came, went or changed")
    leftovers = [p for p in out.rglob("*") if p.name.endswith(".maskforge-part")]
    if leftovers:
        raise Broken(f"leftovers: {leftovers}")
    return word


def _lay_images(case: Case, source: Path) -> None:
    """Copy the sample's images beside the damaged file; now and then a damaged one of them."""
    origin = case.seed.folder
    if origin is None:
        return
    pictures = [p for p in sorted(origin.rglob("*.[jp][pn]g")) if p.name.encode() in case.data]
    if case.reader == "yolo":  # a label file does not name its image, but is called as it is
        stem = Path(case.seed.name).stem
        (picture,) = [p for p in origin.iterdir() if p.stem == stem]
        (source / f"case{picture.suffix}").write_bytes(picture.read_bytes())
    for picture in pictures[:4]:
        target = source / picture.relative_to(origin)
        target.parent.mkdir(parents=True, exist_ok=True)
        data = picture.read_bytes()
        if case.rng.random() < 0.25:
            data = mutate(data, "bytes", case.rng, others=[data], suffix=".json")
        target.write_bytes(data)


def _lay_beside(case: Case, path: Path) -> None:
    """Copy the folder that belongs to the sample's file, now and then with a damaged file."""
    if case.seed.beside is None:
        return
    path.with_suffix("").mkdir()
    for file in sorted(case.seed.beside.iterdir()):
        data = file.read_bytes()
        if case.rng.random() < 0.1:
            data = mutate(data, "bytes", case.rng, others=[data], suffix=".json")
        (path.with_suffix("") / file.name).write_bytes(data)


def _listing(folder: Path, out: Path) -> dict[str, int]:
    return {
        str(p): p.lstat().st_size
        for p in sorted(folder.rglob("*"))
        if out not in (p, *p.parents) and p.is_file()
    }


def _onehot(case: Case, folder: Path) -> str:
    path = folder / "case.npy"
    path.write_bytes(case.data)
    try:
        file = OneHotFile(path)
        for name in file:
            shape = file.shape(name)
            if file.raw(name).shape != shape:
                raise Broken("an array has another shape than it says")
            if not set(np.unique(file[name]).tolist()) <= {0, 1}:
                raise Broken("planes hold something else than 0 and 1")
    except ReadError as error:
        _check_error(error, path)
        return "refused"
    return "read"


def _check_error(error: ReadError, path: Path) -> None:
    _check_code(error)
    if error.file != str(path):
        raise Broken(
            f"the error must name the file, but names {error.file!r}: {error!r}"
        ) from error


def _check_code(error: MaskforgeError) -> None:
    if error.code not in CODES or error.code in ("internal", "not-written"):
        raise Broken(f"code {error.code!r} in {error!r}") from error
    if not error.message or len(error.message) > 4000:
        raise Broken(f"a message of {len(error.message)} characters: {error.message[:200]!r}")


def _is_of(file: str, path: Path) -> bool:
    """Tell whether a file is the case's, or in the folder that belongs to it."""
    return file == str(path) or Path(file).parent == path.with_suffix("")


def _check_problem(problem: Problem, path: Path | None) -> None:
    if problem.code in ("internal", "not-written", "worker-died"):
        raise Broken(f"problem {problem}")
    if "fit into memory" in problem.message:
        raise Broken(f"memory: {problem}")
    if not problem.file or not (path is None or _is_of(problem.file, path)):
        raise Broken(f"the problem must name its file, but: {problem}")
    if len(problem.message) > 4000:
        raise Broken(f"a message of {len(problem.message)} characters: {problem.message[:200]!r}")


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        raise _TooSlow

    # Processor time: other programs on the machine are not the file's fault.
    signal.signal(signal.SIGPROF, stop)
    begin = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    except _TooSlow:
        raise Broken(f"time: more than {time.process_time() - begin:.1f} s") from None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def limit_memory(size: int = 4 << 30) -> None:
    """Make the system refuse this process more than ``size`` bytes of address space."""
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


__all__ = ["BUDGET_S", "Broken", "Case", "Trespass", "check", "limit_memory", "make", "replace"]
