"""What a user does between two commands, what chance does, and what comes from elsewhere.

Each step changes the project and returns what a person would have typed, or None where there is
nothing that it could be done to.
"""

from __future__ import annotations

import io
import json
import os
import random
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from history_law import Output, digest
from history_project import LABELS, Project, is_hidden
from PIL import Image

Known = dict[tuple[str, str], Output]
Step = Callable[[Project, Known], str | None]

_PHOTOS = (".jpg", ".png", ".bmp")


# The user's own files


def remove_photo(project: Project, known: Known) -> str | None:
    name = _one(project, _photos(project))
    if name is None:
        return None
    project.remove(name)
    return f"rm '{name}'"


def replace_photo(project: Project, known: Known) -> str | None:
    name = _one(project, _photos(project))
    if name is None:
        return None
    size = _size(project.mine[name])
    in_place = project.rng.random() < 0.3
    project.write(name, project.picture(*size, Path(name).suffix), in_place=in_place)
    return f"another picture over '{name}'" + (", in place" if in_place else "")


def turn_photo(project: Project, known: Known) -> str | None:
    """Change the EXIF orientation and nothing else, at the same size, as tools do in place."""
    name = _one(project, [n for n in _photos(project) if n.endswith(".jpg")])
    if name is None:
        return None
    data = bytes(project.mine[name])
    at = data.find(b"\x12\x01\x03\x00\x01\x00\x00\x00")  # the tag, little-endian, one short
    big = data.find(b"\x01\x12\x00\x03\x00\x00\x00\x01")
    if at < 0 and big < 0:
        return None
    place = at + 8 if at >= 0 else big + 9
    turned = bytearray(data)
    turned[place] = 3 if turned[place] == 1 else 1
    project.write(name, bytes(turned), in_place=project.rng.random() < 0.5)
    return f"exiftool -Orientation#={turned[place]} '{name}'"


def rename_photo(project: Project, known: Known) -> str | None:
    name = _one(project, _photos(project))
    if name is None:
        return None
    new = str(Path(name).with_name(f"renamed-{project.rng.randrange(100)}{Path(name).suffix}"))
    if os.path.lexists(project.cwd / new):
        return None
    project.rename(name, new)
    return f"mv '{name}' '{new}'"


def move_photo_to_an_output(project: Project, known: Known) -> str | None:
    """Put a photograph where the copy of it lies, or lay."""
    places = [_shown(project, o, n) for o in known.values() for n in o.images]
    name = _one(project, _photos(project))
    target = _one(project, places)
    if name is None or target is None or not (project.cwd / target).parent.is_dir():
        return None
    if (project.cwd / target).is_dir() or (project.cwd / target).is_symlink():
        return None
    data = bytes(project.mine[name])
    project.write(target, data)
    project.remove(name)
    if any(digest(data) in o.placed.get(_name(project, o, target), ()) for o in known.values()):
        del project.mine[target]  # nobody can tell it from the copy; it is the only one now
    return f"mv '{name}' '{target}'"


def remove_annotation(project: Project, known: Known) -> str | None:
    name = _one(project, _annotations(project))
    if name is None:
        return None
    project.remove(name)
    return f"rm '{name}'"


def damage_annotation(project: Project, known: Known) -> str | None:
    name = _one(project, [*_annotations(project), *_collections(project)])
    if name is None:
        return None
    data = bytes(project.mine[name])
    project.write(name, data[: project.rng.randrange(len(data))])
    return f"truncate '{name}'"


def change_annotation(project: Project, known: Known) -> str | None:
    name = _one(project, _annotations(project))
    if name is None:
        return None
    try:
        document = json.loads(bytes(project.mine[name]))
    except ValueError:
        return None
    labels = ("zebra",) if project.rng.random() < 0.15 else LABELS
    size = (document["imageHeight"], document["imageWidth"])
    document["shapes"] = [
        {"label": label, "points": [[x, y], [x + w, y + h]], "shape_type": "rectangle"}
        for label, x, y, w, h in project.shapes(size, labels)
    ]
    project.write(name, json.dumps(document).encode())
    return f"other shapes in '{name}'"


