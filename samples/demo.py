"""``make demo``: the main job on the bundled samples, with the commands a user would type.

Annotations of all four formats become masks; a network learns from each kind of masks and is
scored on images it has not seen; then one predicts, and one swaps the background behind people.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent

CONVERT = (
    "labelme samples/labelme -o demo/labelme --split 0.2 --seed 1",
    "via samples/via/segmentation_train.json -o demo/via/segmentation_train.npy",
    "via samples/via/segmentation_test.json -o demo/via/segmentation_test.npy",
    "ochuman samples/ochuman --style purple-yellow -o demo/ochuman-purple-yellow --split 0.2",
    "coco samples/coco -o demo/coco",
    "panoptic samples/panoptic -o demo/panoptic",
    "via samples/via/segmentation_test.json --as yolo -o demo/yolo -q",
    "yolo demo/yolo -o demo/yolo-again -q",
    "labelme samples/labelme --layout voc -o demo/voc -q",
)
# The samples are small scenes, for which a network of two levels sees enough.
QUICK = "--preset quick --option depth=2 --batch 6"
TRAIN = (
    # Label PNGs
    f"train demo/labelme -o demo/runs/labelme {QUICK} --steps 840",
    "evaluate demo/runs/labelme/best.pt demo/labelme -o demo/scores/labelme",
    # A one-hot dictionary; scored on another one
    f"train demo/via/segmentation_train.npy -o demo/runs/via {QUICK} --steps 152",
    "evaluate demo/runs/via/best.pt demo/via/segmentation_test.npy -o demo/scores/via",
    # Coloured masks
    f"train demo/ochuman-purple-yellow -o demo/runs/ochuman {QUICK} --steps 144",
    "evaluate demo/runs/ochuman/best.pt demo/ochuman-purple-yellow -o demo/scores/ochuman",
)
LOOK = """
Look at:
  demo/labelme/previews/   the masks of the Labelme files, drawn over their images
  demo/coco/previews/      those of the COCO files, a crowd hatched
  demo/runs/*/previews/    image, truth and prediction, from the first steps to the last
  demo/scores/*/           scores, confusion.png, and worst/, the images with the lowest scores
  demo/predicted/          images that the network had not seen, and what it found
  demo/swapped/            people in front of another background
"""


def main() -> None:
    """Run all commands and say what to open."""
    started = time.monotonic()
    shutil.rmtree(ROOT / "demo", ignore_errors=True)
    for line in (*CONVERT, *TRAIN):
        _run(line.split())
    park, crowd = _held_out("demo/labelme"), _held_out("demo/ochuman-purple-yellow")
    predict = "predict demo/runs/labelme/best.pt -o demo/predicted --as overlay"
    _run([*predict.split(), *park])
    swap = (
        "background demo/runs/ochuman/best.pt -o demo/swapped --image samples/labelme/park_005.png"
    )
    _run([*swap.split(), *crowd])
    print(f"{LOOK}\n{time.monotonic() - started:.0f} seconds, without the installation")


def _held_out(dataset: str) -> list[str]:
    """Return the images of ``dataset`` that are in its ``val.txt``."""
    names = (ROOT / dataset / "val.txt").read_text(encoding="utf-8").splitlines()
    images = ROOT / dataset / "images"
    return [str(p.relative_to(ROOT)) for name in names for p in sorted(images.glob(f"{name}.*"))]


def _run(arguments: Sequence[str]) -> None:
    shown = " ".join(arguments[:8]) + (" …" if len(arguments) > 8 else "")
    print(f"\n$ maskforge {shown}", flush=True)
    subprocess.run([sys.executable, "-m", "maskforge", *arguments], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
