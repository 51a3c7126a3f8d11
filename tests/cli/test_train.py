"""``maskforge train`` on files."""

import errno
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from training.commands import SMALL, run
from training.places import contents, leftovers, listing

from maskforge import extras
from maskforge.cli import _settings
from maskforge.io.ownership import Owned
from maskforge.io.shelf import Shelf

pytestmark = pytest.mark.usefixtures("data")


def test_train_says_what_it_does(tmp_path, capsys):
    pytest.importorskip("torch")
    assert run("train", "data", "-o", "out", *SMALL) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    for said in (
        "6 images to train on, 2 held back",
        "2 steps",
        "box",
        "best mIoU",
        "out/previews",
    ):
        assert said in captured.err
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"best.pt", "last.pt", "history.csv", "curves.png", "previews"} <= names
    config = json.loads((tmp_path / "out/config.json").read_text())
    assert config["options"] == {"width": 4, "depth": 2, "stride": 2}
    assert config["crop"] == [32, 24]


def test_what_became_of_the_classes_is_recorded(data, capsys):
    assert run("train", "data", "-o", "out", "--map", "box=thing", "-q", *SMALL) == 0
    assert Path("out/labels.txt").read_text().splitlines()[-1] == "thing"
    recorded = json.loads(Path("out/config.json").read_text())["data"]
    assert "classes: box → thing" in recorded
    assert run("evaluate", "out/best.pt", "data", "--map", "box=thing") == 0


def test_an_earlier_run_is_kept_unless_told(trained, capsys):
    before = contents("runs")
    assert run("train", "data", "-o", "runs/data", "-q", *SMALL) == 2
    assert "--resume goes on with it" in capsys.readouterr().err
    assert contents("runs") == before


def test_runs_without_a_place_are_numbered(trained, tmp_path, capsys):
    before = contents("runs/data")
    capsys.readouterr()
    assert run("train", "data", *SMALL) == 0
    assert "next: maskforge evaluate runs/data-2/best.pt data" in capsys.readouterr().err
    assert contents("runs/data") == before
    assert run("train", "data", "--resume", "--threads", "1") == 0
    assert "runs/data-2/best.pt" in capsys.readouterr().err
    (tmp_path / "runs/data-3").mkdir()
    (tmp_path / "runs/data-3/notes.txt").write_text("mine")
    assert run("train", "data", "-q", *SMALL) == 0
    assert Path("runs/data-4/best.pt").exists()
    assert contents("runs/data-3") == {"notes.txt": b"mine"}


def test_a_split_is_spelled_as_in_conversions(capsys):
    pytest.importorskip("torch")
    assert run("train", "data", "--split", "0.5,0.25,0.25", *SMALL) == 0
    parts = {n: Path(f"runs/data/{n}.txt").read_text().split() for n in ("train", "val")}
    assert {name: len(stems) for name, stems in parts.items()} == {"train": 4, "val": 2}
    config = json.loads(Path("runs/data/config.json").read_text())
    assert (config["val"], config["test"]) == (0.25, 0.25)
    capsys.readouterr()
    assert run("evaluate", "runs/data", "data", "--part", "test", "--json", "--threads", "1") == 0
    scores = json.loads(capsys.readouterr().out)
    assert sum(map(sum, scores["confusion_matrix"])) == 2 * (18 * 26 - 6)
    assert run("labelme", "data", "--split", "0.5,0.25") == 2
    assert "--split must be the fraction of val" in capsys.readouterr().err
    assert run("train", "data", "--split", "0.5,0.25", *SMALL) == 2
    assert "a split must be the fraction of val" in capsys.readouterr().err


def test_the_command_is_recorded(monkeypatch):
    pytest.importorskip("torch")
    arguments = ["train", "data", "-q", *SMALL, "-o", "a run"]
    monkeypatch.setattr("sys.argv", ["maskforge", *arguments])
    assert run(*arguments) == 0
    config = json.loads(Path("a run/config.json").read_text())
    assert config["command"] == shlex.join(["maskforge", *arguments])
    assert any(note.startswith("pairs: ") for note in config["data"])