def add_annotation(project: Project, known: Known) -> str | None:
    folder = "photos" if "photos" in project.sources else "."
    stem = project.rng.choice("efgh")
    way = "" if folder == "." else f"{folder}/"
    if any(os.path.lexists(project.cwd / f"{way}{stem}{s}") for s in (".json", *_PHOTOS)):
        return None
    data = project.photo(".png")
    project.write(f"{way}{stem}.png", data)
    project.write(f"{way}{stem}.json", project.labelme(data, f"{stem}.png"))
    return f"'{way}{stem}.png' and '{way}{stem}.json' are new"


def change_collection(project: Project, known: Known) -> str | None:
    """Take an image out of a VIA or OCHuman file, or draw in it anew."""
    name = _one(project, _collections(project))
    if name is None:
        return None
    try:
        document = json.loads(bytes(project.mine[name]))
    except ValueError:
        return None
    entries = document.get("images", document)
    if len(entries) < 2:
        return None
    chosen = project.rng.choice(range(len(entries)))
    what = "one image less in"
    if isinstance(entries, list):
        entries.pop(chosen)
    elif project.rng.random() < 0.5:
        entries.pop(list(entries)[chosen])
    else:
        what = "another label in"
        for region in entries[list(entries)[chosen]]["regions"]:
            region["region_attributes"]["class"] = project.rng.choice(LABELS)
    project.write(name, json.dumps(document).encode())
    return f"{what} '{name}'"


# Files of outputs


def edit_output(project: Project, known: Known) -> str | None:
    """Have a person work on a file that maskforge made: it is the person's from then on."""
    name = _one(project, _placed(project, known))
    if name is None:
        return None
    suffix = Path(name).suffix
    if suffix == ".png":
        data = project.mask()
    elif suffix == ".bmp" and project.rng.random() < 0.7:
        data = project.painted_black((project.cwd / name).read_bytes())
    elif suffix in _PHOTOS:
        data = project.photo(suffix)
    elif suffix in (".txt", ".jsonl"):
        data = (project.cwd / name).read_bytes() + b"mine\n"
    else:
        data = (project.cwd / name).read_bytes() + b"\n"
    project.write(name, data)
    return f"edit '{name}'"


def remove_output_file(project: Project, known: Known) -> str | None:
    name = _one(project, _placed(project, known))
    if name is None:
        return None
    project.remove(name)
    return f"rm '{name}'"


def damage_output(project: Project, known: Known) -> str | None:
    """Empty or cut a file that maskforge made, as a power cut does."""
    name = _one(project, _placed(project, known))
    if name is None:
        return None
    data = (project.cwd / name).read_bytes()
    if (project.cwd / name).stat().st_nlink > 1 or not data:
        return None  # a link to the user's own
    cut = b""
    if Path(name).suffix in (".png", ".jpg", ".npy") and project.rng.random() < 0.6:
        cut = data[: project.rng.randrange(1, len(data) - 1)]
    project.damage(name, cut)
    return f"truncate -s {len(cut)} '{name}'"


def put_a_stray(project: Project, known: Known) -> str | None:
    """Put a file into the folder of an output, or into one that will be one."""
    folders = [
        os.path.relpath(output.folder, project.cwd)
        for output in known.values()
        if os.path.isdir(output.folder)
    ]
    folder = _one(project, folders)
    if folder is None:
        return None
    names = ("read me.txt", "masks/mine.png", "images/mine.png", "labels.txt", "train.txt",
             "previews/mine.jpg", "a.manifest.json", "masks/e.png", "previews/f.jpg")  # fmt: skip
    name = os.path.normpath(f"{folder}/{project.rng.choice(names)}")
    parent = (project.cwd / name).parent
    if os.path.lexists(project.cwd / name) or (os.path.lexists(parent) and not parent.is_dir()):
        return None
    data = project.mask() if name.endswith((".png", ".jpg")) else b"mine\n"
    project.write(name, data)
    return f"cp mine '{name}'"


