"""A network trained on images and label images, with the one loop there is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from maskforge import plugins, splits
from maskforge.api import torch_part, words
from maskforge.api.dataset import MEANING, Look, Rules, checked, opened
from maskforge.api.documented import shows
from maskforge.api.places import place
from maskforge.api.predicting import size_of
from maskforge.errors import Problem, ReadError, UsageError
from maskforge.io.label_lists import Labels
from maskforge.prediction.config import BUDGETS, MACHINE, Config, Option, names, with_budget
from maskforge.readers.masks.dataset import Dataset
from maskforge.scores.history import Row, best_of
from maskforge.training.presets import preset as preset_of
from maskforge.training.run_folder import BEST, LAST

if TYPE_CHECKING:
    from maskforge.training.callbacks import Watch
    from maskforge.training.run_folder import RunFolder

PathLike: TypeAlias = str | os.PathLike[str]


@dataclass(frozen=True, eq=False)
class Training:
    """The result of :func:`maskforge.train`.

    out: the folder of the run. best: the checkpoint with the best mean IoU. last: the one to go on
    from. history: a row for each evaluation: ``epoch``, ``step``, ``loss``, ``mean_iou``, …, as
    ``history.csv`` has them. mean_iou: the best's, 0 to 1, nan where nothing was held back. steps,
    seconds: of the whole run. size: what the network works at, and ``mean_iou`` is measured at, as
    in the settings. problems: of the data. moved: where an earlier run went, None where there was
    none. left: files that somebody changed during the run, and that stayed so.
    """

    out: Path
    best: Path
    last: Path
    history: tuple[Row, ...]
    mean_iou: float
    steps: int
    seconds: float
    size: tuple[int, ...]
    problems: tuple[Problem, ...] = ()
    moved: Path | None = None
    left: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 clean, 1 finished, while some data could not be used."""
        return 1 if any(problem.severity == "error" for problem in self.problems) else 0

    def __str__(self) -> str:
        return (
            f"{self.steps:,} steps, best mIoU {100 * self.mean_iou:.2f} after "
            f"{self.seconds / 60:.1f} minutes: {self.best}"
        )

    def __repr__(self) -> str:
        return f"<Training: {self}>"


@shows(Config)
@words.python()
def train(
    data: Dataset | PathLike | Sequence[PathLike],
    *,
    out: PathLike | None = None,
    preset: str | None = None,
    options: Mapping[str, Option] | None = None,
    encoder_weights: PathLike | None = None,
    resume: bool = False,
    resume_from: PathLike | None = None,
    overwrite: bool = False,
    strict: bool = False,
    tensorboard: bool = True,
    labels: Labels = None,
    kind: str | None = None,
    ignore: int | None = None,
    style: str | None = None,
    images_from: PathLike | None = None,
    map: Rules = (),
    only: Sequence[str] = (),
    drop: Sequence[str] = (),
    ignore_labels: Sequence[str] = (),
    look: Look | None = None,
    watch: Watch | None = None,
    **settings: Any,
) -> Training:
    """Train a network on images and masks; does what the command ``maskforge train`` does.

    data: what ``open_dataset`` takes or returned. out: the folder of the run; None: ``runs/NAME``,
    or the first of ``runs/NAME-2``, ``runs/NAME-3`` … that is free; with ``resume`` and
    ``overwrite`` the last that stands. preset: settings to begin with, one of ``maskforge list
    presets``; all others change them. options: of the network, such as ``{"width": 16}``.
    encoder_weights: a file, or a name that smp knows. resume: go on with the run in ``out``, with
    its settings. resume_from: go on, in ``out``, with the run in this folder, which is only read.
    overwrite: move the run in ``out`` to a folder beside, and begin anew. strict: raise the first
    problem in the data. tensorboard: write for TensorBoard, where it is installed. labels, kind,
    ignore, style, images_from, map, only, drop, ignore_labels: as for ``open_dataset``. look:
    called with what was found in the data, before the first step. watch: told of each step and
    evaluation, a ``maskforge.training.callbacks.Watch``.

    Ctrl-C (KeyboardInterrupt) saves; ``resume=True`` goes on. Raises UsageError for settings that
    do not fit, where something stands in ``out`` and where torch is missing, ReadError and
    ClassError for data, MaskforgeError when the loss is no longer a number.
    """
    torch_part.load("loop")  # without torch nothing else matters
    source = None if resume_from is None else Path(resume_from)
    more = dict(options or {})
    if encoder_weights is not None:
        more["encoder_weights"] = os.fspath(encoder_weights)
        check_weights(Path(encoder_weights))
    config: Config | None = None
    if resume or source is not None:
        refuse_settings(settings, preset, more)
    else:
        own = data.window if isinstance(data, Dataset) else None
        config = config_of({"window": own} | settings, preset=preset or "default", options=more)
    said = (labels, kind, ignore, style, images_from, map, only, drop, ignore_labels)
    return trained(
        data,
        config,
        out=out,
        resume=resume,
        source=source,
        overwrite=overwrite,
        changed=settings,
        strict=strict,
        tensorboard=tensorboard,
        meaning=dict(zip(MEANING, said, strict=True)),
        look=look,
        watching=lambda _: watch,
    )


