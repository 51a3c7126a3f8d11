"""The law's rule for a test: what is maskforge's own in a folder, and when a run is refused.

Written from the design's words alone; nothing here asks the program what it thinks. What a command
needs is told by a run of the same command into an empty place.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

import xxhash
from history_lines import Line
from history_project import Project, Tree
from history_ways import Ended

Word: TypeAlias = Literal["due", "free", "either"]
"""Whether a refusal is due. either: where the rule is silent."""


class Verdict(NamedTuple):
    """Whether a command must be refused, and why."""

    word: Word
    why: str = ""


def digest(data: bytes) -> str:
    """Return the digest that lists of files have."""
    return xxhash.xxh3_128_hexdigest(data)


class Claim(NamedTuple):
    """A line of a list: a file that was placed, of an image also the way to its original."""

    size: int
    digest: str
    source: str | None = None
    origin: str | None = None


@dataclass
class Output:
    """One output: a folder by its real path, and the key of its hidden files.

    placed: name in the folder → digests of what maskforge noted there. images: those that are
    images → digest of the original, and where the user had it. list_: whose the list is. coming:
    what a run that was cut off was about to place. hurt: whether its hidden folder was damaged.
    """

    folder: str
    key: str
    placed: dict[str, set[str]] = field(default_factory=dict)
    images: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    list_: Literal["none", "ours", "foreign"] = "none"
    stage_is_foreign: bool = False
    coming: dict[str, str] = field(default_factory=dict)
    hurt: bool = False

    def path(self, name: str) -> Path:
        """Return the path of a file in it."""
        return Path(self.folder, name)

    @property
    def list_path(self) -> Path:
        """Its list."""
        return self.path(f".maskforge-{self.key}.owned")

    @property
    def stage(self) -> Path:
        """Its hidden folder."""
        return self.path(f".maskforge-{self.key}.new")

    @property
    def manifest(self) -> str:
        """The name of its manifest, "" where it has none."""
        return self._beside("manifest.json")

    @property
    def problems(self) -> str:
        """The name of its list of problems, "" where it has none."""
        return self._beside("problems.jsonl")

    @property
    def failed(self) -> str:
        """The name of the list of a run that converted nothing, "" where it has none."""
        return self._beside("problems.failed.jsonl")

    def _beside(self, name: str) -> str:
        if self.key.endswith(".npy"):
            return f"{Path(self.key).stem}.{name}"
        return name if self.key == "convert" else ""

    def claims(self) -> dict[str, list[Claim]]:
        """Return what its list says: name → what was placed there, the last one last."""
        found: dict[str, list[Claim]] = {}
        if self.list_path.is_file():
            for line in self.list_path.read_bytes().splitlines():
                try:
                    values = json.loads(line)
                except ValueError:
                    continue  # it was added to by hand
                if isinstance(values, list) and len(values) > 1:
                    found.setdefault(values[0], []).append(Claim(*values[1:]))
        return found

    @property
    def is_pending(self) -> bool:
        """Whether an exchange was cut off."""
        return not self.stage_is_foreign and (self.stage / "exchange.jsonl").is_file()

    def journal(self) -> list[Any]:
        """Return what a run that was cut off had done; the first line says its settings."""
        path = self.stage / "journal.jsonl"
        if self.stage_is_foreign or not path.is_file():
            return []
        return path.read_bytes().splitlines()


@dataclass(frozen=True)
class Need:
    """What a command makes, by a run of it into an empty place.

    code: its exit code. files: by name. images: those of them that are images → digest of the
    original. fingerprint: of its settings. failed: whether some image could not be converted.
    """

    code: int
    files: dict[str, bytes] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)
    fingerprint: str = ""
    failed: bool = False

    def is_soft(self, name: str) -> bool:
        """Tell whether a stranger with the same bytes is in nobody's way: lists and images."""
        return name.endswith(".txt") or name in self.images


Known: TypeAlias = dict[tuple[str, str], Output]
"""Outputs by folder and key."""


