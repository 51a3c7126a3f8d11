"""What a user, chance and a power cut do to files that maskforge made."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from history_edits import PHOTOS, photos, size_of
from history_law import Known, Output, way_of
from history_project import Project


def edit_output(project: Project, known: Known) -> str | None:
    """Have a person work on a file that maskforge made: it is the person's from then on."""
    name = project.one(_placed(project, known))
    if name is None:
        return None
    suffix = Path(name).suffix
    if suffix == ".png":
        data = project.mask()
    elif suffix == ".bmp" and project.rng.random() < 0.7:
        data = project.painted_black((project.cwd / name).read_bytes())
    elif suffix in PHOTOS:
        data = project.photo(suffix)
    elif suffix in (".txt", ".jsonl"):
        data = (project.cwd / name).read_bytes() + b"mine\n"
    else:
        data = (project.cwd / name).read_bytes() + b"\n"
    project.write(name, data)
    return f"edit '{name}'"


def remove_output_file(project: Project, known: Known) -> str | None:
    name = project.one(_placed(project, known))
    if name is None:
        return None
    project.remove(name)
    return f"rm '{name}'"


def damage_output(project: Project, known: Known) -> str | None:
    """Empty or cut a file that maskforge made, as a power cut does."""
    name = project.one(_placed(project, known))
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
    folder = project.one(folders)
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
    names = [way_of(project, o, n) for o in known.values() for n in {*o.placed, *o.coming}]
    name = project.one([n for n in names if not os.path.lexists(project.cwd / n)])
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
    names = [way_of(project, output, output.manifest) for output in known.values()]
    name = project.one([n for n in names if (project.cwd / n).is_file()])
    if name is None:
        return None
    project.remove(name)
    return f"rm '{name}'"


def remove_list(project: Project, known: Known) -> str | None:
    output = project.one([o for o in known.values() if o.list_path.is_file()])
    if output is None:
        return None
    output.list_path.unlink()
    output.list_ = "none"
    return f"rm '{way_of(project, output, output.list_path.name)}'"


def remove_output(project: Project, known: Known) -> str | None:
    """Remove all that an output has placed, or its whole folder."""
    output = project.one([o for o in known.values() if o.placed and os.path.isdir(o.folder)])
    if output is None:
        return None
    shown = os.path.relpath(output.folder, project.cwd)
    if output.key == "convert" and shown not in (".", "..", *project.sources, "images"):
        project.remove(shown)
        _gone(known, output.folder)
        return f"rm -r '{shown}'"
    for name in output.placed:
        way = way_of(project, output, name)
        if os.path.lexists(project.cwd / way) and not (project.cwd / way).is_dir():
            project.remove(way)
    return f"rm all files of the output '{output.key}' in '{shown}'"


def put_a_folder_or_link(project: Project, known: Known) -> str | None:
    """Put a folder or a symbolic link where a file of an output was."""
    name = project.one(_placed(project, known))
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
    output = project.one(_folders(project, known))
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
    output = project.one(_folders(project, known))
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
    name = project.one(names)
    output = project.one([o for o in _folders(project, known) if not os.path.exists(o.folder)])
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
    output = project.one(waiting)
    if output is None:
        return None
    files = sorted(path for path in output.stage.rglob("*") if path.is_file())
    path = project.one([p for p in files if p.name not in ("run.json", "exchange.jsonl")])
    if path is None or path.stat().st_nlink > 1:
        return None
    size = path.stat().st_size
    os.truncate(path, project.rng.choice((0, size // 2, max(0, size - 1))))
    output.hurt = True
    return f"truncate -s -… '{os.path.relpath(path, project.cwd)}'"


def remove_the_hidden_folder(project: Project, known: Known) -> str | None:
    output = project.one([o for o in known.values() if o.stage.is_dir()])
    if output is None:
        return None
    shutil.rmtree(output.stage)
    output.stage_is_foreign = output.hurt = False
    return f"rm -r '{os.path.relpath(output.stage, project.cwd)}'"


def edit_what_waits(project: Project, known: Known) -> str | None:
    """Edit a file that is about to be replaced or removed, or one that was just placed."""
    name = project.one([n for n in _waiting(project, known) if (project.cwd / n).is_file()])
    if name is None:
        return None
    project.write(name, project.mask() if name.endswith(".png") else b"mine meanwhile\n")
    return f"edit '{name}'"


def remove_what_waits(project: Project, known: Known) -> str | None:
    """Remove a file that is about to be replaced or removed, or one that was just placed."""
    names = [n for n in _waiting(project, known) if n not in project.mine]
    name = project.one([n for n in names if (project.cwd / n).is_file()])
    if name is None:
        return None
    project.remove(name)
    return f"rm '{name}'"


def remove_an_original(project: Project, known: Known) -> str | None:
    """Remove the original of an image in an output, or put another picture in its place."""
    waiting = [o for o in known.values() if o.is_pending]
    places = {place for o in waiting for _, places in o.images.values() for place in places}
    name = project.one([place for place in places if place in photos(project)])
    if name is None:
        return None
    if project.rng.random() < 0.5:
        project.remove(name)
        return f"rm '{name}'"
    project.write(name, project.picture(*size_of(project.mine[name]), Path(name).suffix))
    return f"another picture over '{name}'"


def _placed(project: Project, known: Known) -> list[str]:
    """Return what stands of outputs and is no user's, but for the hidden files."""
    names = [way_of(project, o, n) for o in known.values() for n in o.placed]
    return [n for n in names if (project.cwd / n).is_file() and n not in project.mine]


def _waiting(project: Project, known: Known) -> list[str]:
    """Return the files that exchanges which were cut off are about."""
    found = set()
    for output in known.values():
        if output.is_pending:
            for line in (output.stage / "exchange.jsonl").read_bytes().splitlines():
                step = json.loads(line)
                if step[0] in ("place", "aside", "remove"):
                    found.add(way_of(project, output, step[1]))
    return sorted(found)


def _folders(project: Project, known: Known) -> list[Output]:
    """Return the outputs that have a folder for themselves."""
    others = (".", "..", "images", "masks", "photos", "annotations", "empty")
    found = [o for o in known.values() if o.key == "convert" and o.placed]
    return [o for o in found if os.path.relpath(o.folder, project.cwd) not in others]


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
