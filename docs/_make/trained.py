"""Pictures of what networks do: those that ``make demo`` trained and left in ``demo/``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from _make.photos import GAP, INK, PANEL, font
from maskforge.datasets import load, open_dataset, read_image
from maskforge.prediction import background

_HELD_OUT = (
    ("labelme", "demo/labelme", "park_013"),
    ("via", "demo/via/segmentation_test.npy", "drinks_049"),
    ("ochuman", "demo/ochuman-purple-yellow", "000048"),
)
_SWAPPED, _ELSEWHERE, _SIDE = "000048", "samples/labelme/park_005.png", 320


def can_be_made(root: Path) -> bool:
    """Return whether the demo has been run here."""
    return all((root / f"demo/runs/{run}/best.pt").exists() for run, _, _ in _HELD_OUT)


def training(root: Path) -> Image.Image:
    """Return an image of each format that the network had not seen, the truth, the prediction."""
    from maskforge.pictures.comparison import Comparison, sheet, stacked
    from maskforge.training.torch_network import network_predictor

    rows = []
    for run, data, name in _HELD_OUT:
        dataset = open_dataset(root / data)
        [example] = [example for example in dataset.examples if example.name == name]
        image, truth = load(example, dataset)
        predictor = network_predictor(root / f"demo/runs/{run}/best.pt")
        [found] = predictor.label_images([image])
        compared = Comparison(name, truth, found, dataset.classes, image)
        rows.append(sheet(compared, errors=False, size=(1200, 460)))
    return stacked(rows)


def swapped(root: Path) -> Image.Image:
    """Return a scene, and the same with its background blurred, replaced, gone."""
    from maskforge.training.torch_network import network_predictor

    small, _ = read_image(root / f"samples/ochuman/images/{_SWAPPED}.jpg")
    predictor = network_predictor(root / "demo/runs/ochuman/best.pt")
    image = np.asarray(Image.fromarray(small).resize((2 * _SIDE, 2 * _SIDE)))
    [probabilities] = predictor.probabilities([image])
    alpha = background.matte(probabilities[1], image)
    elsewhere = background.Picture(read_image(root / _ELSEWHERE)[0])
    tiles = {
        "the photo": image,
        "--blur 2%": background.put(image, alpha, background.Blur()),
        "--image park.png": background.put(image, alpha, elsewhere),
        "--transparent": _on_checks(background.put(image, alpha, background.Transparent())),
    }
    foot = 36
    sheet = Image.new("RGB", (len(tiles) * (_SIDE + GAP) + GAP, _SIDE + GAP + foot), PANEL)
    pen = ImageDraw.Draw(sheet)
    for number, (caption, tile) in enumerate(tiles.items()):
        x = GAP + number * (_SIDE + GAP)
        sheet.paste(
            Image.fromarray(tile).resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), (x, GAP)
        )
        pen.text((x + 2, GAP + _SIDE + foot // 2), caption, fill=INK, font=font(16), anchor="lm")
    return sheet


def _on_checks(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return ``picture`` (H, W, 4) on the grey checks that stand for nothing."""
    rows, columns = np.indices(picture.shape[:2]) // 16
    checks = np.where((rows + columns) % 2, 205, 245)[:, :, None]
    alpha = picture[:, :, 3:] / 255
    mixed: NDArray[np.uint8] = np.rint(picture[:, :, :3] * alpha + checks * (1 - alpha)).astype(
        "u1"
    )
    return mixed
