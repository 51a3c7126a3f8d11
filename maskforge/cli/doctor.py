"""Say what is installed here, and whether it works."""

from __future__ import annotations

import importlib
import json
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import click

from maskforge import __version__, extras
from maskforge.api import torch_part
from maskforge.cli import _help, _options
from maskforge.cli._console import plain
from maskforge.errors import MaskforgeError, many

_CORE = ("numpy", "pillow", "shapely", "msgspec", "xxhash", "click", "rich")

_SCRIPTS = {"Latin": "Ünï", "Greek": "Ωμέγα", "Cyrillic": "Жук", "CJK": "车人"}
"""Letters that names of classes are made of."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    state: "missing" is what one can do without; "wrong" should work and does not. cure: what to
    type. needed: whether conversions need it.
    """

    name: str
    state: Literal["ok", "missing", "wrong"]
    text: str
    cure: str = ""
    needed: bool = False


@_help.command("doctor")
@_options.json_option("What was found")
def command(as_json: bool) -> int:
    """Say what is installed here, and whether it works: a shape is converted and compared, a video
    is written and read, and a small network makes a step where torch is there. Nothing is left
    behind.

    Exit code 0 when conversions work, else 1.

    \b
    Examples:
      maskforge doctor
      maskforge doctor --json
    """
    looks: dict[str, Callable[[], Finding]] = {
        "maskforge": _maskforge,
        "Python": _python,
        "packages": _packages,
        **{name: partial(_extra, name) for name in extras.EXTRAS},
        "device": _device,
        "fonts": _fonts,
        "video": _video,
        "this folder": _folder,
        "conversion": _conversion,
        "training": _training,
    }
    found = []
    for name, look in looks.items():
        try:
            finding = look()
        except Exception as error:  # whatever it is: that is what is looked for
            text = f"{type(error).__name__}: {error}"
            finding = Finding(name, "wrong", text, needed=name in ("packages", "conversion"))
        found.append(finding)
        if not as_json:
            click.echo(_line(finding))
    works = not any(one.needed and one.state != "ok" for one in found)
    if as_json:
        told = {"works": works, "findings": [asdict(one) for one in found]}
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        click.echo("conversions work" if works else "conversions do not work")
    return 0 if works else 1


def _line(one: Finding) -> str:
    mark = {"ok": "ok", "missing": "-", "wrong": "NO"}[one.state]
    cure = f": {one.cure}" if one.cure else ""
    return plain(f"{one.name:<11}  {mark:<2}  {one.text}{cure}")


def _maskforge() -> Finding:
    return Finding("maskforge", "ok", f"{__version__} in {Path(__file__).parents[1]}")


def _python() -> Finding:
    text = f"{platform.python_version()} at {sys.executable}, {platform.platform()}"
    return Finding("Python", "ok", text)


def _packages() -> Finding:
    import cv2  # by its import, as it is installed under several names

    versions = {name: extras.version(name) for name in _CORE} | {"opencv": cv2.__version__}
    return _told("packages", versions, "install maskforge again", needed=True)


def _extra(name: str) -> Finding:
    versions = extras.installed(name)
    if name == "annotate" and shutil.which("labelme"):  # a program, often with an environment
        versions["labelme"] = versions["labelme"] or f"at {shutil.which('labelme')}"
    lacking = [package for package, version in versions.items() if not version]
    return _told(name, versions, extras.install(name, *lacking))


def _told(name: str, versions: dict[str, str], cure: str, *, needed: bool = False) -> Finding:
    there = [f"{package} {version}" for package, version in versions.items() if version]
    lacking = [package for package, version in versions.items() if not version]
    if not lacking:
        return Finding(name, "ok", ", ".join(there), needed=needed)
    text = ", ".join([*there, f"no {' and no '.join(lacking)}"])
    return Finding(name, "missing", text, cure, needed)


def _device() -> Finding:
    """Return what networks compute on."""
    text = []
    if extras.version("onnxruntime"):
        runtime: Any = importlib.import_module("onnxruntime")
        providers = [name.removesuffix("ExecutionProvider") for name in _providers(runtime)]
        text.append(f"onnxruntime: {', '.join(providers)}")
    if not _has_torch():
        return Finding("device", "missing", ", ".join(["no torch", *text]))
    device = torch_part.load("device")
    torch: Any = device.torch
    chosen = device.find_device("auto", 0)
    name = torch.cuda.get_device_name(chosen) if chosen.type == "cuda" else ""
    threads = f"{torch.get_num_threads()} threads" if chosen.type == "cpu" else name
    return Finding("device", "ok", ", ".join([f"torch: {chosen.type} ({threads})", *text]))


