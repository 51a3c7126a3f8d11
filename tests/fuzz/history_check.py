"""What must hold after each command of a history."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import history_law as law
from history_law import Need, Output, Verdict, digest
from history_lines import Line
from history_project import Project, Tree, is_hidden
from history_ways import Ended

CODES = (0, 1, 2, 3, 130)

RUN = ("best.pt", "last.pt", "config.json", "history.csv", "curves.png", "labels.txt", "train.txt",
       "val.txt")  # fmt: skip
"""What a training writes, besides previews and files for TensorBoard."""


class Broken(AssertionError):
    """The law was broken."""


class State(NamedTuple):
    """The project at a moment."""

    files: Tree
    folders: set[str]


@dataclass
class Check:
    """A command that has ended. kept: images that nobody else had any more, by their ways."""

    project: Project
    known: dict[tuple[str, str], Output]
    line: Line
    output: Output
    need: Need
    verdict: Verdict
    way: str
    before: State
    after: State
    ended: Ended
    kept: dict[str, bytes]

    def __post_init__(self) -> None:
        self.was_pending = self._hidden("new/exchange.jsonl") in self.before.files
        self.is_pending = self.output.is_pending
        done = self.ended.code in (0, 1) and not self.ended.is_told
        self.is_placed = done and bool(self.need.files or not self.line.is_comparable)
        self.own = {*self.output.placed, *self.need.files, *self.output.coming}
        self.own |= {self.output.problems, self.output.failed} - {""}

    def all(self) -> None:
        """Raise Broken where the law was broken; take note of what is maskforge's now."""
        self._manners()
        self._refusal()
        if self.line.kind == "train":
            self._run_went_aside()
        self._users_files()
        self._precious()
        if self.is_placed:
            self._is_fresh()
            self._nothing_hidden()
        elif self.ended.code in (2, 3) and not self.was_pending:
            self._unchanged()
        elif not self.is_pending and not self.was_pending and self.line.is_comparable:
            self._all_or_nothing()
        self._list_is_honest()
        self._nothing_strange()
        if self.is_placed and self.line.is_comparable:
            self._nothing_left_over()
        self._learn()
        self._outputs_are_whole()

    # Each of them

    def _manners(self) -> None:
        code, said = self.ended
        self.must(
            code in CODES or (code == -9 and self.way.startswith("killed")), f"exit code {code}"
        )
        self.must("Traceback" not in said, "a traceback")
        self.must(not re.search(r"^internal ", said, re.MULTILINE), "an internal problem")
        if code == -9:
            return
        new = {n for n in self.after.files if n not in self.before.files and is_hidden(n)}
        left = [n for n in new if n.endswith((".maskforge-part", ".lock"))]
        self.must(not left, f"left behind: {left}")

    def _refusal(self) -> None:
        code, word = self.ended.code, self.verdict.word
        if not self.line.has_manifest and any(o.list_ == "foreign" for o in self.known.values()):
            word = "either"  # it may name the very images that are to be looked at
        if self.need.code in (2, 3):
            if self.way == "plain" and word != "either":
                expected = {2, self.need.code}
                self.must(code in expected, f"ends with {code}, elsewhere with {self.need.code}")
            return
        if code == 2:
            if word == "free" and self.need.failed and self._names_a_failed_one():
                return
            self.must(word != "free", "refused, though nothing is in the way")
        elif word == "due" and (self.is_placed or self.way == "plain"):
            self.must(False, f"not refused, though {self.verdict.why}")
        elif self.way == "plain" and code != self.need.code:
            self.must(word == "either", f"ends with {code}, elsewhere with {self.need.code}")

    def _names_a_failed_one(self) -> bool:
        """Tell whether what is in the way is the place of an image that could not be converted."""
        return any(p in self.ended.said for p in ("masks/", "previews/", "label", "Segmentation"))

    def _run_went_aside(self) -> None:
        """With ``--overwrite`` an earlier run goes to a folder beside, whole, and no file is lost.

        What of it the user had changed goes with it; a run that was cut off goes in the next one.
        """
        beside = os.path.relpath(self.output.folder + "-", self.project.cwd)
        places = [n for n in self.after.folders if re.fullmatch(rf"{re.escape(beside)}\d+", n)]
        target, before, after = self._shown(""), self.before.files, self.after.files
        for place in places:
            came = [n for n in after if n.startswith(f"{place}/") and before.get(n) != after[n]]
            for goal in came:
                name = goal.removeprefix(f"{place}/")
                shown = self._shown(name)
                if is_hidden(name):
                    continue
                is_whole = after[goal] == before.get(shown) or name in self.output.coming
                self.must(is_whole, f"'{goal}' is not what '{shown}' was")
                if shown in self.project.mine and after[goal] == self.project.mine[shown]:
                    self.project.mine[goal] = self.project.mine.pop(shown)
                self.own |= {name, os.path.relpath(goal, target)}
            if came:
                folder = os.path.realpath(self.project.cwd / place)
                moved = self.known.setdefault((folder, "train"), Output(folder, "train"))
                moved.list_ = "ours" if moved.list_path.exists() else "none"
                moved.placed = {n: {c.digest for c in found} for n, found in moved.claims().items()}
        if self.line.flag == "--overwrite" and self.is_placed:
            self._nothing_of_a_run_is_lost()

    def _nothing_of_a_run_is_lost(self) -> None:
        there = set(self.after.files.values())
        for name in self.output.placed:
            data = self.before.files.get(self._shown(name))
            self.must(data is None or data in there, f"'{name}' of the earlier run is lost")

    def _users_files(self) -> None:
        for name, data in self.project.mine.items():
            there = self.after.files.get(name)
            self.must(there is not None, f"the user's '{name}' is gone")
            self.must(there == data, f"the user's '{name}' has other bytes")

    def _precious(self) -> None:
        aside = f"{self._shown('set-aside')}/"
        moved = [d for n, d in self.after.files.items() if n.startswith(aside)]
        for name, data in self.kept.items():
            stays = self.after.files.get(name) == data
            self.must(stays or data in moved, f"the only copy of an image, '{name}', is gone")

    def _is_fresh(self) -> None:
        for name, data in self.need.files.items():
            there = self.after.files.get(self._shown(name))
            self.must(there is not None, f"'{name}' is not there")
            if self.line.is_comparable and name != self.output.manifest:
                self.must(there == data, f"'{name}' differs from a run elsewhere")

    def _nothing_hidden(self) -> None:
        for suffix in ("new", "lock", "owned.maskforge-part"):
            name = self._hidden(suffix)
            there = [n for n in self.after.files if n == name or n.startswith(f"{name}/")]
            self.must(not there and name not in self.after.folders, f"left behind: '{name}'")

    def _unchanged(self) -> None:
        changed = self._changed() - self._told()
        self.must(not changed, f"changed nothing, it says, but {sorted(changed)[:4]}")
        made = {n for n in self.after.folders - self.before.folders if not is_hidden(n)}
        made -= {str(way) for name in self._told() for way in Path(name).parents}
        self.must(not made, f"folders are left: {made}")
        if self.line.flag != "--overwrite":
            journal = self._hidden("new/journal.jsonl")
            data, now = self.before.files.get(journal), self.after.files.get(journal, b"")
            is_kept = not isinstance(data, bytes) or now.startswith(data)
            self.must(is_kept, "what an unfinished run had done is lost")

    def _told(self) -> set[str]:
        """Return the lists of problems that a run leaves that converted nothing: over no output its
        own, beside one another."""
        if self.ended.code != 3 or not self.output.problems:
            return set()
        beside = {self._shown(self.output.failed)} - self.project.mine.keys()
        stood = {self._shown(n) for n in self.output.placed if n != self.output.problems}
        if stood & self.before.files.keys():
            return beside
        return {self._shown(self.output.problems)} | beside

    def _all_or_nothing(self) -> None:
        names = {*self.output.placed, *self.need.files} - {self.output.manifest}
        before, after = self.before.files, self.after.files
        shown = {name: self._shown(name) for name in names}
        old = [n for n in names if before.get(shown[n]) != after.get(shown[n])]
        new = [n for n, d in self.need.files.items() if n in names and after.get(shown[n]) != d]
        self.must(not old or not new, f"a mixture: {old[:2]} are new and {new[:2]} are not")

    def _list_is_honest(self) -> None:
        """What a list says that this command has written must be true."""
        if not self._list_is_new():
            return
        for name, claims in self.output.claims().items():
            shown, last = self._shown(name), claims[-1]
            is_known = name in self.own or not self.line.is_comparable
            self.must(is_known, f"the list names '{name}', which no run made")
            mine = self.project.mine.get(shown)
            is_claimed = isinstance(mine, bytes) and digest(mine) in {c.digest for c in claims}
            self.must(not is_claimed, f"the list names the user's '{name}'")
            if self.is_placed:
                there = self.after.files.get(shown)
                is_same = isinstance(there, bytes) and (len(there), digest(there)) == last[:2]
                # A picture of a past epoch that somebody cut is not drawn again.
                is_same |= not self.line.is_comparable and there == self.before.files.get(shown)
                self.must(is_same, f"'{name}' is not as the list says")

    def _nothing_strange(self) -> None:
        """Nothing but files of this output came, went or changed."""
        shown = {self._shown(name) for name in self.own}
        may = [f"{self._shown('set-aside')}/"]
        if not self.line.is_comparable:
            shown |= {self._shown(name) for name in RUN}
            may += [f"{self._shown(way)}/" for way in ("previews", "tensorboard")]
        strange = {n for n in self._changed() - shown if not n.startswith(tuple(may))}
        self.must(not strange, f"touched what is not its own: {sorted(strange)[:4]}")

    def _nothing_left_over(self) -> None:
        if self.line.flag == "--resume" and not self.line.has_manifest:
            return  # what was predicted of images that are not named now stays
        claims = self.output.claims()
        for name in self.output.placed.keys() - self.need.files.keys():
            shown = self._shown(name)
            there = self.after.files.get(shown)
            was_ours = isinstance(there, bytes) and digest(there) in self.output.placed[name]
            if was_ours and shown not in self.project.mine and shown not in self.kept:
                is_image = name in self.output.images
                self.must(is_image and name in claims, f"left over: '{name}'")

    def _outputs_are_whole(self) -> None:
        """What a manifest that stands names is there, unless the user took it."""
        for output in self.known.values():
            if not output.manifest or output.list_ != "ours" or output.is_pending or output.hurt:
                continue
            shown = os.path.relpath(output.path(output.manifest), self.project.cwd)
            data = self.after.files.get(shown)
            if not _has_one(data, output.placed.get(output.manifest, ())):
                continue
            for name in _named(json.loads(data)):
                shown = os.path.relpath(output.path(name), self.project.cwd)
                if shown in self.project.touched or law.is_the_original(output, name):
                    continue
                there = self.after.files.get(shown)
                self.must(there is not None, f"'{shown}' is named in a manifest, and not there")
                whole = _has_one(there, output.placed.get(name, ()))
                self.must(whole or shown in self.project.mine, f"'{shown}' is not as it was made")

    # What is known from now on

    def _learn(self) -> None:
        output, project = self.output, self.project
        if self._list_is_new():
            output.placed = {n: {c.digest for c in found} for n, found in output.claims().items()}
            output.list_ = "ours"
            if not self.is_placed:
                project.touched -= self._told()
        if self.is_pending or self.ended.code == -9:
            output.coming |= {n: digest(d) for n, d in self.need.files.items()}
        self._learn_images()
        if self.is_placed:
            output.coming.clear()
            output.hurt = False
            output.images = {n: v for n, v in output.images.items() if n in output.placed}
            project.touched -= {self._shown(name) for name in output.placed}
        aside = f"{self._shown('set-aside')}/"
        for name, data in self.after.files.items():
            if name.startswith(aside):
                project.mine.setdefault(name, data)
        for name in [n for n, d in project.damaged.items() if self.after.files.get(n) != d]:
            del project.damaged[name]
        if not output.stage.exists():
            output.stage_is_foreign = output.hurt = False

    def _learn_images(self) -> None:
        """Take note of where the user has the originals of the images in the output."""
        output, project = self.output, self.project
        for name, origin in self.need.images.items():
            shown = self._shown(name)
            if name not in output.placed:
                if self.is_placed and shown not in project.mine:
                    project.mine[shown] = self.after.files[shown]  # it is its own original
                continue
            if self.is_placed or name not in output.images:
                places = [n for n, d in project.mine.items() if _has(d, origin)]
                others = [n for n, d in self.after.files.items() if n != shown and _has(d, origin)]
                output.images[name] = (origin, tuple(places or others))

    # Helpers

    def must(self, holds: bool, words: str) -> None:
        """Raise Broken unless it holds."""
        if not holds:
            said = self.ended.said.strip()[-1500:]
            raise Broken(f"{words}\n  refusal: {self.verdict.word} {self.verdict.why}\n  {said}")

    def _shown(self, name: str) -> str:
        return os.path.relpath(self.output.path(name), self.project.cwd)

    def _hidden(self, suffix: str) -> str:
        return self._shown(f".maskforge-{self.output.key}.") + suffix

    def _changed(self) -> set[str]:
        before, after = visible(self.before.files), visible(self.after.files)
        return {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}

    def _list_is_new(self) -> bool:
        name = self._hidden("owned")
        return name in self.after.files and self.before.files.get(name) != self.after.files[name]


def visible(files: Tree) -> Tree:
    """Return the files that are not hidden."""
    return {name: data for name, data in files.items() if not is_hidden(name)}


def _has(data: object, wanted: str) -> bool:
    return isinstance(data, bytes) and digest(data) == wanted


def _has_one(data: object, wanted: Any) -> bool:
    return isinstance(data, bytes) and digest(data) in wanted


def _named(manifest: dict[str, Any]) -> Iterator[str]:
    """Yield the files that a manifest names."""
    if manifest["collection"]:
        yield manifest["collection"]
    for record in manifest["images"]:
        roles = [record.get(role) for role in ("mask", "instance", "preview", "image")]
        yield from (name for name in [*roles, *record.get("extra", {}).values()] if name)
