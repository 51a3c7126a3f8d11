"""The loop: it learns, repeats itself, and goes on after an interruption as if undisturbed."""

import csv
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from training import synthetic
from training.places import contents, leftovers

from maskforge.errors import MaskforgeError, UsageError
from maskforge.training.samples import Arrays

torch = pytest.importorskip("torch")
loop = pytest.importorskip("maskforge.training.loop")
checkpoint = pytest.importorskip("maskforge.training.checkpoint")
run_ = pytest.importorskip("maskforge.training.run")
run_files = pytest.importorskip("maskforge.training.run_files")
watch = pytest.importorskip("maskforge.training.callbacks")

TESTS = Path(__file__).parents[1]


def weights(path):
    return checkpoint.load(path).weights


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def numbers(history):
    """Return the rows without what a clock says."""
    kept = [{k: v for k, v in r.items() if "second" not in k} for r in history]
    return [[f"{k} {v}" for k, v in row.items()] for row in kept]


class StopAt(watch.Watch):
    """Presses Ctrl-C after a step."""

    def __init__(self, step, monkeypatch):
        self.stop = step
        monkeypatch.setattr("maskforge.training.run.REPORT_SECONDS", 0)

    def step(self, step):
        if step.step == self.stop:
            os.kill(os.getpid(), signal.SIGINT)


def test_it_learns_and_writes_what_it_promises(tmp_path):
    config = synthetic.config(
        steps=60, lr=1e-2, rotate=0.0, scale=(1.0, 1.0), color=0.0, evaluate_every=15
    )
    trained = loop.train(config, synthetic.data(12), out=tmp_path)
    assert trained.history[-1]["step"] == 60
    assert trained.history[-1]["iou box"] > 0.8
    assert trained.history[-1]["loss"] < trained.history[0]["loss"]
    assert {path.name for path in tmp_path.iterdir()} == {
        *("best.pt", "last.pt", "config.json", "labels.txt", "train.txt", "val.txt"),
        *("history.csv", "curves.png", "previews", ".maskforge-train.owned"),
    }
    with (tmp_path / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["15", "20"]
    for path in (tmp_path / "curves.png", tmp_path / "previews/epoch_020.png"):
        with Image.open(path) as image:
            assert image.getextrema() != ((27, 27), (29, 29), (34, 34))
            assert image.width <= 2000
    assert checkpoint.load(tmp_path / "best.pt").run is None
    assert trained.best == max(row["mean_iou"] for row in trained.history)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ema": 0.9, "accumulate": 2, "schedule": "plateau"},
        {"network": "unet-small", "options": {"width": 4}, "precision": "bfloat16"},
    ],
)
def test_the_same_seed_gives_the_same_bits_also_when_interrupted(tmp_path, monkeypatch, changes):
    config, data = synthetic.config(**changes), synthetic.data(9)
    whole = loop.train(config, data, out=tmp_path / "a")
    with pytest.raises(KeyboardInterrupt):
        loop.train(config, data, out=tmp_path / "b", watch=StopAt(4, monkeypatch))
    assert checkpoint.load(tmp_path / "b/last.pt").run["state"]["step"] == 4
    resumed = loop.train(config, data, out=tmp_path / "b", resume=True)
    assert same(weights(tmp_path / "a/last.pt"), weights(tmp_path / "b/last.pt"))
    assert same(weights(tmp_path / "a/best.pt"), weights(tmp_path / "b/best.pt"))
    assert numbers(whole.history) == numbers(resumed.history)


def test_another_seed_gives_others(tmp_path):
    for seed in (0, 1):
        loop.train(synthetic.config(steps=1, seed=seed), synthetic.data(), out=tmp_path / str(seed))
    assert not same(weights(tmp_path / "0/last.pt"), weights(tmp_path / "1/last.pt"))