def put_a_stray_in_the_way(project: Project, known: Known) -> str | None:
    """Put a file of the user's where an output had or will have one."""
    names = [_shown(project, o, n) for o in known.values() for n in {*o.placed, *o.coming}]
    name = _one(project, [n for n in names if not os.path.lexists(project.cwd / n)])
    if name is None:
        return None
    parent = (project.cwd / name).parent
    while not os.path.lexists(parent):
        parent = parent.parent
    if not parent.is_dir():
        return None
    project.write(name, b"mine, and no other's\n")
    return f"cp mine '{name}'"


def remove_manifest(project: Project, known: Known) -> str | None:
    names = [_shown(project, output, output.manifest) for output in known.values()]
    name = _one(project, [n for n in names if (project.cwd / n).is_file()])
    if name is None:
        return None
    project.remove(name)
    return f"rm '{name}'"


def remove_list(project: Project, known: Known) -> str | None:
    output = _one(project, [o for o in known.values() if o.list_path.is_file()])
    if output is None:
        return None
    output.list_path.unlink()
    output.list_ = "none"
    return f"rm '{_shown(project, output, output.list_path.name)}'"


def remove_output(project: Project, known: Known) -> str | None:
    """Remove all that an output has placed, or its whole folder."""
    output = _one(project, [o for o in known.values() if o.placed and os.path.isdir(o.folder)])
    if output is None:
        return None
    shown = os.path.relpath(output.folder, project.cwd)
    if output.key == "convert" and shown not in (".", "..", *project.sources, "images"):
        project.remove(shown)
        _gone(known, output.folder)
        return f"rm -r '{shown}'"
    for name in output.placed:
        way = _shown(project, output, name)
        if os.path.lexists(project.cwd / way) and not (project.cwd / way).is_dir():
            project.remove(way)
    return f"rm all files of the output '{output.key}' in '{shown}'"


def put_a_folder_or_link(project: Project, known: Known) -> str | None:
    """Put a folder or a symbolic link where a file of an output was."""
    name = _one(project, _placed(project, known))
    if name is None:
        return None
    project.remove(name)
    if project.rng.random() < 0.5:
        (project.cwd / name).mkdir()
        project.write(f"{name}/kept.txt", b"in a folder\n")
        return f"rm '{name}'; mkdir '{name}'; cp kept.txt '{name}/'"
    target = os.path.relpath(project.cwd / "notes.txt", (project.cwd / name).parent.resolve())
    project.link(name, target)
    return f"ln -sf '{target}' '{name}'"


def rename_output(project: Project, known: Known) -> str | None:
    """Rename the folder of an output, which stays what it is."""
    output = _one(project, _folders(project, known))
    if output is None:
        return None
    shown = os.path.relpath(output.folder, project.cwd)
    new = f"moved-{project.rng.randrange(10)}"
    if os.path.lexists(project.cwd / new) or os.path.dirname(shown):
        return None
    project.rename(shown, new)
    _move(known, output.folder, os.path.join(os.path.dirname(output.folder), new))
    return f"mv '{shown}' '{new}'"


def copy_output(project: Project, known: Known) -> str | None:
    """Copy the folder of an output: nothing in the copy is maskforge's."""
    output = _one(project, _folders(project, known))
    if output is None:
        return None
    shown = os.path.relpath(output.folder, project.cwd)
    new = project.rng.choice(("out", "copied"))
    if os.path.lexists(project.cwd / new):
        return None
    project.copy(shown, new)
    folder = os.path.realpath(project.cwd / new)
    copied = known.setdefault((folder, output.key), Output(folder, output.key))
    copied.list_ = "foreign" if copied.list_path.exists() else "none"
    copied.stage_is_foreign = copied.stage.exists()
    return f"cp -r '{shown}' '{new}'"


def move_back(project: Project, known: Known) -> str | None:
    """Put the copy or the renamed output in the place of another."""
    names = [
        n for n in ("copied", *(f"moved-{k}" for k in range(10))) if (project.cwd / n).is_dir()
    ]
    name = _one(project, names)
    output = _one(project, [o for o in _folders(project, known) if not os.path.exists(o.folder)])
    if name is None or output is None:
        return None
    shown = os.path.relpath(output.folder, project.cwd)
    old = os.path.realpath(project.cwd / name)
    project.rename(name, shown)
    _gone(known, output.folder)
    _move(known, old, output.folder)
    return f"mv '{name}' '{shown}'"


