"""``make docs``: makes again, in place, every part of the documents that comes from the code.

    python docs/make.py            texts and pictures
    python docs/make.py --check    exit code 1 when a text is out of date or a picture is missing

A part stands between ``<!-- made: NAME -->`` and ``<!-- /made -->``; NAME is in ``_make.PARTS``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path[:0] = [str(DOCS), str(ROOT)]

from _make import PARTS, blocks, pictures  # noqa: E402  # the folders above come first


def main() -> int:
    """Make everything again, or say what is out of date."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing, say what is stale")
    check: bool = parser.parse_args().check
    stale = blocks.update(blocks.documents(ROOT), PARTS, write=not check)
    if check:
        stale += [f"{name} is missing" for name in pictures.missing(DOCS / "pictures")]
    else:
        pictures.make(DOCS / "pictures", ROOT)
    for line in stale:
        print(f"{line}: run make docs" if check else line)
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