def way_of(project: Project, output: Output, name: str) -> str:
    """Return the way from the current folder to a file of an output."""
    return os.path.relpath(output.path(name), project.cwd)


def name_in(project: Project, output: Output, way: str) -> str:
    """Return how an output calls the file at ``way`` from the current folder."""
    return os.path.relpath(project.cwd / way, output.folder)


def output_of(line: Line, project: Project, known: Known) -> Output:
    """Return what is known of the output that a command writes."""
    target = project.cwd / line.target
    key = (os.path.realpath(target.parent if line.is_file else target), line.key)
    return known.setdefault(key, Output(*key))


def need_of(ended: Ended, folder: Path, manifest: str) -> Need:
    """Return what a run into the empty place ``folder`` has made there."""
    if not folder.is_dir():
        return Need(ended.code)
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and (path.suffix == ".done" or not path.name.startswith(".maskforge-"))
    }
    if manifest not in files:
        return Need(ended.code, files, fingerprint=noted(files))
    content = json.loads(files[manifest])
    images = {
        record["image"]: record["image_digest"] or record["digest"]
        for record in content["images"]
        if record["image"]
    }
    problems = files.get(manifest.replace("manifest.json", "problems.jsonl"), b"")
    failed = any(b'"severity":"error"' in line.replace(b" ", b"") for line in problems.splitlines())
    return Need(ended.code, files, images, content["fingerprint"], failed)


def verdict(line: Line, output: Output, need: Need, project: Project) -> Verdict:
    """Return whether a refusal of the command is due."""
    due = (
        is_no_place(line, project)
        or _is_foreign(output)
        or _stands(line, output)
        or _is_other(line, output, need, project)
        or _in_the_way(output, need, project)
    )
    if due is None:
        return Verdict("free")
    if due.word == "due" and output.hurt:
        return Verdict("either", f"{due.why}; its hidden folder was damaged")
    return due


def verdict_on_training(line: Line, output: Output, need: Need, project: Project) -> Verdict:
    """Return whether a training must be refused: with ``--overwrite`` the earlier run moves."""
    due = is_no_place(line, project) or _is_foreign(output) or _stands(line, output)
    if due is not None:
        return due
    if line.flag == "--resume" or output.list_ == "foreign" or output.is_pending:
        return Verdict("either", "a training that goes on, or was copied")
    for name in need.files:
        found = state(output, name, project)
        moves = line.flag == "--overwrite" and name in output.placed and found != "foreign"
        if found not in ("absent", "ours", "damaged") and not moves:
            return Verdict("due", f"{name} is {found}")
    return Verdict("free")


def is_no_place(line: Line, project: Project) -> Verdict | None:
    """Return why nothing can be written where the command writes, None where it can."""
    target = project.cwd / line.target
    folder = target
    if line.is_file:
        folder = target.parent
        if target.is_dir():
            return Verdict("due", "the file would be a folder")
    while not os.path.lexists(folder):
        folder = folder.parent
    return None if folder.is_dir() else Verdict("due", f"{folder.name} is no folder")


def _is_foreign(output: Output) -> Verdict | None:
    if output.stage_is_foreign and os.path.lexists(output.stage):
        return Verdict("due", "the hidden folder came from elsewhere")
    return None


def _stands(line: Line, output: Output) -> Verdict | None:
    if line.flag:
        return None
    names = {*output.placed, *output.coming} if output.is_pending else {*output.placed}
    if names == {output.problems} and len(output.journal()) < 2:
        return None  # a run that converted nothing left what was wrong, and no output
    there = [name for name in names if os.path.lexists(output.path(name))]
    if output.is_pending and (there or any(output.stage.glob("files-*/*"))):
        return Verdict("due", "an exchange was cut off, after whose end an output stands")
    if len(output.journal()) > 1:
        return Verdict("due", "an unfinished run")
    if output.list_ == "ours" and there:
        return Verdict("due", f"an earlier output stands: {there[0]}")
    return None


