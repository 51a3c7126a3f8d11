"""A project folder as a user has it, and the record of which files in it are the user's."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from history_makers import LABELS, Maker


class Link(NamedTuple):
    """A symbolic link, and where it leads."""

    target: str


Content: TypeAlias = bytes | Link
Tree: TypeAlias = dict[str, Content]
"""Files by their way from the current folder, with forward slashes."""


class Project(Maker):
    """The folder ``cwd`` in ``top``, in which all commands run.

    mine: the files that are the user's: made, changed or put there last by the user. touched: files
    that the user removed, changed or damaged since a command last ended. damaged: what became of
    files that a power cut or a bad disk emptied or cut: nobody's work. sources: what can be named
    to be converted, with its format.
    """

    def __init__(self, top: Path, rng: random.Random) -> None:
        super().__init__(rng)
        self.top = top
        self.cwd = top / "project"
        self.cwd.mkdir(parents=True)
        self.mine: Tree = {}
        self.touched: set[str] = set()
        self.damaged: Tree = {}
        self.sources: dict[str, str] = {}
        self._twins: dict[str, set[str]] = {}
        self._ticks = 0

    def one(self, found: Iterable[Any]) -> Any:
        """Return one of what was found, None where that is nothing."""
        among = sorted(found, key=str)
        return self.rng.choice(among) if among else None

    # What the user does to files

    def write(self, name: str, data: bytes, *, in_place: bool = False) -> None:
        """Write a file of the user's; in place, where a hard link of it changes with it."""
        path = self.cwd / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if in_place:
            self._note_twins(name)
            path.write_bytes(data)
        else:
            self._take_twins(name)
            part = path.with_name("part.tmp")
            part.write_bytes(data)
            os.replace(part, path)
        self._tick(path)
        self.mine[name] = data
        self.touched.add(name)
        self.damaged.pop(name, None)

    def damage(self, name: str, data: bytes) -> None:
        """Have a power cut leave ``data`` of a file; so it is nobody's work."""
        path = self.cwd / name
        path.unlink()
        path.write_bytes(data)
        self._tick(path)
        self.mine.pop(name, None)
        self.touched.add(name)
        self.damaged[name] = data

    def link(self, name: str, target: str) -> None:
        """Make a symbolic link."""
        (self.cwd / name).symlink_to(target)
        self.mine[name] = Link(target)
        self.touched.add(name)

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all in it, but for what its links lead to."""
        path = self.cwd / name
        for below in self.below(name):
            self._take_twins(below)
            self.forget(below)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()

    def rename(self, name: str, new: str) -> None:
        """Rename a file or folder; what is maskforge's own in it stays so."""
        moved = {n: self.mine[n] for n in self.below(name) if n in self.mine}
        gone = {n for n in self.touched if n == name or n.startswith(f"{name}/")}
        self.touched |= {new + n.removeprefix(name) for n in gone}
        for below in self.below(name):
            self._take_twins(below)
            self.forget(below)
            self.touched.add(new + below.removeprefix(name))
        (self.cwd / new).parent.mkdir(parents=True, exist_ok=True)
        os.rename(self.cwd / name, self.cwd / new)
        self.mine |= {new + n.removeprefix(name): data for n, data in moved.items()}

    def copy(self, name: str, new: str) -> None:
        """Copy a file or folder; the visible files of the copy are the user's."""
        if (self.cwd / name).is_dir():
            shutil.copytree(self.cwd / name, self.cwd / new, symlinks=True)
        else:
            (self.cwd / new).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(self.cwd / name, self.cwd / new)
        for below in self.below(new):
            data = self.read(below)
            if data is not None and not is_hidden(below):
                self.mine[below] = data
                self.touched.add(below)

    def _note_twins(self, name: str) -> None:
        """Take note of other names of a file, in outputs, that is about to be edited."""
        path = self.cwd / name
        if path.is_file() and path.stat().st_nlink > 1:
            others = [n for n in snapshot(self)[0] if n != name and (self.cwd / n).is_file()]
            for other in others:
                if (self.cwd / other).samefile(path):
                    self.touched.add(other)
                    self._twins.setdefault(name, set()).add(other)

    def _take_twins(self, name: str) -> None:
        """Make what was edited in an output the user's, now that it has no other name any more."""
        for other in self._twins.pop(name, ()):
            path = self.cwd / other
            if path.is_file() and (self.cwd / name).is_file() and path.samefile(self.cwd / name):
                self.mine[other] = path.read_bytes()

    def forget(self, name: str) -> None:
        """Take note that nothing is at ``name`` any more."""
        self.mine.pop(name, None)
        self.damaged.pop(name, None)
        self.touched.add(name)

    def below(self, name: str) -> list[str]:
        """Return the file ``name``, or the files in that folder."""
        path = self.cwd / name
        if path.is_symlink() or not path.is_dir():
            return [name] if os.path.lexists(path) else []
        return [n for n in snapshot(self)[0] if n.startswith(f"{name}/")]

    def read(self, name: str) -> Content | None:
        """Return what is at ``name``, None where there is no file."""
        path = self.cwd / name
        if path.is_symlink():
            return Link(os.readlink(path))
        return path.read_bytes() if path.is_file() else None

    def _tick(self, path: Path) -> None:
        """Give a file a time of its own: no two edits of a person fall into one tick."""
        self._ticks += 1
        found = path.stat().st_mtime_ns + 10_000_000 * self._ticks
        os.utime(path, ns=(found, found))

    # What a project is made of

    def make(self) -> None:
        """Write the project: annotations, photographs, and much that is none of our business."""
        kinds = ("photos", "annotations", "here", "via", "ochuman")
        chosen = [kind for kind, share in zip(kinds, (6, 4, 3, 5, 4), strict=True)
                  if self.rng.randrange(10) < share] or ["photos"]  # fmt: skip
        for kind in chosen:
            getattr(self, f"_make_{kind}")()
        self._make_others()

    def make_data(self, network: bytes) -> None:
        """Write a small data set, and a network that was trained on one."""
        for stem in "0123":
            self.write(f"data/images/{stem}.png", self.picture(16, 24, ".png"))
            self.write(f"data/masks/{stem}.png", self.mask(16, 24))
        self.write("data/labels.txt", b"box\ncat\n")
        if network:
            self.write("net.pt", network)

    def _make_photos(self) -> None:
        for stem in self._stems("abcd"):
            folder = "photos/more" if self.rng.random() < 0.2 else "photos"
            self._beside(folder, stem)
        if self.rng.random() < 0.15:
            data = self.photo(".png")
            self.write("photos/street.png", data)
            self.write("photos/street.manifest.json", self.labelme(data, "street.png"))
        if self.rng.random() < 0.15:
            self._beside("photos", "labels.txt", suffix=".jpg")
        self.sources["photos"] = "labelme"

    def _make_annotations(self) -> None:
        for stem in self._stems("klmn"):
            suffix = self.rng.choice((".jpg", ".png"))
            data = self.photo(suffix)
            self.write(f"images/{stem}{suffix}", data)
            self.write(f"annotations/{stem}.json", self.labelme(data, f"../images/{stem}{suffix}"))
        self.sources["annotations"] = "labelme"

    def _make_here(self) -> None:
        for stem in self._stems("xyz"):
            self._beside(".", stem)
        self.sources["."] = "labelme"

    def _beside(self, folder: str, stem: str, *, suffix: str = "") -> None:
        suffix = suffix or self.rng.choice((".jpg", ".png", ".jpg", ".bmp"))
        orientation = self.rng.choice((1, 1, 1, 6, 3))
        data = self.photo(suffix, orientation=orientation)
        way = "" if folder == "." else f"{folder}/"
        embedded = self.rng.random() < 0.1
        if not (embedded and self.rng.random() < 0.5):
            self.write(f"{way}{stem}{suffix}", data)
        self.write(f"{way}{stem}.json", self.labelme(data, f"{stem}{suffix}", embedded=embedded))

    def _make_via(self) -> None:
        folder = self.rng.choice(("", "", "images/"))
        photos = {f"via-{stem}.jpg": self.photo(".jpg") for stem in self._stems("pqrs")}
        for name, data in photos.items():
            self.write(f"{folder}{name}", data)
        self.write("seg.json", self.via(photos))
        self.sources["seg.json"] = "via"

    def _make_ochuman(self) -> None:
        photos = {f"{int(stem):06}.jpg": self.photo(".jpg") for stem in self._stems("1234")}
        for name, data in photos.items():
            self.write(f"images/{name}", data)
        self.write("ochuman.json", self.ochuman(photos))
        self.sources["ochuman.json"] = "ochuman"

    def _stems(self, letters: str) -> list[str]:
        return self.rng.sample(letters, self.rng.randint(2, len(letters)))

    def _make_others(self) -> None:
        """Write what is nobody's business but the user's, some of it where outputs go."""
        self.write("notes.txt", b"call the printer\n")
        self.write("thesis.docx", self.rng.randbytes(300))
        self.write("../letter.txt", b"dear reader\n")
        every = "\n".join(LABELS).encode() + b"\n"
        extras = (
            (0.3, f"masks/{self.rng.choice('abkxy')}.png", self.mask()),
            (0.1, "labels.txt", every),
            (0.1, "photos/labels.txt", every),
            (0.1, "train.txt", b"a\nb\n"),
            (0.1, "seg.labels.txt", self.rng.choice((every, b"mine\n"))),
            (0.05, "seg-previews/via-p.jpg", self.photo(".jpg")),
            (0.05, "problems.jsonl", b'{"mine": 1}\n'),
            (0.05, "photos-masks/masks/a.png", self.mask()),
            (0.05, "photos-masks/read me.txt", b"do not touch\n"),
            (0.1, "images/a.png", self.photo(".png")),
        )
        for share, name, data in extras:
            fits = not name.startswith("photos/") or "photos" in self.sources
            if self.rng.random() < share and name not in self.mine and fits:
                self.write(name, data)
        (self.cwd / "empty").mkdir()
        if (self.cwd / "images").is_dir() and self.rng.random() < 0.3:
            self.link("linked", "images")


def is_hidden(name: str) -> bool:
    """Tell whether a file is what maskforge keeps for itself, or in a folder of that kind."""
    return any(part.startswith(".maskforge-") for part in name.split("/"))


def snapshot(project: Project) -> tuple[Tree, set[str]]:
    """Return all files of the project, hidden ones too, and its folders."""
    files: Tree = {}
    folders: set[str] = set()
    waiting = [(str(project.top), "../"), (str(project.cwd), "")]
    while waiting:
        folder, way = waiting.pop()
        for entry in os.scandir(folder):
            name = f"{way}{entry.name}"
            if entry.is_symlink():
                files[name] = Link(os.readlink(entry.path))
            elif entry.is_dir():
                if name != "../project":
                    folders.add(name)
                    waiting.append((entry.path, f"{name}/"))
            else:
                with open(entry.path, "rb") as file:
                    files[name] = file.read()
    return files, folders
