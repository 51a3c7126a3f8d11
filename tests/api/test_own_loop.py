"""docs/own-loop.md: what it shows of packages of others runs where they are installed.

Its blocks of Python are run by tests/test_docs.py.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "own-loop.md").read_text(encoding="utf-8")
FIRST = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)[0]
SHOWN = dict(
    re.findall(r"^<!-- runs where: (\w+) -->\n```py\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
)


def test_they_are_found() -> None:
    assert set(SHOWN) == {"lightning", "segmentation_models_pytorch", "keras"}


@pytest.mark.filterwarnings("ignore")  # those packages' own
@pytest.mark.parametrize("package", sorted(SHOWN))
def test_what_is_shown_runs_where_the_package_is(package, tmp_path, monkeypatch) -> None:
    pytest.importorskip(package, reason=f"{package} is not installed: its example is shown only")
    (tmp_path / "dir").mkdir()
    for path in (ROOT / "samples" / "labelme").glob("park_00*"):
        shutil.copy(path, tmp_path / "dir")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "page"}
    for code in (FIRST, SHOWN[package]):
        exec(compile(code, "own-loop.md", "exec"), names)


def test_they_could_be_typed() -> None:
    for package, code in SHOWN.items():
        compile(code, package, "exec")
