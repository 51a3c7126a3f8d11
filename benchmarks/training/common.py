"""What the training benchmarks share: the machine in words, a run with its peak, a judge.

The scripts that start others load no torch: a process inherits the peak of the one that starts it,
so that has to be small.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.append(str(Path(__file__).resolve().parents[1]))

from measure import cpu
from measure import table as table

from maskforge import __version__
from maskforge.datasets import Dataset, Example, check, load, open_dataset, split
from maskforge.io.label_lists import Labels
from maskforge.scores import metrics

HERE = Path(__file__).resolve().parent
SEED = 0
VAL = 0.2
"""Held back where the data have no split: maskforge's default, and so is the seed."""

Image = NDArray[np.uint8]
LabelImage = NDArray[Any]


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Return a parser whose help is the docstring of the script."""
    return argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def machine(threads: int) -> str:
    """Return a line about the machine and the versions."""
    packages = ("torch", "torchvision", "segmentation-models-pytorch")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    limit = f", {threads} threads" if threads else ""
    versions = {name: version(name) for name in packages} | {"maskforge": __version__}
    shown = ", ".join(f"{name} {number}" for name, number in versions.items())
    python = platform.python_version()
    return f"Measured on: {cpu()} ({cores} cores{limit}), Python {python}, {shown}"


@contextmanager
def workplace(chosen: Path | None) -> Iterator[Path]:
    """Yield the folder for what is trained: the chosen one, which stays, or one for now."""
    if chosen is not None:
        chosen.mkdir(parents=True, exist_ok=True)
        yield chosen
        return
    with tempfile.TemporaryDirectory(prefix="maskforge-bench-") as folder:
        yield Path(folder)


def started(command: Sequence[str | Path], *, fine: Sequence[int] = (0,)) -> tuple[str, float]:
    """Run ``command`` to its end; return its standard output and its peak of memory in MB."""
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout as stream:
        output = stream.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in fine:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    return output, usage.ru_maxrss * unit / 1e6


def answered(script: str, *arguments: str | Path) -> tuple[Any, float]:
    """Run a script of this folder; return the JSON it prints last, and its peak in MB."""
    output, peak = started([sys.executable, HERE / script, *arguments])
    return json.loads(output.splitlines()[-1]), peak


def data_of(folder: str, labels: Labels = None) -> tuple[Dataset, list[Example], list[Example]]:
    """Return the data set, and what of it is trained on and held back.

    Opened, split and freed of bad pairs as ``maskforge train`` does with its defaults.
    """
    found = check(split(open_dataset(folder, labels=labels), val=VAL, seed=SEED))
    good = [e for e in found.dataset.examples if e.name not in found.refused]
    parts = ([e for e in good if e.split == part] for part in ("train", "val"))
    return found.dataset, *parts


def judged(dataset: Dataset, examples: Sequence[Example], predict: Any) -> NDArray[np.int64]:
    """Return the confusion matrix of all ``examples``, at the size of their label images.

    predict: image (H, W, 3) uint8 to label image (H, W).
    """
    count, ignored = len(dataset.classes), dataset.classes.ignore_index
    total = np.zeros((count, count), np.int64)
    for example in examples:
        image, truth = load(example, dataset)
        found = predict(image).astype(truth.dtype)
        total += metrics.confusion_matrix(truth, found, num_classes=count, ignore_index=ignored)
    return total