def test_an_earlier_run_is_moved_beside_and_both_can_be_used(trained, capsys):
    before = contents("runs/data")
    capsys.readouterr()
    assert run("train", "data", "--overwrite", *SMALL) == 0
    said = capsys.readouterr().err
    assert said.index("the earlier run is now in runs/data-1/") < said.index("best mIoU")
    assert said.splitlines()[-2:] == [
        "the earlier run: runs/data-1/",
        "next: maskforge evaluate runs/data/best.pt data",
    ]
    assert contents("runs/data-1") == before
    for folder in ("data", "data-1"):
        assert run("evaluate", f"runs/{folder}/best.pt", "data", "--threads", "1") == 0
        assert run("train", "data", "-o", f"runs/{folder}", "--resume", "-q") == 0
        assert leftovers(f"runs/{folder}") == []


@pytest.mark.parametrize("again", [(), ("--overwrite",), ("--resume",)])
def test_data_that_are_not_there_touch_nothing(trained, again, capsys):
    before = contents("runs"), listing(".", hidden=True)
    assert run("train", "typo", "-o", "runs/data", *again) == (3 if again else 2)
    assert run("train", "typo", *(again if again != ("--resume",) else ())) == 3
    assert (contents("runs"), listing(".", hidden=True)) == before


@pytest.mark.parametrize("again", [(), ("--overwrite",)])
def test_a_place_that_is_somebody_elses_is_told_before_data_are_read(again, tmp_path, capsys):
    pytest.importorskip("torch")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/config.json").write_text("mine")
    assert run("train", "typo", "-o", "out", *again) == 2
    assert "config.json was not made by this command" in capsys.readouterr().err
    assert contents("out") == {"config.json": b"mine"}


def test_a_changed_checkpoint_is_not_gone_on_over(trained, tmp_path, capsys):
    (tmp_path / trained).write_bytes(b"mine")
    assert run("train", "data", "--resume") == 2
    assert "best.pt was changed" in capsys.readouterr().err


def test_resume_keeps_its_settings(trained, capsys):
    assert run("train", "data", "--resume", "--lr", "1") == 2
    assert "a resumed run keeps its settings" in capsys.readouterr().err
    assert run("train", "data", "--resume", "--preset", "quick") == 2
    assert "settings, but preset are given" in capsys.readouterr().err
    assert run("train", "data", "--resume", "--threads", "1") == 0
    assert "all 2 steps are done" in capsys.readouterr().err
    assert run("train", "data", "-o", "nowhere", "--resume") == 3


def test_a_run_whose_scores_still_rise_says_how_it_goes_on(data, monkeypatch, capsys):
    pytest.importorskip("torch")
    typed = ["train", "data", "--labels", "box", "--lr", "1e-3", *SMALL]
    assert run(*typed) == 0
    assert "still rose" not in capsys.readouterr().err
    monkeypatch.setattr("maskforge.cli.train.still_rising", lambda rows: 0.05)
    assert run(*typed, "--overwrite") == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "mIoU still rose by 5.0 in the last third" in said
    command = said.partition("It goes on with: ")[2].partition(" next:")[0]
    assert command == (
        "python -m maskforge train data --labels box --threads 1 --no-tensorboard "
        "--out runs/data --resume --steps 4"
    ).replace("python -m maskforge", command.partition(" train")[0])
    assert run(*command.partition("maskforge ")[2].split()) == 0
    assert "going on after step 2" in capsys.readouterr().err


def test_ctrl_c_saves_and_ends_well(monkeypatch, capsys):
    pytest.importorskip("torch")
    with monkeypatch.context() as patch:
        patch.setattr("maskforge.training.run.REPORT_SECONDS", 0)
        patch.setattr(
            "maskforge.cli._training.Terminal.step", lambda *_: os.kill(os.getpid(), signal.SIGINT)
        )
        assert run("train", "data", *SMALL) == 130
    assert "go on with: " in capsys.readouterr().err
    assert run("train", "data", "--resume") == 0
    assert "going on after step 1" in capsys.readouterr().err


