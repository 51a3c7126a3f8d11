"""Wrong uses, and what the command line says of each: the table in ``docs/wrong-uses.md``.

    python tests/cli/wrong_uses.py      makes the table again

Each is tried in a folder of its own, made of the samples. A test compares what is said with the
table, so that it is what users see.
"""

from __future__ import annotations

import importlib.util
import io
import os
import shlex
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from maskforge.cli import main  # noqa: E402  # the folder above comes first

SAMPLES = ROOT / "samples"
PAGE = ROOT / "docs" / "wrong-uses.md"


@dataclass(frozen=True)
class Use:
    """A command that cannot do what is meant.

    what: is wrong. torch, onnx: whether the answer needs it. without: a
    module that is not installed, so to speak.
    """

    what: str
    command: str
    torch: bool = False
    onnx: bool = False
    without: str = ""
    nobody: bool = False
    before: tuple[str, ...] = ()


USES = (
    Use("a command misspelt", "lableme photos"),
    Use("an option misspelt", "labelme photos --ruel coco"),
    Use("a name misspelt", "labelme photos --rule cocoo"),
    Use("a style misspelt", "labelme photos --as color --style yellow-purple"),
    Use("a size without height", "labelme photos --size 512x"),
    Use("options that contradict each other", "labelme photos --overwrite --resume"),
    Use("nothing given", "labelme"),
    Use("a path misspelt", "labelme photo"),
    Use("a path misspelt, of any format", "convert photo"),
    Use("nothing given where ochuman.json is not", "ochuman"),
    Use("an empty folder", "labelme empty"),
    Use("an empty folder, of any format", "convert empty"),
    Use("a folder with photographs only", "labelme raw"),
    Use("a folder with photographs only, of any format", "convert raw"),
    Use("a photograph given as annotation", "labelme raw/park_001.jpg"),
    Use("a VIA file given to labelme", "labelme via.json"),
    Use("a Labelme file given to via", "via photos/park_001.json"),
    Use("a file that is cut", "labelme cut.json"),
    Use("an empty file", "labelme nothing.json"),
    Use("masks given to labelme", "labelme masks/masks"),
    Use("Labelme files given to train", "train photos", torch=True),
    Use("a label that the list lacks", "labelme photos --labels person,dgo,cat"),
    Use("a list of labels that is not there", "labelme photos --labels name.txt"),
    Use("labels of which one occurs twice", "labelme photos --labels a,b,a"),
    Use(
        "a class that the list lacks",
        "labelme photos --labels crate,dog --unknown skip --priority cat",
    ),
    Use("a rule of --map without =", "labelme photos --map dog"),
    Use("parts that do not add up", "labelme photos --split 0.8,0.1"),
    Use("twice into one place", "labelme photos -o out", before=("labelme photos -o out -q",)),
    Use(
        "resumed with other settings",
        "labelme photos -o out --rule coco --resume",
        before=("labelme photos -o out -q",),
    ),
    Use("a place that is a file", "labelme photos -o raw/park_001.jpg"),
    Use("a place that may not be written to", "labelme photos -o locked/out", nobody=True),
    Use("a file that may not be read", "labelme secret.json -o open/out", nobody=True),
    Use("images that are gone", "labelme alone"),
    Use("no torch", "train masks", without="torch"),
    Use("a network misspelt", "train masks --network unett"),
    Use("a loss misspelt", "train masks --loss ce+dicee"),
    Use("an option of the network misspelt", "train masks --option wdith=16", torch=True),
    Use("photographs given to train", "train raw", torch=True),
    Use("a run given as data", "train runs/people", torch=True),
    Use("a folder of a run given as network", "predict runs raw -o found"),
    Use("a network that is not there", "predict runs/people/bst.pt raw -o found"),
    Use("a network that is none", "predict runs/people raw -o found", torch=True),
    Use(
        "a second prediction into one place",
        "predict net.onnx raw -o out",
        onnx=True,
        before=("predict net.onnx raw -o out -q",),
    ),
    Use("a network of other classes", "evaluate net.onnx masks", onnx=True),
    Use("an exported network, exported", "export net.onnx"),
    Use("images that are not there", "predict runs/people photo -o found"),
    Use("a folder without masks given to inspect", "inspect empty"),
    Use("a photograph given to inspect", "inspect raw/park_001.jpg"),
    Use("masks that belong to no image", "background masks/masks other -o out"),
    Use("two backgrounds", "background masks raw -o out --color #00ff00 --transparent"),
    Use("predictions compared with photographs", "evaluate masks/masks raw"),
    Use("no labelme", "annotate raw", without="labelme"),
)


