"""The trial before the first step: what it tries, what it takes, what of it is kept."""

from __future__ import annotations

import json
import re

import pytest
from training import synthetic

from maskforge.errors import ReadError

torch = pytest.importorskip("torch")
callbacks = pytest.importorskip("maskforge.training.callbacks")
checkpoint = pytest.importorskip("maskforge.training.checkpoint")
device = pytest.importorskip("maskforge.training.device")
loop = pytest.importorskip("maskforge.training.loop")
trial = pytest.importorskip("maskforge.training.trial")

OPEN = {"precision": "auto", "threads": 0}


def timed(monkeypatch, *, bfloat16, float32, first=1.0, half=1.0, threads=4, fast=True):
    """Have steps take so long; return what is tried. first: channels first, half: the threads."""
    asked = []

    def seconds(config, network, batch):
        asked.append((config.precision, config.channels_last, config.threads))
        took = {"bfloat16": bfloat16, "float32": float32}[config.precision]
        return took * (1 if config.channels_last else first) * (half if config.threads else 1)

    monkeypatch.setattr(trial, "_seconds", seconds)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(torch, "set_num_threads", lambda count: None)
    monkeypatch.setattr(device, "_is_fast_bfloat16", lambda _: fast)
    return asked


def chosen(**changes):
    found = trial.choose(synthetic.config(**(OPEN | changes)), synthetic.data())
    assert found.settings.keys() == set(trial.SETTINGS)
    return tuple(found.settings[name] for name in trial.SETTINGS)


@pytest.mark.parametrize(
    ("times", "wanted"),
    [
        ({"bfloat16": 0.5, "float32": 1.0}, ("bfloat16", True, 0)),
        ({"bfloat16": 5.0, "float32": 1.0}, ("float32", True, 0)),
        ({"bfloat16": 1.0, "float32": 0.95}, ("bfloat16", True, 0)),  # too little to go by
        ({"bfloat16": 0.5, "float32": 1.0, "fast": False}, ("bfloat16", True, 0)),
        ({"bfloat16": 0.95, "float32": 1.0, "fast": False}, ("float32", True, 0)),
        ({"bfloat16": 0.5, "float32": 1.0, "first": 0.8}, ("bfloat16", False, 0)),
        ({"bfloat16": 0.5, "float32": 1.0, "half": 0.7}, ("bfloat16", True, 2)),
        ({"bfloat16": 0.5, "float32": 1.0, "half": 0.8}, ("bfloat16", True, 0)),
        ({"bfloat16": 5.0, "float32": 1.0, "first": 0.8, "half": 0.7}, ("float32", False, 2)),
    ],
)
def test_what_is_clearly_faster_is_taken(monkeypatch, times, wanted):
    timed(monkeypatch, **times)
    assert chosen() == wanted


def test_each_is_tried_with_the_best_of_those_before(monkeypatch):
    asked = timed(monkeypatch, bfloat16=5.0, float32=1.0, first=0.5)
    chosen()
    assert asked == [
        ("bfloat16", True, 0), ("float32", True, 0), ("float32", False, 0), ("float32", False, 2),
    ]  # fmt: skip


def test_what_was_asked_for_is_not_tried(monkeypatch):
    asked = timed(monkeypatch, bfloat16=0.5, float32=1.0)
    assert chosen(channels_last=False, threads=3) == ("bfloat16", False, 3)
    assert asked == [("bfloat16", False, 3), ("float32", False, 3)]


def test_a_single_thread_has_no_half(monkeypatch):
    asked = timed(monkeypatch, bfloat16=0.5, float32=1.0, threads=1)
    chosen()
    assert [threads for _, _, threads in asked] == [0, 0, 0]


def test_after_some_seconds_nothing_more_is_tried(monkeypatch):
    asked = timed(monkeypatch, bfloat16=0.5, float32=1.0)
    clock = iter([0.0, 10.0, 20.0, 20.0])
    monkeypatch.setattr(trial.time, "monotonic", lambda: next(clock))
    chosen()
    assert [precision for precision, _, _ in asked] == ["bfloat16", "float32"]


@pytest.mark.parametrize(
    ("bfloat16", "said"),
    [
        (0.5, "bfloat16 (a step in float32 takes 2.0 times as long), channels last, 4 threads"),
        (4.0, "float32 (a step in bfloat16 takes 4.0 times as long), channels last, 4 threads"),
    ],
)
def test_it_is_said_in_a_line(monkeypatch, bfloat16, said):
    timed(monkeypatch, bfloat16=bfloat16, float32=1.0)
    found = trial.choose(synthetic.config(**OPEN), synthetic.data())
    assert found.told.partition("s what is fastest here: ")[2] == said