# What a run that was cut off left


def hurt_the_hidden_folder(project: Project, known: Known) -> str | None:
    """Cut a file that waits, as a power cut after a kill would."""
    waiting = [o for o in known.values() if o.stage.is_dir() and not o.stage_is_foreign]
    output = _one(project, waiting)
    if output is None:
        return None
    files = sorted(path for path in output.stage.rglob("*") if path.is_file())
    path = _one(project, [p for p in files if p.name not in ("run.json", "exchange.jsonl")])
    if path is None or path.stat().st_nlink > 1:
        return None
    size = path.stat().st_size
    os.truncate(path, project.rng.choice((0, size // 2, max(0, size - 1))))
    output.hurt = True
    return f"truncate -s -… '{os.path.relpath(path, project.cwd)}'"


def remove_the_hidden_folder(project: Project, known: Known) -> str | None:
    output = _one(project, [o for o in known.values() if o.stage.is_dir()])
    if output is None:
        return None
    shutil.rmtree(output.stage)
    output.stage_is_foreign = output.hurt = False
    return f"rm -r '{os.path.relpath(output.stage, project.cwd)}'"


def edit_what_waits(project: Project, known: Known) -> str | None:
    """Edit a file that is about to be replaced or removed, or one that was just placed."""
    name = _one(project, [n for n in _waiting(project, known) if (project.cwd / n).is_file()])
    if name is None:
        return None
    project.write(name, project.mask() if name.endswith(".png") else b"mine meanwhile\n")
    return f"edit '{name}'"


def remove_what_waits(project: Project, known: Known) -> str | None:
    """Remove a file that is about to be replaced or removed, or one that was just placed."""
    names = [n for n in _waiting(project, known) if n not in project.mine]
    name = _one(project, [n for n in names if (project.cwd / n).is_file()])
    if name is None:
        return None
    project.remove(name)
    return f"rm '{name}'"


def remove_an_original(project: Project, known: Known) -> str | None:
    """Remove the original of an image in an output, or put another picture in its place."""
    waiting = [o for o in known.values() if o.is_pending]
    places = {place for o in waiting for _, places in o.images.values() for place in places}
    name = _one(project, [place for place in places if place in _photos(project)])
    if name is None:
        return None
    if project.rng.random() < 0.5:
        project.remove(name)
        return f"rm '{name}'"
    project.write(name, project.picture(*_size(project.mine[name]), Path(name).suffix))
    return f"another picture over '{name}'"


# What comes from elsewhere


def foreign_manifest(project: Project, known: Known) -> str | None:
    """Put a manifest of elsewhere where an output goes, that names the user's files as its own."""
    output = _one(project, [o for o in known.values() if os.path.isdir(o.folder)])
    if output is None or os.path.lexists(output.path(output.manifest)):
        return None
    records = [
        {"stem": "a", "image": "notes.txt", "mask": "../thesis.docx", "preview": None},
        {"stem": "b", "image": "photos/a.png", "mask": "masks/a.png", "extra": {"x": "train.txt"}},
    ]
    head = {"format": f"maskforge-manifest/{project.rng.choice('12')}", "classes": {}}
    data = json.dumps({**head, "settings": {}, "fingerprint": "", "images": records}).encode()
    name = _shown(project, output, output.manifest)
    project.write(name, data)
    return f"cp ~/Downloads/manifest.json '{name}'"


def foreign_list(project: Project, known: Known) -> str | None:
    """Put a list of elsewhere there, that names the user's files with their sizes and digests."""
    output = _one(project, [o for o in known.values() if os.path.isdir(o.folder)])
    if output is None:
        return None
    number = output.list_path.stat().st_ino if output.list_path.exists() else 0
    lines = [json.dumps({"format": "maskforge-owned/1", "what": "conversion"})]
    lines += _naming_mine(project, output)
    lines += [json.dumps({"check": digest(str(number + 1).encode())})]
    data = "\n".join(lines).encode() + b"\n"
    if output.list_path.exists() and project.rng.random() < 0.5:
        with output.list_path.open("r+b") as file:  # cp writes into the file that is there
            file.truncate()
            file.write(data)
    else:
        part = output.path("part.tmp")
        part.write_bytes(data)
        os.replace(part, output.list_path)
    output.list_ = "foreign"
    return f"cp ~/Downloads/list '{_shown(project, output, output.list_path.name)}'"


def lines_added_to_a_list(project: Project, known: Known) -> str | None:
    """Add to a list, in place, lines that name the user's files: they prove nothing."""
    output = _one(project, [o for o in known.values() if o.list_ == "ours"])
    if output is None or not output.list_path.is_file():
        return None
    lines = "\n".join(_naming_mine(project, output))
    with output.list_path.open("ab") as file:
        file.write(lines.encode() + b"\n" * project.rng.randint(0, 1))
    return f"cat names >> '{_shown(project, output, output.list_path.name)}'"


def foreign_hidden_folder(project: Project, known: Known) -> str | None:
    """Put a hidden folder of elsewhere there, whose renames would take the user's files."""
    output = _one(project, [o for o in known.values() if os.path.isdir(o.folder)])
    if output is None or os.path.lexists(output.stage):
        return None
    root = output.stage / "files-1"
    root.mkdir(parents=True)
    steps: list[Any] = [["root", "files-1"]]
    for name in _mine_in(project, output)[:3]:
        found = output.path(name).lstat()
        data = output.path(name).read_bytes()
        seen = [found.st_size, found.st_mtime_ns]
        entry = [len(data), digest(data), None, None]
        if project.rng.random() < 0.5:
            steps.append(["remove", name, *entry, seen])
        else:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(b"theirs")
            steps.append(["place", name, 6, digest(b"theirs"), None, None, seen])
    steps += [["folder", "empty"], ["end"]]
    lines = "\n".join(map(json.dumps, steps)) + "\n"
    (output.stage / "exchange.jsonl").write_text(lines)
    number = output.stage.stat().st_ino + project.rng.choice((1, 2))
    bound = {"format": "maskforge-stage/1", "number": number}
    (output.stage / "run.json").write_text(json.dumps(bound))
    output.stage_is_foreign = True
    return f"cp -r ~/Downloads/hidden '{_shown(project, output, output.stage.name)}'"


FOREIGN: Sequence[Step] = (foreign_list, foreign_list, foreign_manifest, foreign_hidden_folder)

OF_THE_INPUT: Sequence[Step] = (
    remove_photo,
    replace_photo,
    remove_annotation,
    damage_annotation,
    change_annotation,
    change_collection,
)

MEANWHILE: Sequence[Step] = (
    edit_what_waits,
    remove_what_waits,
    remove_an_original,
    remove_an_original,
    put_a_stray_in_the_way,
)
"""What happens between an exchange that was cut off and its end."""

STEPS: Sequence[tuple[Step, int]] = (
    (remove_photo, 6),
    (replace_photo, 5),
    (turn_photo, 3),
    (rename_photo, 3),
    (move_photo_to_an_output, 2),
    (remove_annotation, 5),
    (damage_annotation, 4),
    (change_annotation, 6),
    (add_annotation, 4),
    (change_collection, 6),
    (edit_output, 5),
    (remove_output_file, 5),
    (damage_output, 5),
    (put_a_stray, 4),
    (put_a_stray_in_the_way, 2),
    (remove_manifest, 2),
    (remove_list, 1),
    (remove_output, 3),
    (put_a_folder_or_link, 2),
    (rename_output, 2),
    (copy_output, 2),
    (move_back, 2),
    (hurt_the_hidden_folder, 5),
    (remove_the_hidden_folder, 1),
    (foreign_manifest, 2),
    (foreign_list, 2),
    (lines_added_to_a_list, 3),
    (foreign_hidden_folder, 1),
)
"""What can be done between two commands, and how often it is."""


def _one(project: Project, found: Sequence[Any]) -> Any:
    """Return one of what was found, None where that is nothing."""
    return project.rng.choice(sorted(found, key=str)) if found else None


def _photos(project: Project) -> list[str]:
    named = (".jpg", ".png", ".bmp")
    places = ("photos/", "images/", "via-", "x.", "y.", "z.")
    return [
        name
        for name, data in project.mine.items()
        if isinstance(data, bytes) and name.endswith(named) and name.startswith(places)
    ]


def _annotations(project: Project) -> list[str]:
    return [
        name
        for name, data in project.mine.items()
        if name.endswith(".json") and isinstance(data, bytes) and b'"shapes"' in data
    ]


def _collections(project: Project) -> list[str]:
    return [name for name in ("seg.json", "ochuman.json") if name in project.mine]


def _size(data: Any) -> tuple[int, int]:
    with Image.open(io.BytesIO(data)) as image:
        return image.size[1], image.size[0]


def _shown(project: Project, output: Output, name: str) -> str:
    return os.path.relpath(output.path(name), project.cwd)


def _name(project: Project, output: Output, shown: str) -> str:
    return os.path.relpath(project.cwd / shown, output.folder)


def _placed(project: Project, known: Known) -> list[str]:
    """Return what stands of outputs and is no user's, but for the hidden files."""
    names = [_shown(project, o, n) for o in known.values() for n in o.placed]
    return [n for n in names if (project.cwd / n).is_file() and n not in project.mine]


def _waiting(project: Project, known: Known) -> list[str]:
    """Return the files that exchanges which were cut off are about."""
    found = set()
    for output in known.values():
        if output.is_pending:
            for line in (output.stage / "exchange.jsonl").read_bytes().splitlines():
                step = json.loads(line)
                if step[0] in ("place", "aside", "remove"):
                    found.add(_shown(project, output, step[1]))
    return sorted(found)


def _folders(project: Project, known: Known) -> list[Output]:
    """Return the outputs that have a folder for themselves."""
    others = (".", "..", "images", "masks", "photos", "annotations", "empty")
    found = [o for o in known.values() if o.key == "convert" and o.placed]
    return [o for o in found if os.path.relpath(o.folder, project.cwd) not in others]


def _mine_in(project: Project, output: Output) -> list[str]:
    """Return the user's own files in the folder of an output, by their names there."""
    shown = os.path.relpath(output.folder, project.cwd)
    way = "" if shown == "." else f"{shown}/"
    found = [
        name.removeprefix(way)
        for name, data in sorted(project.mine.items())
        if name.startswith(way) and not name.startswith(f"{way}../") and isinstance(data, bytes)
    ]
    project.rng.shuffle(found)
    return found


def _naming_mine(project: Project, output: Output) -> list[str]:
    lines = []
    for name in _mine_in(project, output):
        data = bytes(project.mine[os.path.normpath(_shown(project, output, name))])
        lines.append(json.dumps([name, len(data), digest(data)], separators=(",", ":")))
    return lines


def _gone(known: Known, folder: str) -> None:
    """Forget the outputs in a folder that was removed."""
    for key in [k for k in known if (k[0] + os.sep).startswith(folder + os.sep)]:
        known[key] = Output(*key)


def _move(known: Known, old: str, new: str) -> None:
    """Have the outputs in a folder that was renamed lie in the new one."""
    for key in [k for k in known if (k[0] + os.sep).startswith(old + os.sep)]:
        output = known.pop(key)
        known[key] = Output(*key)
        output.folder = new + output.folder.removeprefix(old)
        known[output.folder, output.key] = output


def choose(rng: random.Random, *, is_cut_off: bool) -> Step:
    """Return one of :data:`STEPS`, where an exchange was cut off mostly one that concerns it."""
    if is_cut_off and rng.random() < 0.7:
        return rng.choice(MEANWHILE)
    steps, weights = zip(*STEPS, strict=True)
    chosen: Step = rng.choices(steps, weights)[0]
    return chosen


__all__ = ["STEPS", "choose", "is_hidden"]
