"""The folder of a training run: what stands there, who may write to it, how a new run comes in.

Up to its first checkpoint a run waits in a hidden folder, and whatever stood there stands. Then it
takes its place at once, and an earlier run goes, whole, to a folder beside it. From then on each
file is written whole, and only where nothing stands, or what this run has written itself.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from maskforge.errors import MaskforgeError, ReadError, UsageError
from maskforge.io import aside
from maskforge.io.shelf import Put
from maskforge.io.stage import Stage

BEST, LAST = "best.pt", "last.pt"
SETUP = ("config.json", "labels.txt", "train.txt", "val.txt")
FILES = (LAST, BEST, *SETUP, "history.csv", "curves.png")
PREVIEWS = "previews"
BOARD = "tensorboard"

_KEY = "train"
_PREVIEW = re.compile(r"epoch_\d{3,}\.png")


def preview(epoch: int) -> str:
    """Return the name of the picture that is drawn after ``epoch``."""
    return f"{PREVIEWS}/epoch_{epoch:03d}.png"


class RunFolder:
    """The folder ``path`` of a run, held against all others; a context.

    resume: go on with the run that stands there. source: go on with one that stands in another
    folder, which is only read. overwrite: move what stands there aside, to a folder beside. board:
    files for TensorBoard will be written too. first: whether this process writes the files; of
    several processes with one network only the first does, and for the others this is a path.
    typed: the words of the command that began the run, if it was one.

    moved: where an earlier run went, None where there was none. recovered: where one went before
    that, when what a killed run had begun was completed now. left: files that this run should have
    written, but that somebody changed while it was under way.

    Raises UsageError where a run stands and no flag says what to do with it, where a file stands
    that the run needs and that is not ours to replace, or where another run is under way; ReadError
    where there is nothing to go on with.
    """

    def __init__(
        self,
        path: Path,
        *,
        resume: bool = False,
        overwrite: bool = False,
        source: Path | None = None,
        board: bool = False,
        first: bool = True,
        typed: Sequence[str] = (),
    ) -> None:
        self.path = path
        self.typed = tuple(typed)
        self.resume = resume
        self.source = source
        self.moved: Path | None = None
        self.recovered: Path | None = None
        self.left: list[str] = []
        self.is_placed = resume
        self._overwrite = overwrite
        self._board = board
        self._first = first
        self._has_written = False
        self._stage = Stage(path, _KEY, what="train", copied=FILES if resume else ())

    @property
    def earlier(self) -> Path | None:
        """The checkpoint that the run goes on from, None for a new run."""
        if self.resume:
            return self.path / LAST
        return None if self.source is None else self.source / LAST

    @property
    def id(self) -> str:
        """What the names of files that grow end with, so that they are known."""
        return self._stage.id

    def __enter__(self) -> RunFolder:
        if self._first:
            try:
                self._open()
            except BaseException:
                self._close()
                raise
        return self

    def __exit__(self, raised: type[BaseException] | None, *_: object) -> None:
        if not self._first:
            return
        try:
            if self._has_written:
                self._stage.check_held()
                self._stage.owned.compact(what=_KEY)
        except MaskforgeError:
            if raised is None:
                raise
        finally:
            self._close()

    def _close(self) -> None:
        self._stage.discard()
        self._stage.close()

    # Looking

    def _open(self) -> None:
        if self.resume and (self._overwrite or self.source is not None):
            raise UsageError(
                "a run is either gone on with where it is, or begun anew, but both are asked for",
                cure="--resume goes without --overwrite and --resume-from",
            )
        if self.source is not None and self.source.resolve() == self.path.resolve():
            raise UsageError(
                f"the run in {str(self.source)!r} goes on elsewhere, but --out is the same folder",
                cure="choose --resume, or another --out",
            )
        stage = self._stage
        stage.refuse(overwrite=True, resume=True)  # a file of that name, or a stranger's stage
        stage.settle()
        self._refuse_standing()
        stage.begin()
        aside.tidy(self.path)
        self._refuse_standing()  # another run may have come first
        self.recovered, stage.moved = stage.moved, None
        self._check_needed()
        if self.resume:
            # A run has one id for all of its life, by which its files for TensorBoard are known.
            stage.owned.id = stage.id = stage.owned.id or secrets.token_hex(8)
            return
        stage.id = secrets.token_hex(8)
        if stage.stands:
            aside.check(self.path, stage.place)

    def _refuse_standing(self) -> None:
        stage, shown = self._stage, str(self.path)
        if self.earlier is not None and not self.earlier.exists():
            raise ReadError(
                "there must be a run to go on with, but there is no checkpoint",
                file=str(self.earlier),
                cure="name the folder of the run with --out, or train without --resume",
            )
        checkpoints = [name for name in (LAST, BEST) if (self.path / name).exists()]
        if checkpoints and not stage.owned.exists and (self.path / "config.json").exists():
            raise UsageError(
                f"{shown!r} holds a run, but no list says which of its files maskforge made there: "
                "the run is of maskforge 0.1, or was copied without its hidden files, and nothing "
                "proves that a file may be replaced",
                code="in-the-way",
                file=str(self.path / checkpoints[0]),
                cure="evaluate, predict, background and export read its checkpoints as they are; "
                f"to train, choose another --out, with --resume-from {shown} to go on with this "
                "run",
            )
        if stage.stands and not self.resume and not self._overwrite:
            before = f"; the one before that is in {str(stage.moved)!r}" if stage.moved else ""
            raise UsageError(
                f"an earlier run stands in {shown!r}{before}",
                cure="--resume goes on with it, --overwrite moves it to a folder beside, --out "
                "names another place",
            )

    def _check_needed(self) -> None:
        """Raise UsageError for files that this run needs to write and must not; see the class."""
        stage = self._stage
        for way in (PREVIEWS, *((BOARD,) if self._board else ())):
            if os.path.lexists(self.path / way) and not (self.path / way).is_dir():
                raise stage.in_the_way([(f"{way}/", "is no folder")])
        needed = FILES if self.resume else (*FILES, *self._previews())
        states = {name: stage.owned.state(name) for name in needed if name in stage.owned.entries}
        if self.resume and states.get(LAST) == "damaged":
            raise ReadError(
                "the checkpoint is damaged, so the run cannot go on",
                code="wrong-format",
                file=str(self.path / LAST),
                cure="train anew with --overwrite, which moves this run to a folder beside: its "
                f"{BEST} stays what it is",
            )
        # What is listed goes to the folder beside, whoever changed it meanwhile.
        going = [name for name, state in states.items() if state != "foreign"]
        stage.check(name for name in needed if not (self._overwrite and name in going))

    def _previews(self, *, after: int = -1) -> list[str]:
        """Return the pictures that stand there of epochs later than ``after``."""
        try:
            names = sorted(os.listdir(self.path / PREVIEWS))
        except OSError:
            return []
        found = [name for name in names if _PREVIEW.fullmatch(name)]
        return [f"{PREVIEWS}/{name}" for name in found if int(name[6:-4]) > after]

    def check_previews(self, *, after: int) -> None:
        """Raise UsageError where pictures of epochs to come stand there that are not ours."""
        if self._first:
            self._stage.check(self._previews(after=after))

    # Writing

    def write(self, name: str, data: bytes) -> None:
        """Write a file that people look at.

        One that somebody has changed while the run was under way is left as it is, and listed in
        ``left``. Raises WriteError.
        """
        stage = self._stage
        self._check_held()
        put = stage.shelf.put(name, data, stage.owned.entries.get(name) if self.is_placed else None)
        try:
            if not put.taken:
                self._take(put)
        except UsageError as error:
            if error.code != "in-the-way" or not self.is_placed:
                raise
            self.left = [*dict.fromkeys([*self.left, name])]

    @contextmanager
    def file(self, name: str) -> Iterator[BinaryIO]:
        """Open a checkpoint for writing; it is there when the block ends well, or not at all.

        Raises WriteError, and UsageError where somebody has changed the one that is there.
        """
        stage = self._stage
        self._check_held()
        with stage.shelf.file(name) as file:
            yield file
        self._take(stage.shelf.put_file(name))

    def _take(self, put: Put) -> None:
        if self.is_placed:
            self._has_written = True
            self._stage.place_one(put)
        else:
            self._stage.add(put)

    def publish(self) -> bool:
        """Take the place of what stands there, once; tell whether that was now.

        An earlier run goes to a folder beside. Raises UsageError, WriteError.
        """
        if self.is_placed:
            return False
        self._check_held()
        self._stage.exchange(moving=self._going())
        self.moved = self._stage.moved
        self.is_placed = self._has_written = True
        self._stage.stay()
        return True

    def _going(self) -> Sequence[str]:
        """Return what the earlier run made: its files, also changed ones, and those that grew."""
        owned = self._stage.owned
        if not (self._overwrite and self._stage.stands):
            return ()
        listed = [name for name in owned.entries if owned.state(name) not in ("absent", "foreign")]
        return [*listed, *owned.grown(BOARD)]

    def folder(self, way: str) -> Path:
        """Return a folder in here for files that grow, whose names end with the id."""
        self._check_held()
        return self._stage.make_folder(way)

    def _check_held(self) -> None:
        self._stage.check_held()