def test_a_run_that_goes_on_elsewhere_takes_its_best_along(tmp_path):
    config, data = synthetic.config(steps=4, lr=1e-9), synthetic.data()
    loop.train(config, data, out=tmp_path / "a")
    with loop.opened(tmp_path / "b", source=tmp_path / "a") as folder:
        trained = loop.train_in(folder, config, data)
    assert (trained.steps, len(trained.history)) == (4, 2)
    for name in ("best.pt", "last.pt"):
        assert same(weights(tmp_path / "a" / name), weights(tmp_path / "b" / name))


KILLED = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from training import synthetic
from maskforge.training import callbacks, loop, run
loop.SAVE_SECONDS = run.REPORT_SECONDS = 0
class Kill(callbacks.Watch):
    def step(self, step):
        if step.step == 4:
            os.kill(os.getpid(), 9)
loop.train(synthetic.config(), synthetic.data(), out=Path(sys.argv[2]), watch=Kill())
"""


def test_a_killed_run_goes_on_to_the_same_numbers(tmp_path):
    arguments = [sys.executable, "-c", KILLED, str(TESTS), str(tmp_path / "b")]
    killed = subprocess.run(arguments, check=False, capture_output=True, text=True)
    assert killed.returncode == -9, killed.stderr
    assert checkpoint.load(tmp_path / "b/last.pt").run["state"]["step"] == 3
    whole = loop.train(synthetic.config(), synthetic.data(), out=tmp_path / "a")
    resumed = loop.train(synthetic.config(), synthetic.data(), out=tmp_path / "b", resume=True)
    assert same(weights(tmp_path / "a/last.pt"), weights(tmp_path / "b/last.pt"))
    assert numbers(whole.history) == numbers(resumed.history)


SPREAD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from training import synthetic
from maskforge.training import loop
config = synthetic.config(steps=4, batch=4)
loop.train(config, synthetic.data(8, 5), out=Path(sys.argv[2]), overwrite=True)
"""


