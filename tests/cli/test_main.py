"""The command line as users type it: in a process of its own, and in this one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maskforge import extras, plugins
from maskforge.cli import main

SAMPLES = Path(__file__).parents[2] / "samples"


def run(*arguments: object) -> int:
    """Run the command line in this process and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_the_three_lines_of_the_mission(tmp_path):
    """As written, in a folder that holds what they name."""
    (tmp_path / "dir").symlink_to(SAMPLES / "labelme", target_is_directory=True)
    for name in [*(SAMPLES / "via").iterdir()]:
        if name.is_file():
            (tmp_path / name.name).symlink_to(name)
    (tmp_path / "ochuman.json").symlink_to(SAMPLES / "ochuman/ochuman.json")
    (tmp_path / "images").symlink_to(SAMPLES / "ochuman/images", target_is_directory=True)
    for line in (
        "maskforge labelme dir/",
        "maskforge via segmentation_train.json",
        "maskforge ochuman --style purple-yellow",
    ):
        done = subprocess.run(
            [sys.executable, "-m", *line.split()], capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, 1), done.stderr
        assert done.stdout == ""
        assert "images converted" in done.stderr
    assert len(list((tmp_path / "dir-masks/masks").rglob("*.png"))) == 60
    assert len(np.load(tmp_path / "segmentation_train.npy", allow_pickle=True).item()) == 48
    masks = list((tmp_path / "ochuman-purple-yellow/masks").iterdir())
    with Image.open(masks[0]) as mask:
        colors = {color for _, color in mask.getcolors()}
    assert colors == {(120, 0, 120), (235, 235, 50)}


def test_json_is_alone_on_standard_output(capsys):
    assert run("labelme", SAMPLES / "labelme/more", "--json", "-o", "out") == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["converted"] == len(
        list((SAMPLES / "labelme/more").glob("*.json"))
    )
    assert captured.err == ""


def test_quiet_says_nothing_but_what_was_not_converted(tmp_path, capsys):
    for name in ("park_052.jpg", "park_052.json"):
        (tmp_path / name).write_bytes((SAMPLES / "labelme/more" / name).read_bytes())
    (tmp_path / "b.json").write_text("{")
    assert run("labelme", tmp_path, "-q", "-o", "out") == 1
    said = capsys.readouterr().err
    assert "b.json" in said
    assert "classes" not in said
    assert "images converted" not in said


def test_quiet_says_nothing_and_the_summary_says_what_to_open(capsys):
    assert run("labelme", SAMPLES / "labelme/more", "-q", "-o", "quiet") == 0
    assert capsys.readouterr() == ("", "")
    assert run("labelme", SAMPLES / "labelme/more", "-o", "loud") == 0
    said = capsys.readouterr().err
    assert "label PNGs hold class ids and look black: open loud/previews.jpg" in said
    assert "person" in said


def test_ochuman_reads_its_file_here_and_nothing_else(tmp_path, capsys):
    for name in ("labelme/park_001.json", "labelme/park_001.jpg"):
        (tmp_path / Path(name).name).write_bytes((SAMPLES / name).read_bytes())
    assert run("ochuman") == 3
    said = capsys.readouterr().err
    assert "ochuman.json: there is no such file in the current folder" in said
    (tmp_path / "images").symlink_to(SAMPLES / "ochuman/images", target_is_directory=True)
    (tmp_path / "ochuman.json").symlink_to(SAMPLES / "ochuman/ochuman.json")
    (tmp_path / "other.json").write_bytes((SAMPLES / "ochuman/ochuman.json").read_bytes())
    assert run("ochuman", "-o", "out", "--json", "--filter", "segm+kpt") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["account"]["files"] == 1
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert "segm&kpt" in json.dumps(manifest)


def test_convert_finds_the_format_and_says_why(capsys):
    assert run("convert", SAMPLES / "via/segmentation_test.json", "-o", "out.npy") == 0
    assert "format: via" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("labelme", "nowhere"), 3, "there is no such file or folder"),
        (("labelme",), 2, "SOURCE is missing, as in: maskforge labelme annotations/"),
        (("labelme", ".", "--rule", "cocoo"), 2, "pixel-center"),
        (("labelme", ".", "--size", "12x"), 2, "WIDTHxHEIGHT such as"),
        (("labelme", ".", "--split", "a"), 2, "must be numbers"),
        (("labelme", "a.json", "--split", "0.5,0.1"), 2, "add up to 1"),
        (("labelme", "a.json", "--overwrite", "--resume"), 2, "contradict"),
        (("labelme", "a.json", "--palette", "--as", "color"), 2, "contradict"),
        (("via", "a.json", "--style", "black-white"), 2, "--style must not be given for onehot"),
        (("convert", "a.json"), 3, "no file is in a known format"),
        (("labelme", "a.json"), 3, "not-json"),
        (("nonsense",), 2, "there is no command"),
    ],
)
def test_usage_and_unreadable_input(tmp_path, capsys, arguments, code, said):
    (tmp_path / "a.json").write_text('{"shapes": [')
    assert run(*arguments) == code
    assert said in capsys.readouterr().err


def test_problems_in_the_data_are_exit_code_1_and_told_with_the_cure(tmp_path, capsys):
    good = (SAMPLES / "labelme/nobody.json").read_bytes()
    (tmp_path / "in").mkdir()
    (tmp_path / "in/nobody.json").write_bytes(good)
    assert run("labelme", "in", "-v") == 1
    said = capsys.readouterr().err
    assert "no-image" in said
    assert "--images-from" in said
    assert "problems: in-masks/problems.jsonl" in said


