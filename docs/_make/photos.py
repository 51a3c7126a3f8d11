"""Pictures of conversions: each runs the tool on a sample and shows what it wrote."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from maskforge import convert
from maskforge.io.onehot import OneHotFile
from maskforge.palette import display_palette

PANEL, INK, _FAINT = (27, 29, 34), (236, 238, 242), (150, 155, 166)
_TILE = (400, 300)
GAP = 12

_LABELME, _VIA, _OCHUMAN = "park_039", "drinks_008", "000048"


def readme(samples: Path) -> Image.Image:
    """Return three columns, a command each: photo and preview, and what the command writes."""
    columns = (
        ("maskforge labelme dir/", "label PNG: class ids, in colour here", _labelme(samples)),
        (
            "maskforge via segmentation_train.json",
            "one-hot: a 0/1 plane for each class",
            _via(samples),
        ),
        ("maskforge ochuman --style purple-yellow", "colour mask", _ochuman(samples)),
    )
    head, foot = 44, 40
    width, height = 3 * _TILE[0] + 4 * GAP, head + 2 * _TILE[1] + GAP + foot
    sheet = Image.new("RGB", (width, height), PANEL)
    pen = ImageDraw.Draw(sheet)
    for number, (command, caption, (above, below)) in enumerate(columns):
        x = GAP + number * (_TILE[0] + GAP)
        sheet.paste(above, (x, head))
        sheet.paste(below, (x, head + _TILE[1] + GAP))
        pen.text((x + 2, head // 2), command, fill=INK, font=font(18), anchor="lm")
        pen.text((x + 2, height - foot // 2), caption, fill=_FAINT, font=font(17), anchor="lm")
    return sheet


def preview(samples: Path) -> Image.Image:
    """Return a preview as it is written."""
    with _copied(samples / "labelme", ["park_009.json", "park_009.jpg", "labels.txt"]) as folder:
        convert(folder, format="labelme", out=folder / "out", size=(640, 480))
        return _open(folder / "out/previews/park_009.jpg")


def styles(samples: Path) -> Image.Image:
    """Return one scene in every style, with what to type below it."""
    names = (
        "black-white", "white-black", "purple-yellow", "palette",
        "#14213d,#fca311", "#222222,#e63946,#f1faee,#a8dadc,#457b9d,#ffb703,#8ecae6",
    )  # fmt: skip
    size = (300, 225)
    sheet = Image.new("RGB", (3 * size[0] + 4 * GAP, 2 * (size[1] + 36) + GAP), PANEL)
    pen = ImageDraw.Draw(sheet)
    with _copied(samples / "labelme", ["park_009.json", "park_009.jpg", "labels.txt"]) as folder:
        for number, style in enumerate(names):
            out = folder / str(number)
            convert(
                folder,
                format="labelme",
                out=out,
                as_="color",
                style=style,
                size=size,
                images="none",
            )
            x, y = GAP + number % 3 * (size[0] + GAP), GAP + number // 3 * (size[1] + 36)
            sheet.paste(_open(out / "masks/park_009.png"), (x, y))
            shown = style if len(style) < 20 else "#222222,#e63946,#f1faee,…"
            pen.text((x + 2, y + size[1] + 17), shown, fill=INK, font=font(15), anchor="lm")
    return sheet


def _labelme(samples: Path) -> tuple[Image.Image, Image.Image]:
    names = [f"{_LABELME}.json", f"{_LABELME}.jpg", "labels.txt"]
    with _copied(samples / "labelme", names) as folder:
        convert(folder, format="labelme", out=folder / "out", size=_doubled())
        ids = np.asarray(Image.open(folder / f"out/masks/{_LABELME}.png"))
        colors = display_palette().copy()
        colors[0] = (46, 49, 56)
        above = _half_and_half(folder / "out", f"{_LABELME}.jpg")
        return above, _fitted(Image.fromarray(colors[np.where(ids == 255, 0, ids)]))


def _via(samples: Path) -> tuple[Image.Image, Image.Image]:
    names = ["segmentation_train.json", f"{_VIA}.jpg"]
    with _copied(samples / "via", names) as folder:
        source = folder / "segmentation_train.json"
        convert(source, format="via", as_="label", out=folder / "out", size=_doubled())
        convert(source, format="via", out=folder / "one.npy", size=_doubled(), previews=False)
        planes = OneHotFile(folder / "one.npy")[f"{_VIA}.jpg"]
        below = Image.new("RGB", _TILE, PANEL)
        small = (_TILE[0] // 2 - 2, _TILE[1] // 2 - 2)
        pen = ImageDraw.Draw(below)
        for channel in range(4):
            tile = Image.fromarray(planes[:, :, channel] * np.uint8(255)).resize(
                small, Image.Resampling.LANCZOS
            )
            x, y = channel % 2 * (small[0] + 4), channel // 2 * (small[1] + 4)
            below.paste(tile.convert("RGB"), (x, y))
            pen.rectangle((x, y, x + 24, y + 24), fill=PANEL)
            pen.text((x + 12, y + 12), str(channel), fill=INK, font=font(16), anchor="mm")
        return _half_and_half(folder / "out", f"{_VIA}.jpg"), below


def _ochuman(samples: Path) -> tuple[Image.Image, Image.Image]:
    with _copied(samples / "ochuman", ["ochuman.json", f"images/{_OCHUMAN}.jpg"]) as folder:
        convert(
            folder, format="ochuman", style="purple-yellow", out=folder / "out", size=(800, 800)
        )
        above = _half_and_half(folder / "out", f"{_OCHUMAN}.jpg")
        return above, _fitted(_open(folder / f"out/masks/{_OCHUMAN}.png"))


def _half_and_half(out: Path, name: str) -> Image.Image:
    """Return the photo, the right half of it as the preview shows it."""
    photo = _open(out / "images" / name)
    overlay = _open(out / "previews" / name).crop((0, 0, *photo.size))
    left, right = _fitted(photo), _fitted(overlay)
    middle = _TILE[0] // 2
    left.paste(right.crop((middle, 0, *_TILE)), (middle, 0))
    ImageDraw.Draw(left).line((middle, 0, middle, _TILE[1]), fill="white", width=2)
    return left


def _fitted(image: Image.Image) -> Image.Image:
    """Return ``image`` in the middle of a tile, as large as fits."""
    scale = min(_TILE[0] / image.width, _TILE[1] / image.height)
    size = round(image.width * scale), round(image.height * scale)
    tile = Image.new("RGB", _TILE, PANEL)
    scaled = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    tile.paste(scaled, ((_TILE[0] - size[0]) // 2, (_TILE[1] - size[1]) // 2))
    return tile


def _doubled() -> tuple[int, int]:
    return 2 * _TILE[0], 2 * _TILE[1]


def _open(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


@contextmanager
def _copied(source: Path, names: Sequence[str]) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in names:
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(source / name, folder / name)
        yield folder


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
