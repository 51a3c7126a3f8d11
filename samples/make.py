"""Draw the sample scenes and write them as Labelme, VIA, OCHuman, COCO and YOLO would.

    python samples/make.py [FOLDER]

writes ``labelme/``, ``via/``, ``ochuman/``, ``coco/``, ``coco-boxes/``, ``panoptic/`` and ``yolo/``
into FOLDER, by default the one of this file. It needs numpy and Pillow, and makes the same bytes
every time (README.md says with which Pillow).
"""

from __future__ import annotations

import sys
from pathlib import Path

from _make import coco, labelme, ochuman, panoptic, via, yolo


def main(folder: Path) -> None:
    """Write all samples into ``folder``."""
    labelme.write(folder / "labelme")
    via.write(folder / "via")
    ochuman.write(folder / "ochuman")
    coco.write(folder / "coco")
    coco.write_boxes(folder / "coco-boxes")
    panoptic.write(folder / "panoptic")
    yolo.write(folder / "yolo")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent)
