"""What comes from elsewhere: manifests, lists and hidden folders that name the user's files."""

from __future__ import annotations

import json
import os
from typing import Any

from history_law import Known, Output, digest, way_of
from history_project import Project


def foreign_manifest(project: Project, known: Known) -> str | None:
    """Put a manifest of elsewhere where an output goes, that names the user's files as its own."""
    output = project.one([o for o in known.values() if os.path.isdir(o.folder)])
    if output is None or os.path.lexists(output.path(output.manifest)):
        return None
    records = [
        {"stem": "a", "image": "notes.txt", "mask": "../thesis.docx", "preview": None},
        {"stem": "b", "image": "photos/a.png", "mask": "masks/a.png", "extra": {"x": "train.txt"}},
    ]
    head = {"format": f"maskforge-manifest/{project.rng.choice('12')}", "classes": {}}
    data = json.dumps({**head, "settings": {}, "fingerprint": "", "images": records}).encode()
    name = way_of(project, output, output.manifest)
    project.write(name, data)
    return f"cp ~/Downloads/manifest.json '{name}'"


def foreign_list(project: Project, known: Known) -> str | None:
    """Put a list of elsewhere there, that names the user's files with their sizes and digests."""
    output = project.one([o for o in known.values() if os.path.isdir(o.folder)])
    if output is None:
        return None
    number = output.list_path.stat().st_ino if output.list_path.exists() else 0
    lines = [json.dumps({"format": "maskforge-owned/2", "what": "conversion"})]
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
    return f"cp ~/Downloads/list '{way_of(project, output, output.list_path.name)}'"


def lines_added_to_a_list(project: Project, known: Known) -> str | None:
    """Add to a list, in place, lines that name the user's files: they prove nothing."""
    output = project.one([o for o in known.values() if o.list_ == "ours"])
    if output is None or not output.list_path.is_file():
        return None
    lines = "\n".join(_naming_mine(project, output))
    with output.list_path.open("ab") as file:
        file.write(lines.encode() + b"\n" * project.rng.randint(0, 1))
    return f"cat names >> '{way_of(project, output, output.list_path.name)}'"


def foreign_hidden_folder(project: Project, known: Known) -> str | None:
    """Put a hidden folder of elsewhere there, whose renames would take the user's files."""
    output = project.one([o for o in known.values() if os.path.isdir(o.folder)])
    if output is None or os.path.lexists(output.stage):
        return None
    root = output.stage / "files-1"
    root.mkdir(parents=True)
    steps: list[Any] = [["root", "files-1"]]
    for name in mine_in(project, output)[:3]:
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
    return f"cp -r ~/Downloads/hidden '{way_of(project, output, output.stage.name)}'"


def mine_in(project: Project, output: Output) -> list[str]:
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
    for name in mine_in(project, output):
        data = bytes(project.mine[os.path.normpath(way_of(project, output, name))])
        lines.append(json.dumps([name, len(data), digest(data)], separators=(",", ":")))
    return lines