def test_a_list_of_problems_is_pointed_at_only_by_the_run_that_wrote_it(tmp_path, capsys):
    """Where nothing is converted the earlier output stands, with the problems that it had."""
    (tmp_path / "in").mkdir()
    file = tmp_path / "in/nobody.json"
    file.write_bytes((SAMPLES / "labelme/nobody.json").read_bytes())
    assert run("labelme", "in") == 1
    assert "problems: in-masks/problems.jsonl" in capsys.readouterr().err
    file.write_text("{")
    assert run("labelme", "in", "--overwrite") == 3
    assert "problems.jsonl" not in capsys.readouterr().err


def test_interrupt_is_exit_code_130(monkeypatch, capsys):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("maskforge.cli._convert.convert", interrupted)
    assert run("labelme", ".") == 130
    assert "go on with: " in capsys.readouterr().err


def test_every_command_has_help_with_examples(capsys):
    for name in (*plugins.names("readers"), *plugins.names("cli")):
        assert run(name, "--help") == 0
        said = capsys.readouterr().out
        assert f"maskforge {name}" in said, name
        assert "Examples:" in said, name


def test_help_lists_every_command(capsys):
    assert run("--help") == 0
    said = capsys.readouterr().out
    for name in (*plugins.names("readers"), *plugins.names("cli")):
        assert f"  {name} " in said


def test_completion_is_shell_code(capsys):
    assert run("completion", "bash") == 0
    assert "_MASKFORGE_COMPLETE" in capsys.readouterr().out


def test_a_region_that_size_loses_is_told_with_the_cure(capsys):
    assert (
        run("labelme", SAMPLES / "labelme/more", "-o", "out", "--size", "6", "--no-previews") == 1
    )
    said = capsys.readouterr().err
    assert "covers no pixel: it is outside the image or too thin" in said
    assert "→ correct the drawing; where --size made it too thin, choose a larger one" in said


def test_inspect_tells_what_a_mask_holds(tmp_path, capsys):
    Image.fromarray(np.array([[0, 255], [255, 255]], np.uint8)).save("mask.png")
    assert run("inspect", "mask.png") == 0
    assert "take 255 as the object" in capsys.readouterr().out
    Image.fromarray(np.array([[0, 128], [255, 255]], np.uint8)).save("mask.png")
    assert run("inspect", "mask.png") == 1
    assert "grey levels" in capsys.readouterr().out
    assert run("inspect", "mask.png", "--json") == 1
    assert json.loads(capsys.readouterr().out)[0]


@pytest.mark.parametrize(
    ("style", "shown"),
    [
        ("black-white", {"#000000": "background", "#ffffff": "person or dog"}),
        ("#102030,#405060,#102030", {"#102030": "background or dog", "#405060": "person"}),
    ],
)
def test_inspect_names_the_colours_of_our_masks(capsys, style, shown):
    drawn = ["--labels", "background,person,dog", "--only", "person,dog", "--style", style]
    more = SAMPLES / "labelme/more"
    assert run("labelme", more, "-o", "out", "-q", "--as", "color", *drawn) == 0
    for place in ("out", "out/masks"):
        assert run("inspect", place) == 0
        said = capsys.readouterr().out
        found = [line.split() for line in said.splitlines() if line.startswith("    #")]
        named = {line[0]: " ".join(line[5:]) for line in found}
        assert named == shown | {"#7f7f7f": "ignore"}
    mask = next(iter(sorted(Path("out/masks").rglob("*.png"))))
    Image.new("RGB", (6, 4), (1, 2, 3)).save(mask)
    assert run("inspect", mask) == 1
    assert "colours that stand for no class: #010203 (24 px)" in capsys.readouterr().out


def test_inspect_sums_up_a_folder(capsys):
    assert run("labelme", SAMPLES / "labelme/more", "-o", "out", "-q") == 0
    assert run("inspect", "out") == 0
    said, next_ = capsys.readouterr()
    assert next_ == "next: maskforge train out\n"
    count = len(list(Path("out/masks").rglob("*.png")))
    assert said.startswith(f"out: {count} masks\n  PNG, mode L, 8 bit ({count})\n")
    assert "  person" in said
    Image.fromarray(np.array([[0, 99], [99, 99]], np.uint8)).save("out/masks/strange.png")
    assert run("inspect", "out") == 1
    said, next_ = capsys.readouterr()
    assert "  ! 1 time: out/masks/strange.png: " in said
    assert next_ == ""
    capsys.readouterr()
    assert run("inspect", SAMPLES / "labelme/more") == 1
    said = capsys.readouterr().out
    photographs = len(list((SAMPLES / "labelme/more").glob("*.jpg")))
    assert f"more: 0 masks, and {photographs} images that are no masks\n" in said
    assert "this looks like a photograph, not a mask" in said
    assert "#" not in said  # no colours of photographs
    Path("bare").mkdir()
    assert run("inspect", "bare") == 3
    assert "bare: there must be masks in the folder" in capsys.readouterr().err


def test_annotate_starts_labelme_with_the_projects_classes(tmp_path, monkeypatch):
    program = tmp_path / "bin/labelme"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\necho "$@" > said\n'
        'while [ "$1" != --labels ]; do shift; done\ncat "$2" > listed\nexit 7\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "photos").mkdir()
    (tmp_path / "labels.txt").write_text("cat\n\ndog\n")
    assert run("annotate", "photos", "--", "--keep-prev") == 7
    assert (tmp_path / "listed").read_text() == "_background_\ncat\ndog\n"
    assert "--validatelabel exact" in (tmp_path / "said").read_text()
    assert "--keep-prev" in (tmp_path / "said").read_text()


def test_annotate_without_labelme_says_how_to_install_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run("annotate", tmp_path) == 2
    assert extras.install("annotate") in capsys.readouterr().err
