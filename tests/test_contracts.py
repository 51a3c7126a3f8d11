"""mypy holds every choice to the Protocol of its folder, also one that was added a moment ago."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from maskforge import plugins

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "tests" / "examples"
CONTRACTS = {
    "engines": "Engine",
    "layouts": "Layout",
    "readers": "Reader",
    "rules": "Rule",
    "writers": "Writer",
}
BROKEN = '''"""A rule that says nothing of tiles, and takes its sizes the other way round."""


def cover(regions: list[object], *, width: int, height: str) -> None: ...
'''


def lines(package: str, module: str) -> list[str]:
    name = f"{package}_{module.rpartition('.')[2]}"
    return [
        f"import maskforge.{package}",
        f"import {module} as {name}",
        f"held_{name}: maskforge.{package}.{CONTRACTS[package]} = {name}",
    ]


def test_every_choice_keeps_its_contract(tmp_path: Path) -> None:
    kept = [
        line
        for package in CONTRACTS
        for name in plugins.names(package)
        for line in lines(package, f"maskforge.{package}.{name.replace('-', '_')}")
    ]
    added = [path for path in EXAMPLES.glob("*/*.py") if path.parent.name in CONTRACTS]
    assert len(added) == 4
    kept += [line for path in added for line in lines(path.parent.name, path.stem)]
    (tmp_path / "kept.py").write_text("\n".join(kept))
    (tmp_path / "broken.py").write_text(BROKEN)
    (tmp_path / "not_kept.py").write_text("\n".join(lines("rules", "broken")))
    where = [ROOT, tmp_path, *(path.parent for path in added)]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", tmp_path / "kept.py", tmp_path / "not_kept.py"],
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": os.pathsep.join(map(str, where))},
        capture_output=True,
        text=True,
    )
    said = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert len(said) == 1, done.stdout + done.stderr
    assert "not_kept.py" in said[0]


@pytest.mark.parametrize("package", CONTRACTS)
def test_load_is_typed(package: str) -> None:
    folder = __import__(f"maskforge.{package}", fromlist=["load"])
    assert folder.load.__annotations__["return"] == CONTRACTS[package]
