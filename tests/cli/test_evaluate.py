"""``maskforge evaluate`` on files: a network on data, masks on masks."""

import csv
import json
import shutil
import sys
from pathlib import Path

import pytest
from training.commands import run
from training.places import contents, fail_after, leftovers, listing

from maskforge.scores.scorer import Scorer

pytestmark = pytest.mark.usefixtures("data")


def test_evaluate_scores_what_was_held_back(trained, capsys):
    capsys.readouterr()
    assert run("evaluate", trained, "data", "--json", "-o", "scores", "--threads", "1") == 0
    captured = capsys.readouterr()
    scores = json.loads(captured.out)
    assert sum(map(sum, scores["confusion_matrix"])) == 2 * (18 * 26 - 6)
    assert captured.err == ""
    with open("runs/data/history.csv") as file:
        [row] = csv.DictReader(file)
    assert scores["mean_iou_present"] == pytest.approx(float(row["mean_iou"]), abs=1e-4)
    assert run("evaluate", trained, "data", "--part", "all", "--threads", "1") == 0
    assert "8 images" in capsys.readouterr().err


def test_scores_are_placed_as_a_whole(tmp_path, capsys):
    arguments = ("evaluate", "data/masks", "data", "-o", "scores")
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores/notes.txt").write_text("mine")
    assert run(*arguments) == 0
    first = contents("scores")
    names = ["classes.csv", "confusion.png", "images.csv", "notes.txt", "scores.json", "worst"]
    worst = [f"worst/0{number}-iou-100.0-{number - 1}.jpg" for number in range(1, 9)]
    assert listing("scores") == [*names, *worst, "worst/index.jpg"]
    capsys.readouterr()
    assert run(*arguments) == 2
    said = capsys.readouterr().err
    assert "an earlier output stands" in said
    assert "mIoU" not in said
    for number in range(5):
        (tmp_path / f"data/masks/{number}.png").unlink()
    assert run(*arguments, "--overwrite") == 0
    worst = [f"worst/0{n}-iou-100.0-{n + 4}.jpg" for n in range(1, 4)]
    assert listing("scores") == [*names, *worst, "worst/index.jpg"]
    assert contents("scores")["notes.txt"] == b"mine"
    assert contents("scores")["images.csv"] != first["images.csv"]
    assert leftovers("scores") == []


def test_scores_of_the_same_are_told_again(tmp_path, capsys, monkeypatch):
    arguments = ("evaluate", "data/masks", "data", "--json", "-o", "scores")
    assert run(*arguments, "--resume") == 0
    first, told = contents("scores"), capsys.readouterr().out
    with monkeypatch.context() as patch:
        patch.setattr(Scorer, "add", None)  # nothing is scored
        assert run(*arguments, "--resume") == 0
    assert capsys.readouterr().out == told
    assert contents("scores") == first
    (tmp_path / "scores/images.csv").unlink()
    assert run(*arguments, "--resume") == 0
    assert contents("scores")["images.csv"] == first["images.csv"]
    shutil.copy("data/masks/0.png", "data/masks/1.png")
    assert run(*arguments, "--resume") == 0
    worst = [name for name in first if name.endswith("-1.jpg")]
    assert [contents("scores")[name] != first[name] for name in worst] == [True]
    assert run("evaluate", "data/masks", "data", "--json", "--resume") == 2
    assert "only what --out names can be gone on with" in capsys.readouterr().err


def test_scores_of_another_network_are_not_gone_on_with(trained, capsys):
    arguments = ("data", "-o", "scores", "--threads", "1", "--resume")
    assert run("evaluate", trained, *arguments) == 0
    told = capsys.readouterr().err
    assert run("evaluate", trained, *arguments) == 0
    assert capsys.readouterr().err == told
    assert run("evaluate", trained, *arguments, "--flip") == 2
    assert "made with another network or other options" in capsys.readouterr().err