def _providers(runtime: Any) -> list[str]:
    return list(runtime.get_available_providers())


def _has_torch() -> bool:
    try:
        torch_part.load("schedules")
    except MaskforgeError:
        return False
    return True


def _fonts() -> Finding:
    from maskforge.pictures import lettering

    face = lettering.font(16)
    lacking = [
        script
        for script, letters in _SCRIPTS.items()
        if lettering.legible(letters, face, 16)[0] != letters
    ]
    if not lacking:
        return Finding("fonts", "ok", f"names are legible in {', '.join(_SCRIPTS)}")
    text = f"no font for {', '.join(lacking)}: such names are spelled as numbers in pictures"
    return Finding("fonts", "missing", text, "install a font such as Noto Sans CJK")


def _video() -> Finding:
    """Write a video, and read it."""
    import numpy as np

    from maskforge.io import video

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"doctor{video.WRITTEN}")
        with video.writing(path, fps=5.0) as add:
            for level in (0, 255):
                add(np.full((64, 64, 3), level, np.uint8))
        with video.Video(path) as made:
            means = [float(frame.mean()) for frame in made]
    works = len(means) == 2 and means[0] < 64 < 192 < means[1]
    text = f"{video.WRITTEN} is written and read" if works else f"frames are lost: {means}"
    return Finding("video", "ok" if works else "wrong", text)


def _folder() -> Finding:
    free = shutil.disk_usage(".").free / 1e9
    try:
        with tempfile.NamedTemporaryFile(dir=".", prefix=".maskforge-doctor-"):
            pass
    except OSError as error:
        text = f"{Path.cwd()} cannot be written to: {error.strerror}"
        return Finding("this folder", "wrong", text, "write elsewhere: -o PATH")
    return Finding("this folder", "ok", f"{Path.cwd()} can be written to, {free:,.1f} GB are free")


def _conversion() -> Finding:
    """Draw a triangle, convert it, and compare its pixels with those that have to be there."""
    import numpy as np
    from PIL import Image

    from maskforge.conversion.conversion import convert

    begun = time.monotonic()
    side = 12
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "drawn")
        folder.mkdir()
        Image.new("RGB", (side, side)).save(folder / "a.png")
        corners = [[0, 0], [0, side], [side, side]]
        shape = {"label": "a", "points": corners, "shape_type": "polygon"}
        told = {"imagePath": "a.png", "imageHeight": side, "imageWidth": side, "shapes": [shape]}
        (folder / "a.json").write_text(json.dumps(told), encoding="utf-8")
        done = convert([folder], out=Path(place, "out"), workers=1, labels=["a"])
        masks = list(Path(place, "out", "masks").glob("*.png"))
        if not masks:
            why = "; ".join(map(str, done.problems)) or str(done)
            return Finding("conversion", "wrong", f"no mask was made: {why}", needed=True)
        with Image.open(masks[0]) as mask:
            found = np.asarray(mask) != 0
    below = np.tri(side, dtype=np.bool_)
    # On the slope the centers of pixels lie on the edge; which side of it they are is the rule's.
    wrong = int((found != below)[~np.eye(side, dtype=np.bool_)].sum())
    seconds = time.monotonic() - begun
    if wrong:
        return Finding("conversion", "wrong", f"wrong: {many(wrong, 'pixel')}", needed=True)
    return Finding("conversion", "ok", f"every pixel is right ({seconds:.1f} s)", needed=True)


def _training() -> Finding:
    """Let a small network make a step."""
    if not _has_torch():
        return Finding("training", "missing", "no torch", extras.install("train", "torch"))
    begun = time.monotonic()
    models, losses = torch_part.load("models"), torch_part.load("losses")
    torch: Any = losses.torch
    network = models.build("unet", in_channels=3, num_classes=2, width=4, depth=2)
    images, target = torch.rand(2, 3, 32, 32), torch.zeros(2, 32, 32, dtype=torch.long)
    target[:, 8:24, 8:24] = 1
    loss = losses.build("ce+dice")(network(images), target)
    loss.backward()
    slopes = [one.grad for one in network.parameters()]
    if not all(one is not None and bool(torch.isfinite(one).all()) for one in slopes):
        return Finding("training", "wrong", "a gradient is missing or no number")
    seconds = time.monotonic() - begun
    return Finding("training", "ok", f"a small network made a step ({seconds:.1f} s)")
