"""Random histories of a project folder: commands, edits, accidents, and files from elsewhere.

After each command every file of the user's must be there, byte for byte, no complete output may be
incomplete, and a command must be refused where :mod:`history_law` says so and nowhere else. A
history follows from its number.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import history_law as law
import history_steps
from history_check import Broken, Check, State, is_hidden, visible
from history_law import Need, Output, Verdict
from history_lines import SMALL, Conversion, Line, Tool, without_flag
from history_project import Link, Project, Tree, snapshot
from history_ways import WAYS, Ended, in_process, perform, quick_exports

NETWORKS = 6
"""One history of so many is about networks: it trains, predicts, evaluates, swaps backgrounds."""


class History:
    """One history, in the new folder ``folder``.

    told: what was done, as a person would have typed it. tally: the same, counted.
    """

    def __init__(self, number: int, folder: Path) -> None:
        folder = Path(os.path.realpath(folder))
        self.rng = random.Random(number)
        self.number = number
        self.project = Project(folder / "top", self.rng)
        self.scratch = folder / "scratch"
        self.scratch.mkdir()
        self.known: dict[tuple[str, str], Output] = {}
        self.told: list[str] = []
        self.tally: Counter[tuple[str, str]] = Counter()

    def run(self) -> None:
        """Live through it. Raises Broken."""
        quick = quick_exports() if is_of_networks(self.number) else contextlib.nullcontext()
        with contextlib.chdir(self.project.cwd), quick:
            try:
                self._live()
            except Broken:
                raise
            except Exception as error:
                raise Broken(f"{type(error).__name__}: {error}") from error

    def _live(self) -> None:
        self.project.make()
        if is_of_networks(self.number):
            self.project.make_data(_checkpoint())
        usual = self._usual_line()
        if self.rng.random() < 0.2:
            self._begin_with_what_came_from_elsewhere(usual)
        count = self.rng.randint(3, 8)
        if self.rng.random() < 0.4:
            self._cut_off_a_second_run(usual)
            count = self.rng.randint(1, 4)
        for at in range(count):
            share = 0.85 if self._is_cut_off else 0.5
            if at not in (0, count - 1) and self.rng.random() < share:
                self._edit()
            else:
                self._command(usual if self.rng.random() < 0.75 else self._any_line())

    def _cut_off_a_second_run(self, usual: Line) -> None:
        """Run, change the input, run again and be cut off; something happens; and again."""
        self._command(usual, way="plain")
        for _ in range(self.rng.randint(1, 3)):
            self._edit(history_steps.OF_THE_INPUT)
        ways = ("killed in the exchange", "killed in the exchange", "full in the exchange")
        flag = self.rng.choice(usual.flags)
        self._command(usual, way=self.rng.choice(ways), flag=flag)
        for _ in range(self.rng.randint(1, 2)):
            self._edit(history_steps.MEANWHILE if self._is_cut_off else history_steps.OF_THE_INPUT)
        self._command(usual, flag=self.rng.choice(usual.flags))

    def story(self) -> str:
        """Return what a person would have typed."""
        return "\n".join(f"    {line}" for line in self.told)

    # Edits

    def _edit(self, steps: Sequence[history_steps.Step] = ()) -> None:
        """Change something, by one of ``steps`` if there are any."""
        for _ in range(20):
            step = history_steps.choose(self.rng, is_cut_off=self._is_cut_off)
            step = self.rng.choice(steps) if steps else step
            if (told := step(self.project, self.known)) is not None:
                self._tell(told, step.__name__)
                return

    @property
    def _is_cut_off(self) -> bool:
        """Whether an output was cut off in the middle of its renames."""
        return any(output.is_pending for output in self.known.values())

    def _tell(self, told: str, name: str) -> None:
        self.told.append(told)
        self.tally["edit", name] += 1

    def _begin_with_what_came_from_elsewhere(self, usual: Line) -> None:
        """Have the project be a download, with hidden files and manifests where outputs go."""
        output = law.output_of(usual, self.project, self.known)
        shown = os.path.relpath(output.folder, self.project.cwd)
        if law.is_no_place(usual, self.project):
            return
        if not os.path.lexists(output.folder):
            self.project.write(f"{shown}/read me.txt", b"downloaded\n")
        step = self.rng.choice(history_steps.FOREIGN)
        if (told := step(self.project, {(output.folder, output.key): output})) is not None:
            self._tell(told, step.__name__)

    # Commands

    def _usual_line(self) -> Line:
        """Return the command that this history comes back to, mostly one of the mission's."""
        if is_of_networks(self.number):
            return self._any_tool()
        if self.rng.random() < 0.35:
            return self._any_line()
        source = self.rng.choice(list(self.project.sources))
        kind = self.project.sources[source]
        if kind == "ochuman":
            return Conversion("ochuman", None, "ochuman", style="purple-yellow")
        return Conversion(kind, source, kind)

    def _any_line(self) -> Line:
        rng = self.rng
        if is_of_networks(self.number) and rng.random() < 0.7:
            return self._any_tool()
        source = rng.choice([*self.project.sources, *self.project.sources, "."])
        kind = self.project.sources.get(source, rng.choice(("labelme", "via")))
        as_ = rng.choice((None, None, None, "label", "onehot", "color"))
        layout = rng.choice(("pairs", "pairs", "pairs", "labelme", "voc", "article"))
        line = Conversion(
            reader="convert" if rng.random() < 0.15 else kind,
            source=source,
            format=kind,
            as_=as_,
            layout=layout if as_ in (None, "color") and kind != "via" else "pairs",
            out=rng.choice((None, None, *self._places(source))),
        )
        if line.layout in ("labelme", "voc") and as_ == "color":
            line = replace(line, as_=None)
        if line.writer == "color" and rng.random() < 0.5:
            line = replace(line, style=rng.choice(("black-white", "purple-yellow")))
        return replace(line, more=self._more(line))

    def _places(self, source: str) -> list[str]:
        return [".", "..", source, f"{source}/out", "images", "masks", "out", "out/deeper",
                "notes.txt", "notes.txt/out", "empty", "odd name ü'#%&", "linked", "out.npy",
                "photos-masks", "out", ".", "labels.txt.d"]  # fmt: skip

    def _more(self, line: Conversion) -> tuple[str, ...]:
        rng = self.rng
        more: list[str] = []
        if rng.random() < 0.4:
            more += ["--images", rng.choice(("auto", "link", "copy", "none"))]
        if rng.random() < 0.75:
            more += ["--no-previews"]
        if rng.random() < 0.2:
            more += ["--split", "0.5"]
        if rng.random() < 0.15 and (self.project.cwd / "images").is_dir():
            more += ["--images-from", "images"]
        if rng.random() < 0.15:
            more += ["--labels", "person,cat,dog"]
        if line.layout == "article" or rng.random() < 0.05:
            more += ["--size", "14x10"]
        return tuple(more)

    def _any_tool(self) -> Tool:
        rng = self.rng
        images = rng.choice(("data/images", "data/images", "images", "data", "data/images/0.png"))
        places = (".", "out", "data", "data/images", "data/images/out", "masks", "empty", "pred",
                  "runs/x", "notes.txt", "odd name ü'#%&")  # fmt: skip
        out = rng.choice(places)
        match rng.choice(_TOOLS):
            case "predict":
                as_ = rng.choice(("label", "color", "overlay", "onehot", "probabilities"))
                more = ("--threads", "1", "--as", as_)
                return Tool("predict", ("net.pt", images), out, more)
            case "background":
                source = rng.choice(("net.pt", "data/masks"))
                more = ("--threads", "1") if source == "net.pt" else ()
                return Tool("background", (source, images), out, (*more, "--color", "#00ff00"))
            case "evaluate":
                if rng.random() < 0.5:
                    return Tool("evaluate", ("net.pt", "data"), out, ("--threads", "1"))
                return Tool("evaluate", (rng.choice(("data/masks", "pred")), "data/masks"), out)
            case "export":
                out = rng.choice(
                    ("net.onnx", "net.pt2", "data/net.onnx", "out/net.pt2", "notes.txt")
                )
                return Tool("export", ("net.pt",), out)
        return Tool("train", ("data",), rng.choice((out, "runs/x")), SMALL)

    def _command(self, line: Line, *, way: str = "", flag: str | None = None) -> None:
        """Run a command, and look at what has become of the project."""
        line = self._with_its_format(line)
        output = law.output_of(line, self.project, self.known)
        line = replace(line, flag=self._flag(line, output) if flag is None else flag)
        way = way or self.rng.choices([w for w, _ in WAYS], [n for _, n in WAYS])[0]
        if isinstance(line, Tool) and not way.startswith(("killed", "full")):
            way = "plain"
        moment = self.rng.randrange(1, 60)
        need = self._need(line, output)
        verdict = self._verdict(line, output, need)
        before = State(*snapshot(self.project))
        kept = law.precious(output, self.project, before.files)
        self.told.append(_shell(["maskforge", *line.words()]) + _HOW[way].format(moment))
        ended = perform(line.words(), way, moment, place=self.project.top, scratch=self.scratch)
        self.told[-1] += f"    # {ended.code}"
        self.tally["command", f"{line.kind} {line.flag}".strip()] += 1
        self.tally["way", way] += 1
        self.tally["verdict", verdict.word] += 1
        self.tally["ended", "refused" if ended.code == 2 else str(ended.code)] += 1
        after = State(*snapshot(self.project))
        check = Check(
            self.project, self.known, line, output, need, verdict, way, before, after, ended, kept
        )
        own = {os.path.relpath(output.path(n), self.project.cwd) for n in output.placed}
        check.all()
        if check.is_placed and line.is_mission and way == "plain":
            self._like_a_fresh_project(check, own)

    def _flag(self, line: Line, output: Output) -> str:
        stands = bool(output.placed) or output.stage.exists()
        first, *more = line.flags
        second = more[0] if more else first
        return self.rng.choices(("", first, second), (10, 45, 45) if stands else (70, 15, 15))[0]

    def _with_its_format(self, line: Line) -> Line:
        """Return the line with the format that ``convert`` finds in a folder of many."""
        if not isinstance(line, Conversion) or line.reader != "convert":
            return line
        place = self.scratch / "format"
        said = in_process(without_flag(line).words(out=str(place / "x.npy"))).said
        shutil.rmtree(place, ignore_errors=True)
        found = re.search(r"^format: (\w+)", said, re.MULTILINE)
        return replace(line, format=found[1]) if found else line

    def _need(self, line: Line, output: Output) -> Need:
        """Run the command into an empty place."""
        if isinstance(line, Tool) and line.command == "train" and line.flag == "--resume":
            return Need(0)  # a training that goes on makes what it can
        if isinstance(line, Tool) and line.is_inside:
            return self._need_inside(line, output)
        place = self.scratch / "need"
        shutil.rmtree(place, ignore_errors=True)
        target = place / Path(line.target).name if line.is_file else place
        ended = in_process(without_flag(line).words(out=str(target)))
        manifest = f"{target.stem}.manifest.json" if line.is_file else "manifest.json"
        need = law.need_of(ended, place, manifest if line.has_manifest else "")
        shutil.rmtree(place, ignore_errors=True)
        return need

    def _need_inside(self, line: Tool, output: Output) -> Need:
        """Run a command that looks for images where it writes in a copy of the project."""
        own = {os.path.relpath(output.path(n), self.project.cwd) for n in output.placed}
        copy, began = self._copy(snapshot(self.project)[0], output, own - self.project.mine.keys())
        with contextlib.chdir(copy.cwd):
            ended = in_process(without_flag(line).words())
        files = {
            os.path.relpath(name, os.path.relpath(output.folder, self.project.cwd)): data
            for name, data in snapshot(copy)[0].items()
            if name.endswith(".done") or (not is_hidden(name) and began.get(name) != data)
        }
        made = {n: d for n, d in files.items() if isinstance(d, bytes)}
        return Need(ended.code, made, fingerprint=law.noted(made))

    def _verdict(self, line: Line, output: Output, need: Need) -> Verdict:
        if isinstance(line, Tool) and line.is_inside and need.code == 2:
            return Verdict("either", "what it needs cannot be told")
        if isinstance(line, Tool) and line.command == "train":
            return law.verdict_on_training(line, output, need, self.project)
        return law.verdict(line, output, need, self.project)

    def _copy(self, files: Tree, output: Output, own: set[str]) -> tuple[Project, Tree]:
        """Copy the project without an output; return the copy, and its visible files."""
        top = self.scratch / "copy"
        shutil.rmtree(top, ignore_errors=True)
        copy = Project(top, random.Random(0))
        hidden = os.path.relpath(output.path(f".maskforge-{output.key}."), self.project.cwd)
        for name, data in files.items():
            if name in own or name.startswith(hidden):
                continue
            path = copy.cwd / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(data.target) if isinstance(data, Link) else path.write_bytes(data)
        return copy, visible(snapshot(copy)[0])

    def _like_a_fresh_project(self, check: Check, own: set[str]) -> None:
        """The same line in a copy of the project without this output gives the same bytes."""
        own |= {os.path.relpath(check.output.path(n), Path.cwd()) for n in check.output.placed}
        own -= self.project.mine.keys()
        copy, began = self._copy(check.after.files, check.output, own)
        with contextlib.chdir(copy.cwd):
            ended = in_process(without_flag(check.line).words())
        check.must(ended.code == check.ended.code, f"ends with {ended.code} in a fresh project")
        for name, data in visible(snapshot(copy)[0]).items():
            if began.get(name) != data:
                same = check.after.files.get(name) == data
                check.must(same, f"'{name}' differs from that of a fresh project")
        self.tally["compared", "with a fresh project"] += 1


