"""What a shell completes: words of ours, and files and folders."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import get_completion_class

from maskforge.cli import cli


def completed(*words: str) -> list[tuple[str, str]]:
    kind = get_completion_class("bash")
    assert kind is not None
    found = kind(cli, {}, "maskforge", "_X").get_completions(list(words[:-1]), words[-1])
    return [(one.type, one.value) for one in found]


@pytest.mark.parametrize(
    "words",
    [
        *((name, "p") for name in ("labelme", "via", "coco", "ochuman", "masks", "convert")),
        *((name, "p") for name in ("train", "evaluate", "predict", "background", "export")),
        *((name, "p") for name in ("inspect", "annotate")),
        ("train", "a", "p"),
        ("evaluate", "a.pt", "p"),
        ("predict", "a.pt", "p"),
        ("labelme", "-o", "p"),
        ("labelme", "--labels", "p"),
        ("labelme", "--images-from", "p"),
        ("train", "--resume-from", "p"),
        ("train", "--encoder-weights", "p"),
        ("background", "--image", "p"),
        ("export", "--out", "p"),
        ("inspect", "--labels", "p"),
    ],
)
def test_paths(words):
    assert completed(*words) == [("file", "p")]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("lab",), ["labelme"]),
        (("train", "a", "--network", "unet"), ["unet", "unet-small"]),
        (("train", "a", "--loss", "d"), ["dice"]),
        (("labelme", "a", "--style", "p"), ["purple-yellow", "palette"]),
        (("labelme", "a", "--rule", "o"), ["opencv"]),
        (("list", "net"), ["networks"]),
        (("labelme", "--bad"), ["--bad-shape"]),
    ],
)
def test_words(words, found):
    assert completed(*words) == [("plain", one) for one in found]


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_a_shell_completes_a_folder(shell, tmp_path, monkeypatch):
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"there is no {shell}")
    monkeypatch.chdir(tmp_path)
    Path("photographs").mkdir()
    ours = Path(sys.executable).parent
    if not (ours / "maskforge").exists():
        pytest.skip("the command is not installed")
    script = tmp_path / f"completion.{shell}"
    with script.open("w") as file:
        subprocess.run([ours / "maskforge", "completion", shell], stdout=file, check=True)
    ask = {
        "fish": f"source {script}; complete -C 'maskforge train ph'",
        # compgen shows what readline would after ``compopt -o default``.
        "bash": f"source {script}; COMP_WORDS=(maskforge train ph) COMP_CWORD=2\n"
        'compopt() { [ "$1$2" = -odefault ] && compgen -d ph; }\n'
        "_maskforge_completion maskforge",
    }
    monkeypatch.setenv("PATH", str(ours), prepend=":")
    monkeypatch.setenv("HOME", str(tmp_path))
    done = subprocess.run([program, "-c", ask[shell]], capture_output=True, text=True, check=False)
    assert "photographs" in done.stdout, done.stderr