def _is_other(line: Line, output: Output, need: Need, project: Project) -> Verdict | None:
    """A run goes on only with the same settings and classes."""
    if line.flag != "--resume" or line.is_file or not need.fingerprint:
        return None
    journal = output.journal()
    if len(journal) > 1 and not output.is_pending:
        found = json.loads(journal[0]).get("fingerprint")
        why = "the unfinished run has other settings"
        return None if found == need.fingerprint else Verdict("due", why)
    if output.is_pending:
        return Verdict("either", "settings are compared with what is exchanged first")
    if output.manifest and state(output, output.manifest, project) == "ours":
        found = json.loads(output.path(output.manifest).read_bytes())["fingerprint"]
        return None if found == need.fingerprint else Verdict("due", "made with other settings")
    note = f".maskforge-{output.key}.done"
    if not output.manifest and state(output, note, project) == "ours":
        found = noted({note: output.path(note).read_bytes()})
        return None if found == need.fingerprint else Verdict("due", "of another network")
    return None


def noted(files: Mapping[str, bytes]) -> str:
    """Return the fingerprint in what predictions note, "" where these files have no note."""
    for name, data in files.items():
        if name.endswith(".done"):
            return str(json.loads(data.partition(b"\n")[0])["fingerprint"])
    return ""


def _in_the_way(output: Output, need: Need, project: Project) -> Verdict | None:
    either = None
    told = dict.fromkeys(filter(None, (output.manifest, output.problems)))
    names: dict[str, bytes | None] = {**told, **need.files}
    if output.is_pending:
        names |= dict.fromkeys(output.coming.keys() - names.keys())
    for name, data in names.items():
        found = state(output, name, project)
        if found in ("absent", "ours", "damaged"):
            continue
        path = output.path(name)
        same = path.is_file() and not path.is_symlink() and path.read_bytes() == data
        if found == "foreign" and same and need.is_soft(name):
            continue
        if same or found == "outside" or name in output.coming:
            either = Verdict("either", f"{name} is {found}, with the same bytes")
            continue
        return Verdict("due", f"{name} is {found}")
    return either


def state(output: Output, name: str, project: Project) -> str:
    """Return whose the file at ``name`` is: absent ours damaged changed foreign outside."""
    way = output.path(name)
    for above in list(way.relative_to(output.folder).parents)[:-1]:
        if os.path.lexists(output.path(str(above))) and not output.path(str(above)).is_dir():
            return "foreign"
    if not os.path.lexists(way):
        return "absent"
    real = os.path.realpath(way.parent)
    if not (real + os.sep).startswith(output.folder + os.sep):
        return "outside"
    if way.is_symlink() or not way.is_file() or output.list_ != "ours":
        return "foreign"
    if name not in output.placed:
        return "foreign"
    data = way.read_bytes()
    if digest(data) in output.placed[name] or is_the_original(output, name):
        return "ours"
    shown = os.path.relpath(way, project.cwd)
    return "damaged" if project.damaged.get(shown) == data else "changed"


def is_the_original(output: Output, name: str) -> bool:
    """Tell whether a hard link in the output is one of the user's own image."""
    way = output.path(name)
    claim = output.claims().get(name, [Claim(0, "")])[-1]
    return claim.source is not None and _same_file(output.path(claim.source), way)


def _same_file(one: Path, other: Path) -> bool:
    return one.is_file() and not one.is_symlink() and other.exists() and one.samefile(other)


def precious(output: Output, project: Project, files: Tree) -> dict[str, bytes]:
    """Return the images in an output whose originals the user does not have any more, by name."""
    found = {}
    for name, (origin, places) in output.images.items():
        shown = os.path.relpath(output.path(name), project.cwd)
        data = files.get(shown)
        if not isinstance(data, bytes) or shown in project.mine or shown in project.damaged:
            continue
        if digest(data) not in output.placed.get(name, ()):
            continue
        held = (files.get(place) for place in places)
        if not any(isinstance(there, bytes) and digest(there) == origin for there in held):
            found[shown] = data
    return found