@pytest.mark.parametrize(
    ("changes", "kind", "wanted"),
    [
        ({"steps": 200}, "cpu", True),
        ({"steps": 199}, "cpu", False),
        ({"steps": None, "epochs": 100}, "cpu", True),  # 2 steps each
        ({"steps": None, "epochs": 99}, "cpu", False),
        ({"steps": None, "minutes": 1.0}, "cpu", True),
        ({"steps": None}, "cpu", True),
        ({"steps": 200}, "cuda", False),
        ({"steps": 200, "precision": "float32"}, "cpu", False),
        ({"steps": 200, "trial": False}, "cpu", False),
    ],
)
def test_it_is_done_where_it_is_worth_it(changes, kind, wanted):
    config = synthetic.config(**({"precision": "auto"} | changes))
    machine = device.Machine.of(synthetic.config())
    machine = type("Machine", (), {"device": torch.device(kind)}) if kind == "cuda" else machine
    assert trial.is_worth(config, synthetic.data(), machine) == wanted


def test_a_real_one_leaves_threads_and_data_as_they_were(monkeypatch):
    before = torch.get_num_threads()
    data = synthetic.data()
    found = trial.choose(synthetic.config(**OPEN, options={"width": 2, "depth": 1}), data)
    assert torch.get_num_threads() == before
    assert found.settings["precision"] in ("bfloat16", "float32")
    assert re.match(r"tried for \d+ s .*: (bfloat16|float32) \(a step in ", found.told)


class Stop(callbacks.Watch):
    """Remembers what was told, and ends the run after its first step."""

    def start(self, start):
        self.trial = start.trial

    def step(self, step):
        raise KeyboardInterrupt


@pytest.fixture
def once(monkeypatch):
    """Runs of 200 steps that end after the first; what their machines were."""
    made, real = [], device.Machine.of

    def of(config, **options):
        made.append((config.precision, config.channels_last, config.threads))
        return real(config, **options)

    monkeypatch.setattr(device.Machine, "of", of)
    monkeypatch.setattr("maskforge.training.run.REPORT_SECONDS", 0)
    return made


def test_a_run_computes_as_chosen_and_one_that_goes_on_does_so_too(tmp_path, monkeypatch, once):
    timed(monkeypatch, bfloat16=5.0, float32=1.0, first=0.5, half=0.5)
    config = synthetic.config(**OPEN, steps=200)
    monkeypatch.setattr(loop, "SAVE_SECONDS", 0.0)
    watch = Stop()
    with pytest.raises(KeyboardInterrupt):
        loop.train(config, synthetic.data(), out=tmp_path, watch=watch)
    assert "what is fastest here: float32 (a step in bfloat16 takes 5.0 times" in watch.trial
    assert once[-1] == ("float32", False, 2)
    with loop.opened(tmp_path, resume=True) as folder, pytest.raises(KeyboardInterrupt):
        loop.train_in(folder, config, synthetic.data(), watch=watch)
    assert watch.trial == ""
    assert once[-1] == ("float32", False, 2)
    known = json.loads((tmp_path / "config.json").read_text())
    assert known["trial"] == {"precision": "float32", "channels_last": False, "threads": 2}
    assert known["precision"] == "auto"  # whoever predicts elsewhere has other machines


def test_without_a_trial_nothing_is_tried(tmp_path, monkeypatch, once):
    asked = timed(monkeypatch, bfloat16=5.0, float32=1.0)
    config = synthetic.config(**OPEN, steps=200, trial=False)
    watch = Stop()
    with pytest.raises(KeyboardInterrupt):
        loop.train(config, synthetic.data(), out=tmp_path, watch=watch)
    assert (watch.trial, asked) == ("", [])
    assert once == [("auto", True, 0)]


def saved(run):
    return checkpoint.Checkpoint(synthetic.config(), synthetic.CLASSES, "", {}, {}, run)


def test_threads_that_are_asked_for_later_stay():
    known = saved({"trial": {"precision": "float32", "channels_last": False, "threads": 2}})
    for asked, threads in ((0, 2), (3, 3)):
        found = trial.recorded(known, synthetic.config(precision="auto", threads=asked))
        assert (found.precision, found.channels_last, found.threads) == ("float32", False, threads)


@pytest.mark.parametrize("run", [None, {}, {"trial": {}}, {"trial": {"lr": 5.0}}])
def test_runs_without_a_trial_go_on_as_they_are(run):
    assert trial.recorded(saved(run), synthetic.config()) == synthetic.config()


@pytest.mark.parametrize("made", [{"threads": "all"}, {"threads": 2**30}, {"precision": 8}, [1], 5])
def test_what_no_trial_has_written_is_refused(made):
    with pytest.raises(ReadError, match="must be one to go on from"):
        trial.recorded(saved({"trial": made}), synthetic.config(threads=0))
