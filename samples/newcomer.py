"""``make newcomer``: the commands of README's start, typed in a new environment, and what one sees.

They are taken from README.md as they stand there, and run in a copy of the repository's files, by a
shell that knows nothing of the environment that this runs in. Ends with 1 at the first that fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARK = "<!-- newcomer -->\n```sh\n"
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "PIP_CONSTRAINT", "PIP_CONFIG_FILE")


def commands() -> list[str]:
    """Return the commands of README's start, one a line."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text.partition(MARK)[2].partition("```")[0].strip().splitlines()


def main() -> int:
    """Type them; return the exit code."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "maskforge")
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, place / name)
        done: list[str] = []
        for line in commands():
            print(f"\n$ {line}", flush=True)
            begin = time.monotonic()
            # One shell for each, which first does what the terminal would still know.
            known = [one for one in done if "activate" in one]
            script = "; ".join([one.partition("&&")[2].strip() for one in known] + [line])
            code = subprocess.run(["sh", "-c", script], cwd=place, env=_environment()).returncode
            print(f"({time.monotonic() - begin:.0f} s)", flush=True)
            if code:
                print(f"ended with {code}", file=sys.stderr)
                return 1
            done.append(line)
        _show(place)
    return 0


def _environment() -> dict[str, str]:
    own = os.path.dirname(sys.executable)
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    ways = [way for way in kept.get("PATH", "").split(os.pathsep) if way != own]
    return kept | {"PATH": os.pathsep.join(ways)}


def _show(place: Path) -> None:
    print("\nwhat there is to look at:")
    for way in ("park-masks/previews", "runs/park", "scores", "found", "swapped"):
        names = sorted(path.name for path in (place / way).iterdir() if path.suffix in _SHOWN)
        print(f"  {way}/  {', '.join(names[:3])}{' …' if len(names) > 3 else ''}")


_SHOWN = (".jpg", ".png", ".csv")


if __name__ == "__main__":
    sys.exit(main())