_TOOLS = ("predict", "predict", "predict", "background", "background", "evaluate", "evaluate",
          "export", "train", "train", "train")  # fmt: skip

_HOW = {
    "plain": "",
    "killed": "  (killed before change {})",
    "killed in the exchange": "  (killed in the exchange, {})",
    "full": "  (the disk is full, {})",
    "full in the exchange": "  (the disk is full in the exchange, {})",
    "ctrl-c": "  (ctrl-c)",
    "two workers": " -j 2",
    "a worker killed": " -j 2  (one of them is killed)",
}


def is_of_networks(number: int) -> bool:
    """Tell whether the history needs torch."""
    return number % NETWORKS == NETWORKS - 1


@cache
def _checkpoint() -> bytes:
    """Return a network that was trained for a moment."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        project = Project(Path(folder, "top"), random.Random(0))
        project.make_data(b"")
        with contextlib.chdir(project.cwd):
            ended: Ended = in_process(Tool("train", ("data",), "run", SMALL).words())
        if ended.code:
            raise AssertionError(f"a training must end well, but says: {ended.said}")
        return Path(project.cwd, "run/best.pt").read_bytes()


def _shell(words: list[str]) -> str:
    plain = re.compile(r"[\w./,#:=-]+")
    return " ".join(w if plain.fullmatch(w) else "'" + w.replace("'", "'\\''") + "'" for w in words)


def live(number: int, folder: Path) -> tuple[Counter[tuple[str, str]], str]:
    """Live through the history ``number``; return its figures, and how it broke, "" if not."""
    history = History(number, folder)
    try:
        history.run()
    except Broken as error:
        cause = "".join(traceback.format_exception(error.__cause__)) if error.__cause__ else ""
        return history.tally, f"history {number}:\n{history.story()}\n{error}\n{cause}"
    return history.tally, ""