def desk(folder: Path) -> None:
    """Put into ``folder`` what the commands name."""
    for name in ("photos", "raw", "empty", "alone", "other", "runs/people", "locked", "open"):
        (folder / name).mkdir(parents=True)
    for stem in ("park_001", "park_002", "park_003"):
        shutil.copy(SAMPLES / f"labelme/{stem}.json", folder / "photos")
        for place in ("photos", "raw"):
            shutil.copy(SAMPLES / f"labelme/{stem}.jpg", folder / place)
    shutil.copy(SAMPLES / "labelme/park_004.jpg", folder / "other")
    shutil.copy(SAMPLES / "labelme/nobody.json", folder / "alone")
    shutil.copy(SAMPLES / "via/segmentation_train.json", folder / "via.json")
    whole = (SAMPLES / "labelme/park_003.json").read_bytes()
    (folder / "cut.json").write_bytes(whole[:500])
    (folder / "secret.json").write_bytes(whole)
    (folder / "nothing.json").touch()
    for name in ("best.pt", "last.pt"):
        (folder / "runs/people" / name).write_bytes(b"no network")
    (folder / "names.txt").write_text("crate\n")
    if importlib.util.find_spec("onnx") is not None:
        from training import onnx_models

        onnx_models.write(folder / "net.onnx")
    answer("labelme photos -o masks -q")


def answer(command: str) -> tuple[int, str]:
    """Return the exit code of a command line in the current folder, and what it says."""
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            main(shlex.split(command))
        except SystemExit as stop:
            return int(stop.code or 0), said.getvalue()
    return 0, said.getvalue()


def told(use: Use) -> tuple[int, str]:
    """Return the exit code and what is said of ``use``, tried in a folder of its own."""
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        folder = Path(place).resolve()
        before = Path.cwd()
        stack.callback(os.chdir, before)
        os.chdir(folder)
        desk(folder)
        stack.enter_context(mock.patch("maskforge.extras._versions", _of_the_project))
        for command in use.before:
            answer(command)
        if use.without:
            stack.enter_context(mock.patch.dict(sys.modules, {use.without: None}))
            stack.enter_context(mock.patch("shutil.which", return_value=None))
        if use.nobody:
            stack.enter_context(_nobody(folder))
        code, said = answer(use.command)
    said = said.replace(f"{folder}{os.sep}", "").replace(str(folder), ".")
    # Which a module that is made to be missing says otherwise than one that is.
    said = said.replace("import of torch halted; None in sys.modules", "No module named 'torch'")
    return code, said.strip()


def _of_the_project(extra: str) -> dict[str, str]:
    """Return the versions that pyproject.toml asks for: those of an installation may be older."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = project["optional-dependencies"][extra]
    return {name: one.removeprefix(name) for one in wanted if (name := one.partition(">=")[0])}


def row(number: int, use: Use) -> str:
    """Return the row of the table for ``use``."""
    code, said = told(use)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    # The first lines of click are the same for every command.
    lines = [line for line in lines if not line.startswith(("Usage: ", "Try '"))]
    if len(lines) > MOST:
        lines = [lines[0], "…", *lines[2 - MOST :]]
    shown = "<br>".join(f"`{line}`" for line in lines).replace("|", "\\|")
    command = f"maskforge {use.command}".replace("|", "\\|")
    return f"| {number} | {use.what} | `{command}` | {code} | {shown} |"


MOST = 8
"""Lines that are shown: the first one, and the last ones."""

_HEAD = """# Wrong uses

What the command line answers where something else was meant: the file, the place in it, and the
cure. Nothing is left half done, and the exit code says what kind of fault it is
([problems.md](problems.md#exit-codes)). `python tests/cli/wrong_uses.py` makes this page; a test
tries all of it. In the folder are `photos/` (drawn with Labelme), `raw/` (photographs only),
`masks/` (made by `maskforge labelme photos -o masks`), `via.json`, `net.onnx` (which knows other
classes), and `runs/people`.

| | what is wrong | typed | exit code | said |
| --- | --- | --- | --- | --- |
"""


def page() -> str:
    """Return the whole page."""
    rows = [row(number, use) for number, use in enumerate(USES, start=1)]
    return _HEAD + "\n".join(rows) + "\n"


@contextmanager
def _nobody(folder: Path) -> Iterator[None]:
    """Take rights away, and with them those of the root user, who has all."""
    folder.chmod(0o755)
    (folder / "locked").chmod(0o555)
    (folder / "open").chmod(0o777)
    (folder / "secret.json").chmod(0o000)
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        (folder / "locked").chmod(0o755)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