def test_ctrl_c_before_the_first_checkpoint_saves_it_and_keeps_the_earlier_run(
    trained, monkeypatch, capsys
):
    before = contents("runs/data")
    monkeypatch.setattr("maskforge.training.run.REPORT_SECONDS", 0)
    monkeypatch.setattr(
        "maskforge.cli._training.Terminal.step", lambda *_: os.kill(os.getpid(), signal.SIGINT)
    )
    assert run("train", "data", "--overwrite", *SMALL) == 130
    said = capsys.readouterr().err
    assert "the earlier run: runs/data-1/\n" in said
    assert "interrupted; saved: runs/data/last.pt; go on with: " in said
    assert contents("runs/data-1") == before
    assert not Path("runs/data/best.pt").exists()


@pytest.fixture
def full(monkeypatch):
    """A disk on which a file of some name is the last straw, when it is written again."""

    def fill(name, times):
        create, put, count = Shelf._create, Shelf._fill, 0

        def is_full(wanted):
            nonlocal count
            count += wanted == name
            return wanted == name and count > times

        def created(shelf, wanted):
            descriptor = create(shelf, wanted)
            if is_full(wanted):
                os.close(descriptor)
                return os.open("/dev/full", os.O_WRONLY)
            return descriptor

        def filled(shelf, wanted, how):
            if is_full(wanted):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return put(shelf, wanted, how)

        monkeypatch.setattr(Shelf, "_create", created)
        monkeypatch.setattr(Shelf, "_fill", filled)

    return fill


needs_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")


@needs_full
@pytest.mark.parametrize("name", ["config.json", "best.pt", "last.pt"])
def test_a_full_disk_before_the_first_checkpoint_leaves_the_earlier_run(
    trained, name, full, capsys
):
    before = contents("runs")
    full(name, 0)
    assert run("train", "data", "--overwrite", "-q", *SMALL) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"{name}: the file could not be written: No space left on device" in said
    assert (contents("runs"), leftovers("runs")) == (before, [])


@needs_full
@pytest.mark.parametrize("name", ["last.pt", "history.csv", "curves.png", "previews/epoch_002.png"])
def test_a_full_disk_later_leaves_whole_files(data, name, full, capsys):
    checkpoint = pytest.importorskip("maskforge.training.checkpoint")
    full(name, 0 if name.startswith("previews") else 1)
    longer = ("--steps", "4", "--evaluate-every", "1")
    assert run("train", "data", "-q", *SMALL, *longer) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"{name}: the file could not be written: No space left on device" in said
    for kept in ("best.pt", "last.pt"):
        checkpoint.load(data / "../runs/data" / kept)
    assert leftovers("runs/data") == []
    assert run("train", "data", "--resume", "-q") == (1 if name == "last.pt" else 0)


def test_a_value_outside_the_classes_ends_the_run_before_it_begins(tmp_path, capsys):
    pytest.importorskip("torch")
    Image.fromarray(np.full((18, 26), 7, np.uint8)).save(tmp_path / "data/masks/3.png")
    assert run("train", "data", *SMALL) == 2
    said = capsys.readouterr().err
    assert "3.png" in said
    assert "7" in said
    assert not (tmp_path / "runs/data/last.pt").exists()


def test_a_mask_of_another_shape_is_left_out_and_told(tmp_path, capsys):
    pytest.importorskip("torch")
    Image.fromarray(np.zeros((26, 18), np.uint8)).save(tmp_path / "data/masks/3.png")
    assert run("train", "data", *SMALL) == 1
    assert "size-mismatch" in capsys.readouterr().err
    assert run("train", "data", "--overwrite", "--strict", *SMALL) == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--option", "width"), "must be NAME=VALUE"),
        (("--size", "12x"), "WIDTHxHEIGHT such as 512x384"),
        (("--scale", "2"), "must be two factors"),
        (("--epochs", "1", "--minutes", "1"), "only one of --epochs, --steps and --minutes"),
        (("--preset", "fast"), "cityscapes"),
        (("--network", "fcn8"), "did you mean"),
        (("--option", "wdith=3"), "must be one of the options of unet"),
        (("--loss", "l2"), "must be one of ce, dice"),
        (("--schedule", "sine"), "did you mean cosine?"),
        (("--device", "tpu"), "device must be auto"),
    ],
)
def test_wrong_usage_is_told_before_data_are_read(arguments, said, capsys):
    pytest.importorskip("torch")
    assert run("train", "typo", *arguments) == 2
    assert said in capsys.readouterr().err


