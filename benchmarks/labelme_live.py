"""Times labelme's own functions; run by a Python that has labelme installed (GPL-3, not ours).

    python labelme_live.py FOLDER LABEL,LABEL,…

For each line on standard input, an output folder, it converts FOLDER's files there and answers with
the seconds that took. The loop is that of labelme's labelme2voc example, reduced to the class PNG:
json, Pillow, ``labelme.utils.shapes_to_label``, ``imgviz.io.lblsave`` (labelme.utils.lblsave).
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import imgviz
import labelme.utils
import numpy as np
import PIL.Image


def convert(folder: Path, out: Path, numbers: dict[str, int]) -> None:
    """Write a palette PNG for each Labelme file."""
    for path in sorted(folder.glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        with PIL.Image.open(path.parent / document["imagePath"]) as image:
            pixels = np.asarray(image)
        classes, _ = labelme.utils.shapes_to_label(pixels.shape, document["shapes"], numbers)
        imgviz.io.lblsave(str(out / f"{path.stem}.png"), classes.astype(np.uint8))


def main() -> None:
    """Answer until standard input ends."""
    folder, names = Path(sys.argv[1]), ["_background_", *sys.argv[2].split(",")]
    numbers = {name: number for number, name in enumerate(names)}
    print(f"labelme {labelme.__version__}", flush=True)
    for line in sys.stdin:
        begin = time.perf_counter()
        convert(folder, Path(line.rstrip("\n")), numbers)
        print(time.perf_counter() - begin, flush=True)


if __name__ == "__main__":
    main()