def test_scores_without_a_place_are_numbered(capsys):
    for name in ("masks-scores", "masks-scores-2"):
        assert run("evaluate", "data/masks", "data") == 0
        assert f"to look at: runs/{name}/confusion.png" in capsys.readouterr().err
    first = contents("runs/masks-scores")
    assert run("evaluate", "data/masks", "data", "--overwrite") == 0
    assert "to look at: runs/masks-scores-2/confusion.png" in capsys.readouterr().err
    assert contents("runs/masks-scores") == first
    made = sorted(path.name for path in Path("runs").iterdir())
    assert made == ["masks-scores", "masks-scores-2"]


def test_json_alone_writes_nothing(tmp_path, capsys):
    assert run("evaluate", "data/masks", "data", "--json") == 0
    assert not (tmp_path / "runs").exists()


def test_the_next_command_is_told(trained, capsys):
    capsys.readouterr()
    assert run("evaluate", "runs/data", "data", "--threads", "1", "-o", "scores") == 0
    assert capsys.readouterr().err.splitlines()[-1] == "next: maskforge predict runs/data PHOTOS"


@pytest.mark.parametrize("again", [(), ("--overwrite",)])
def test_a_file_in_the_way_is_named_before_anything_is_scored(tmp_path, again, capsys):
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores/images.csv").write_text("mine")
    assert run("evaluate", "no-masks", "no-data", "-o", "scores", *again) == 2
    said = capsys.readouterr().err
    assert "images.csv was not made by this command" in said
    assert "[in-the-way]" in said
    assert contents("scores") == {"images.csv": b"mine"}


def test_scores_are_told_whatever_becomes_of_the_files(tmp_path, monkeypatch, capsys):
    fail_after(monkeypatch, "write", 1)
    assert run("evaluate", "data/masks", "data", "-o", "scores") == 1
    said = capsys.readouterr().err
    assert "per image: mIoU 100.00" in said
    assert "No space left" in said
    assert not (tmp_path / "scores").exists()


def test_an_interrupt_places_no_part_of_the_scores(tmp_path, monkeypatch, capsys):
    fail_after(monkeypatch, "write", 3, KeyboardInterrupt())
    assert run("evaluate", "data/masks", "data", "-o", "scores") == 130
    assert not (tmp_path / "scores").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("evaluate", "data", "data", "--json", "--overwrite"), 2, "only what --out names can be"),
        (("evaluate", "data", "data", "--flip"), 2, "need no network to look, but got --flip"),
        (("evaluate", "data", "data", "--part", "val"), 2, "without --part"),
    ],
)
def test_wrong_usage(arguments, code, said, capsys):
    assert run(*arguments) == code
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("labels", ["crate", "box,crate"])
def test_other_classes_than_the_network_s_are_refused(trained, labels, capsys):
    assert run("evaluate", trained, "data", "--labels", labels, "--threads", "1") == 2
    assert "must be those of the network, ['_background_', 'box']" in capsys.readouterr().err


def test_folders_are_scored_without_torch(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert run("evaluate", "data/masks", "data", "--json") == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["mean_iou_all"] == scores["pixel_accuracy"] == 1.0
    assert sum(map(sum, scores["confusion_matrix"])) == 8 * (18 * 26 - 6)
    assert run("evaluate", "data/masks", "data") == 0
    assert "per image: mIoU 100.00 · accuracy 100.00" in capsys.readouterr().err


def test_quiet_leaves_the_errors(trained, tmp_path, capsys):
    shutil.copytree(tmp_path / "data/masks", tmp_path / "predicted")
    (tmp_path / "predicted/3.png").unlink()
    capsys.readouterr()
    assert run("evaluate", "predicted", "data", "-q") == 1
    said = capsys.readouterr().err
    assert "3.png" in said
    assert "mIoU" not in said
    (tmp_path / "data/images/3.png").write_bytes(b"no image")
    assert run("evaluate", trained, "data", "--part", "all", "-q", "--threads", "1") == 1
    said = capsys.readouterr().err
    assert "3.png" in said
    assert "mIoU" not in said