def trained(
    data: Dataset | PathLike | Sequence[PathLike],
    config: Config | None,
    *,
    out: PathLike | None,
    resume: bool,
    source: Path | None,
    overwrite: bool,
    changed: Mapping[str, Any],
    strict: bool,
    tensorboard: bool,
    meaning: Mapping[str, Any],
    look: Look | None,
    watching: Callable[[RunFolder], Watch | None],
    typed: Sequence[str] = (),
) -> Training:
    """Train with settings that are made; see :func:`train`.

    config: None for those of a run that goes on, of which ``changed`` are others now. watching:
    called with the run's folder as soon as that is held; returns who is told. typed: the command,
    which ``config.json`` holds.
    """
    loop = torch_part.load("loop")
    if config is not None:
        loop.check(config)
    _check_data(data)
    from maskforge.training import samples
    from maskforge.training import tensorboard as board

    path = Path(out) if out is not None else place(_name(data), newest=resume or overwrite)
    writes_board = tensorboard and board.is_installed()
    with loop.opened(
        path,
        resume=resume,
        overwrite=overwrite,
        source=source,
        board=writes_board,
        typed=typed,
    ) as folder:
        watch = watching(folder)
        if config is None:
            config = config_of(changed, base=loop.saved_in(folder).config)
            loop.check(config)
        seen = opened(data, meaning, part=config.val_part)
        found = checked(samples.split_for(seen, config), strict=strict, look=look)
        done = loop.train_in(
            folder,
            config,
            samples.from_dataset(found, config),
            watch=_watch(watch, board.Board(folder) if writes_board else None),
        )
    return Training(
        path,
        path / BEST,
        path / LAST,
        done.history,
        done.history[best_of(done.history, config.best)]["mean_iou"],
        done.steps,
        done.seconds,
        config.size,
        words.problems(found.problems),
        done.moved,
        tuple(folder.left),
    )


def config_of(
    given: Mapping[str, Any],
    *,
    preset: str = "default",
    options: Mapping[str, Option] | None = None,
    base: Config | None = None,
) -> Config:
    """Return the preset's settings, or ``base``, changed by those ``given`` that are not None.

    options: of the network. Raises UsageError for a name or value that is not possible.
    """
    changed = splits.held_out({name: value for name, value in given.items() if value is not None})
    for name in changed:
        plugins.choose("a setting", name, [known for known in names() if known != "options"])
    changed = with_budget(changed)  # that of the preset, or of the run so far, gives way
    if base is not None:
        return _replaced(base, changed)
    base = preset_of(preset)
    # A network that is named is as its file says.
    own = ({} if "network" in changed else dict(base.options)) | dict(options or {})
    return _replaced(base, changed | {"options": own})


def _replaced(base: Config, changed: Mapping[str, Any]) -> Config:
    """Return ``base`` changed, every value checked to be of its kind."""
    values = asdict(base) | dict(changed)
    if "size" in changed:
        values["size"] = size_of(changed["size"])
    for name in ("crop", "jitter"):
        if isinstance(values[name], int):
            values[name] = (values[name], values[name])
    try:
        return Config.from_json(json.dumps(values, default=os.fspath))
    except TypeError as error:
        raise UsageError(
            f"settings must be numbers, text or lists of them, but: {error}"
        ) from error


def _check_data(data: Dataset | PathLike | Sequence[PathLike]) -> None:
    """Raise UsageError for the folder of a run: it would be looked through for masks."""
    if isinstance(data, Dataset):
        return
    for path in [data] if isinstance(data, str | os.PathLike) else data:
        if any(Path(path, name).is_file() for name in (BEST, LAST)):
            raise UsageError(
                "there must be data, but this is the folder of a run",
                file=str(path),
                cure=f"name the data, and the run with --out: maskforge train DATA -o {path} "
                "--resume",
            )


def check_weights(file: Path) -> None:
    """Raise ReadError for a file of weights that is not there."""
    if file.suffix and not file.is_file():  # a pipe would keep us waiting
        raise ReadError("the encoder's weights must be a file", file=str(file))


def refuse_settings(given: Mapping[str, Any], preset: str | None, options: Iterable[str]) -> None:
    """Refuse settings of a run that goes on, but for its length and those of the machine."""
    may = (*BUDGETS, *MACHINE)
    refused = [name for name, value in given.items() if value is not None and name not in may]
    refused += ["preset"] if preset is not None else []
    refused += list(options)
    if refused:
        raise UsageError(
            f"a resumed run keeps its settings, but {', '.join(refused)} are given",
            cure=f"leave them out, or begin a new run; only {', '.join(may)} may change",
        )


def _watch(*several: Any) -> Any:
    from maskforge.training.callbacks import Watches

    return Watches([watch for watch in several if watch is not None])


def _name(data: Dataset | PathLike | Sequence[PathLike]) -> str:
    """Return what a run on ``data`` is called where nobody says."""
    if isinstance(data, Dataset):
        first: PathLike = data.root
    else:
        first = data if isinstance(data, str | os.PathLike) else next(iter(data), "")
    return Path(first).resolve().stem.removesuffix("-masks") or "run"