def two_processes(script, out):
    """Run ``script`` with two processes that train one network."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *("--nproc-per-node", "2", str(script), str(TESTS), str(out)),
        ],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr


PLAIN = "network='unet-small', options={'width': 4, 'dropout': 0.0}, loss='ce'"


def test_two_processes_reach_what_one_reaches(tmp_path):
    """With batch norm, a loss over the whole batch and halves of unequal weight (the corner)."""
    script = tmp_path / "spread.py"
    script.write_text(SPREAD.replace("batch=4)", "batch=4, loss='ce+dice+focal', clip=0.5)"))
    earlier = loop.train(synthetic.config(steps=1), synthetic.data(8, 5), out=tmp_path / "two")
    before = contents(earlier.out)
    two_processes(script, tmp_path / "two")
    # One of the two wrote, and moved the earlier run.
    assert contents(tmp_path / "two-1") == before
    assert leftovers(tmp_path / "two") == []
    alone = [sys.executable, str(script), str(TESTS), str(tmp_path / "one")]
    subprocess.run(alone, check=True)
    one, two = (checkpoint.load(tmp_path / name / "last.pt") for name in ("one", "two"))
    for name in one.weights:
        # Sums in another order differ in their last bits, which Adam makes more of.
        assert torch.allclose(one.weights[name], two.weights[name], atol=2e-4), name
    rows = [saved.run["state"]["history"] for saved in (one, two)]
    for alone, both in zip(*rows, strict=True):
        for score in ("loss", "val_loss", "mean_iou", "image_mean_iou", "pixel_accuracy"):
            assert both[score] == pytest.approx(alone[score], abs=1e-4), score


def test_two_processes_draw_the_previews_that_one_draws(tmp_path):
    """With a learning rate of 0 both networks are the same, and so must be the bytes."""
    script = tmp_path / "spread.py"
    script.write_text(SPREAD.replace("batch=4)", f"batch=4, lr=0.0, {PLAIN})"))
    two_processes(script, tmp_path / "two")
    subprocess.run([sys.executable, str(script), str(TESTS), str(tmp_path / "one")], check=True)
    one, two = (contents(tmp_path / name / "previews") for name in ("one", "two"))
    assert sorted(one) == ["epoch_001.png", "epoch_002.png"]
    assert one == two


@pytest.mark.parametrize(("clip", "is_moved"), [(0.0, True), (1e-12, False), (1e9, True)])
def test_gradients_are_clipped_to_their_norm(tmp_path, clip, is_moved):
    """AdamW takes steps of lr for gradients of any size, unless they are far below its 1e-8."""
    config = synthetic.config(steps=1, lr=0.25, schedule="constant", weight_decay=0.0, clip=clip)
    loop.train(config, synthetic.data(), out=tmp_path)
    before = checkpoint.build(seeded(config), synthetic.CLASSES).state_dict()
    moved = [
        float((value - before[name]).abs().max())
        for name, value in weights(tmp_path / "last.pt").items()
        if value.is_floating_point() and "running" not in name
    ]
    assert max(moved) == pytest.approx(0.25, rel=1e-3) if is_moved else max(moved) < 1e-3


def seeded(config):
    """Begin the random numbers of a run anew."""
    torch.manual_seed(config.seed)
    return config


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"loss": "bce"}, "a loss must be one of"),
        ({"network": "net"}, "must be one of .* but got .net."),
        ({"device": "tpu"}, "device must be"),
    ],
)
def test_names_are_checked_before_the_folder_is_looked_at(tmp_path, changes, said):
    (tmp_path / "out").write_bytes(b"no folder")
    with pytest.raises(UsageError, match=said):
        loop.train(synthetic.config(**changes), synthetic.data(), out=tmp_path / "out")


def test_an_equal_score_writes_no_other_best(tmp_path):
    """At a learning rate of 0, without batch statistics, every evaluation is the same."""
    still = {"network": "unet-small", "options": {"width": 4}, "lr": 0.0}
    trained = loop.train(synthetic.config(**still), synthetic.data(), out=tmp_path)
    assert [row["step"] for row in trained.history] == [2, 4, 6]
    assert len({row["mean_iou"] for row in trained.history}) == 1
    assert checkpoint.load(tmp_path / "best.pt").scores["step"] == 2


@pytest.mark.parametrize(("count", "shown"), [(1, [0]), (17, [0, 2, 4, 6, 8, 10, 12, 14])])
def test_previews_show_the_same_few_images_each_time(tmp_path, monkeypatch, count, shown):
    """Whatever their sizes are, and so whatever batches they are in."""
    small, large = synthetic.pairs(9), synthetic.pairs(9, height=31, width=15)
    mixed = [pair for both in zip(small, large, strict=True) for pair in both][:count]
    drawn, real = [], run_files.Comparison

    def noted(name, *arguments):
        drawn.append(name)
        return real(name, *arguments)

    monkeypatch.setattr(run_files, "Comparison", noted)
    data = replace(synthetic.data(4), val=Arrays(mixed))
    loop.train(synthetic.config(steps=2), data, out=tmp_path)
    assert drawn == [str(number) for number in shown] * 2


def test_without_matplotlib_a_run_has_no_curves_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(run_files.plots, "missing", lambda: "no curves.png")
    told = []

    class Told(watch.Watch):
        def epoch(self, epoch):
            told.append(sorted(epoch.pictures))

    loop.train(synthetic.config(steps=2), synthetic.data(), out=tmp_path, watch=Told())
    assert told == [["previews"]]
    assert not (tmp_path / "curves.png").exists()
    assert (tmp_path / "history.csv").exists()


def test_gradients_are_shared_with_the_last_part_of_a_step(tmp_path, monkeypatch):
    told, real = [], run_.Run.gradients_shared

    def shared(self, *, last):
        told.append(last)
        return real(self, last=last)

    monkeypatch.setattr(run_.Run, "gradients_shared", shared)
    config = synthetic.config(batch=6, accumulate=3, steps=2)
    loop.train(config, synthetic.data(), out=tmp_path)
    assert told == [False, False, True] * 2


def test_early_stopping(tmp_path):
    config = synthetic.config(steps=40, lr=0.0, patience=2)
    trained = loop.train(config, synthetic.data(), out=tmp_path)
    assert trained.steps == 6  # the first evaluation is the best; two more, two steps apart
    assert len(trained.history) == 3


class Clock(watch.Watch):
    """A clock that only moves when a step is done; notes what the steps were told."""

    def __init__(self, monkeypatch, *, seconds):
        self.now, self.seconds, self.steps = 1000.0, seconds, []
        for module in ("loop", "run"):
            monkeypatch.setattr(f"maskforge.training.{module}.time", self)

    def monotonic(self):
        return self.now

    def step(self, step):
        self.steps.append(step)
        self.now += self.seconds


def test_minutes_end_a_run(tmp_path, monkeypatch):
    """The learning rate follows the share of the minutes: 0/60, 11/60, 22/60 … of them are over."""
    clock = Clock(monkeypatch, seconds=11)
    config = synthetic.config(steps=None, minutes=1, schedule="book")
    trained = loop.train(config, synthetic.data(), out=tmp_path, watch=clock)
    factors = [step.lr / config.lr for step in clock.steps]
    assert factors == pytest.approx([1, 1, 1, 0.5, 0.1, 0.05])
    assert [round(60 * step.share) for step in clock.steps] == [0, 11, 22, 33, 44, 55]
    assert [round(step.seconds_left) for step in clock.steps[1:]] == [49, 38, 27, 16, 5]
    assert (trained.steps, trained.seconds) == (6, 66)
    assert trained.history[-1]["step"] == trained.steps
    assert trained.history[-1]["lr"] == clock.steps[-1].lr


def test_a_resumed_run_has_the_minutes_that_are_left(tmp_path, monkeypatch):
    class Stopped(Clock):
        def step(self, step):
            super().step(step)
            if step.step == 4:
                os.kill(os.getpid(), signal.SIGINT)

    config = synthetic.config(steps=None, minutes=1, schedule="book")
    stopped = Stopped(monkeypatch, seconds=11)
    with pytest.raises(KeyboardInterrupt):
        loop.train(config, synthetic.data(), out=tmp_path, watch=stopped)
    clock = Clock(monkeypatch, seconds=11)
    clock.now = 5.0  # another process, whose clock began elsewhere
    trained = loop.train(config, synthetic.data(), out=tmp_path, watch=clock, resume=True)
    assert [step.lr / config.lr for step in clock.steps] == pytest.approx([0.1, 0.05])
    assert (trained.steps, trained.seconds) == (6, 66)


def test_without_validation_the_training_loss_decides(tmp_path):
    trained = loop.train(synthetic.config(), synthetic.data(8, 0), out=tmp_path)
    assert np.isnan(trained.history[-1]["mean_iou"])
    assert (tmp_path / "best.pt").exists()
    assert not (tmp_path / "previews").exists()


def test_one_logit(tmp_path):
    loop.train(synthetic.config(sigmoid=True, steps=2), synthetic.data(), out=tmp_path)
    assert weights(tmp_path / "last.pt")["classify.weight"].shape[0] == 1


def test_images_of_many_sizes(tmp_path):
    data = synthetic.data(4)
    other = synthetic.data(4, 2, height=31, width=15)
    mixed = replace(data, val=other.val)
    trained = loop.train(synthetic.config(steps=2), mixed, out=tmp_path)
    assert trained.history[-1]["pixel_accuracy"] > 0


def test_a_compiled_network_is_saved_under_its_own_names(tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda module: torch.nn.Sequential(module))
    loop.train(synthetic.config(steps=1, compile=True), synthetic.data(), out=tmp_path)
    assert "classify.weight" in weights(tmp_path / "last.pt")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"batch": 5, "accumulate": 2}, "batch must be a multiple of 2"),
        ({"network": "unett"}, "did you mean 'unet'"),
        ({"options": {"with": 3}}, "options of network 'unet' are"),
        ({"loss": "l2"}, "a loss must be one of"),
        ({"device": "tpu"}, "device must be auto, cpu, cuda"),
    ],
)
def test_settings_that_do_not_fit(tmp_path, changes, said):
    with pytest.raises(UsageError, match=said):
        loop.train(synthetic.config(**changes), synthetic.data(), out=tmp_path)


def test_a_loss_that_is_no_number_ends_the_run(tmp_path, monkeypatch):
    def build(name, **_):
        return lambda logits, target: logits.sum() / 0

    monkeypatch.setattr("maskforge.training.losses.build", build)
    with pytest.raises(MaskforgeError, match="the loss must stay a number") as raised:
        loop.train(synthetic.config(), synthetic.data(), out=tmp_path)
    assert "lower --lr" in str(raised.value)


def test_a_resumed_run_must_be_the_same_run(tmp_path):
    loop.train(synthetic.config(steps=1), synthetic.data(), out=tmp_path)
    with pytest.raises(UsageError, match="with the settings it was begun with"):
        loop.train(synthetic.config(steps=1, lr=1.0), synthetic.data(), out=tmp_path, resume=True)
    with pytest.raises(UsageError, match="on the data it was begun with"):
        loop.train(synthetic.config(steps=1), synthetic.data(9), out=tmp_path, resume=True)


@pytest.mark.parametrize("longer", [{"steps": 5}, {"steps": None, "epochs": 3}])
def test_a_run_that_is_done_goes_on_when_it_is_to_be_longer(tmp_path, longer):
    data = synthetic.data()
    loop.train(synthetic.config(steps=2), data, out=tmp_path)
    trained = loop.train(synthetic.config(**longer), data, out=tmp_path, resume=True)
    assert trained.steps == (longer["steps"] or 6)
    assert [row["step"] for row in trained.history] == [2, 4, trained.steps]
    saved = checkpoint.load(tmp_path / "last.pt").config
    assert (saved.steps, saved.epochs) == (longer["steps"], longer.get("epochs"))
    again = loop.train(synthetic.config(steps=3), data, out=tmp_path, resume=True)
    assert again.history == trained.history  # it is longer already


def test_an_earlier_run_stands_unless_told(tmp_path):
    out = tmp_path / "out"
    config, data = synthetic.config(steps=1), synthetic.data()
    assert loop.train(config, data, out=out).moved is None
    before = contents(out)
    with pytest.raises(UsageError, match="an earlier run stands"):
        loop.train(config, data, out=out)
    with pytest.raises(UsageError, match="network 'unet' cannot be built"):
        loop.train(synthetic.config(options={"depth": 0}), data, out=out, overwrite=True)
    assert contents(tmp_path) == {f"out/{name}": content for name, content in before.items()}
    assert loop.train(config, data, out=out, overwrite=True).moved == tmp_path / "out-1"
    assert contents(tmp_path / "out-1") == before


def test_the_first_checkpoint_may_come_before_the_first_evaluation(tmp_path, monkeypatch):
    placed = []

    class Placed(watch.Watch):
        def placed(self, moved):
            placed.append((moved, sorted(path.name for path in tmp_path.glob("*.pt"))))

    monkeypatch.setattr(loop, "SAVE_SECONDS", 0.0)
    loop.train(synthetic.config(steps=4), synthetic.data(), out=tmp_path, watch=Placed())
    assert placed == [(None, ["last.pt"])]


def test_in_another_thread_signals_are_left_alone(tmp_path):
    found = []
    thread = threading.Thread(
        target=lambda: found.append(
            loop.train(synthetic.config(steps=1), synthetic.data(), out=tmp_path)
        )
    )
    thread.start()
    thread.join()
    assert found[0].steps == 1


def test_a_seed_may_be_a_time(tmp_path):
    config = synthetic.config(steps=1, seed=20_251_121_074_445)
    assert loop.train(config, synthetic.data(), out=tmp_path).steps == 1