def test_weights_that_are_not_there_are_told_before_data_are_read(capsys):
    pytest.importorskip("torch")
    assert run("train", "typo", "--network", "fcn8s", "--encoder-weights", "nope.pth") == 3
    assert "nope.pth: there is no such file or folder" in capsys.readouterr().err


def test_tensorboard_files_belong_to_their_run(tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("tensorboard")
    code = "import sys; from maskforge.cli import main; main(sys.argv[1:])"
    (tmp_path / "runs/data/tensorboard").mkdir(parents=True)
    (tmp_path / "runs/data/tensorboard/events.out.tfevents.mine").write_text("mine")
    for again in ((), ("--overwrite",)):
        arguments = ["train", "data", "-o", "runs/data", "-q", *SMALL[:-1], *again]
        subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)
    [earlier] = (tmp_path / "runs/data-1/tensorboard").iterdir()
    folder = tmp_path / "runs/data/tensorboard"
    [events] = (path for path in folder.iterdir() if path.suffix != ".mine")
    assert b"val/mean_iou" in events.read_bytes()
    ids = [Owned(tmp_path / "runs" / name, "train").id for name in ("data-1", "data")]
    assert [path.name.split(".")[-1] for path in (earlier, events)] == ids
    assert len(list(events.parent.iterdir())) == 2


def test_without_torch_the_cure_is_told(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "torch", None)
    for arguments in (
        ("train", "data"),
        ("evaluate", "a.pt", "data"),
        ("predict", "a.pt", "data/images", "-o", "x"),
    ):
        assert run(*arguments) == 2
        assert extras.install("train") in capsys.readouterr().err


def test_help_needs_no_torch():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from maskforge.cli import cli\n"
        "for name in ('train', 'evaluate', 'predict'):\n"
        "    try: cli.main([name, '--help'], prog_name='maskforge')\n"
        "    except SystemExit as ended: assert ended.code == 0\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Examples:") == 3


def test_a_network_that_is_named_has_its_own_options():
    chosen = _settings.config_of({"network": "unet"}, preset_name="default", network_options=())
    assert chosen.options == {}
    kept = _settings.config_of({"lr": 0.1}, preset_name="default", network_options=("width=8",))
    assert kept.options == {"width": 8, "stride": 2}


def test_one_aligned_line_an_evaluation_and_the_classes_at_the_end(capsys):
    pytest.importorskip("torch")
    small = [*SMALL[: SMALL.index("--steps")], *SMALL[SMALL.index("--steps") + 2 :]]
    assert run("train", "data", *small, "--epochs", "3", "--evaluate-every", "1") == 0
    lines = capsys.readouterr().err.splitlines()
    at = next(n for n, line in enumerate(lines) if line.split()[:2] == ["epoch", "step"])
    assert lines[at].endswith("time")
    rows = lines[at + 1 : at + 4]
    assert [row.split()[0] for row in rows] == ["1", "2", "3"]
    assert {row.removesuffix("  best").rstrip()[-4:-2] for row in rows} == {"0:"}
    assert len({len(row.removesuffix("  best")) for row in rows}) == 1
    assert len(rows[0].removesuffix("  best")) == len(lines[at])
    assert lines[at + 4].startswith("the best, of epoch ")
    assert [line.split()[:1] for line in lines[at + 6 : at + 8]] == [["0"], ["1"]]
    assert "background" in lines[at + 6]
    assert "_background_" not in "".join(lines[at:])
    assert max(map(len, lines[at - 2 :])) <= 80
    assert run("train", "data", "-v", *SMALL, "--evaluate-every", "1") == 0
    said = capsys.readouterr().err
    assert said.count("precision") == 2
