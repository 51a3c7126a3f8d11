"""``make demo``: the main job on the bundled samples, with the commands a user would type."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

SAMPLES = Path(__file__).parent
ROOT = SAMPLES.parent
OUT = ROOT / "demo"

COMMANDS = (
    ("labelme", "samples/labelme", "-o", "demo/labelme", "--split", "0.2"),
    ("via", "samples/via/segmentation_train.json", "-o", "demo/via/segmentation_train.npy"),
    ("ochuman", "samples/ochuman", "--style", "purple-yellow", "-o", "demo/ochuman-purple-yellow"),
    ("labelme", "samples/labelme", "--layout", "voc", "-o", "demo/voc", "-q"),
)


def main() -> None:
    """Convert the samples of every format into ``demo/`` and say what to open."""
    shutil.rmtree(OUT, ignore_errors=True)
    for command in COMMANDS:
        print(f"\n$ maskforge {' '.join(command)}", flush=True)
        subprocess.run([sys.executable, "-m", "maskforge", *command], cwd=ROOT, check=True)
    print(
        "\nLook at:\n"
        "  demo/labelme/previews/                  overlays with a legend\n"
        "  demo/labelme/masks/                     label PNGs: class ids, they look black\n"
        "  demo/via/segmentation_train-previews/   what the one-hot dictionary holds\n"
        "  demo/ochuman-purple-yellow/masks/       colour masks\n"
        "  demo/voc/                               the same as a VOC dataset\n"
    )


if __name__ == "__main__":
    main()
