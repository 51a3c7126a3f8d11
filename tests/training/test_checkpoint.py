"""Checkpoints: they rebuild the network alone, and a stranger's one does no harm."""

import json
import pickle
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from training import synthetic

from maskforge.errors import ReadError, WriteError

torch = pytest.importorskip("torch")
checkpoint = pytest.importorskip("maskforge.training.checkpoint")


def made(**changes):
    config = synthetic.config(**changes)
    torch.manual_seed(0)
    weights = checkpoint.build(config, synthetic.CLASSES).state_dict()
    return checkpoint.Checkpoint(config, synthetic.CLASSES, "data", {"iou": 0.5}, weights)


def changed(path, **parts):
    content = torch.load(path, weights_only=True)
    torch.save({**content, **parts}, path)


def test_round_trip(tmp_path):
    path = tmp_path / "deep/a.pt"
    before = made()
    checkpoint.save(path, before)
    after = checkpoint.load(path)
    assert (after.config, after.classes) == (before.config, before.classes)
    assert (after.data, after.scores, after.run) == ("data", {"iou": 0.5}, None)
    network = checkpoint.network(after, path=path)
    assert not network.training
    x = torch.rand(1, 3, 8, 12)
    with torch.no_grad():
        expected = checkpoint.network(before, path=path)(x)
        assert torch.equal(network(x), expected)


def test_loading_a_network_does_not_bring_in_torchs_compiler(tmp_path):
    """It takes longer than all else of a short command."""
    checkpoint.save(tmp_path / "a.pt", made())
    line = (
        "import sys\n"
        "from pathlib import Path\n"
        "from maskforge.training import checkpoint\n"
        "path = Path(sys.argv[1])\n"
        "network = checkpoint.network(checkpoint.load(path), path=path)\n"
        "assert not any(each.is_meta for each in network.parameters())\n"
        "print('torch._dynamo' in sys.modules)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", line, tmp_path / "a.pt"], check=True, capture_output=True, text=True
    )
    assert found.stdout == "False\n"


def test_the_settings_are_json(tmp_path):
    checkpoint.save(tmp_path / "a.pt", made())
    content = torch.load(tmp_path / "a.pt", weights_only=True)
    assert json.loads(content["config"])["options"] == {"width": 4, "depth": 2}


class Harmful:
    """Would write a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


@pytest.mark.parametrize("form", ["torch", "pickle"])
def test_no_code_is_run(tmp_path, form):
    path = tmp_path / "a.pt"
    if form == "torch":
        torch.save({"format": checkpoint.FORMAT, "weights": Harmful(tmp_path / "harm")}, path)
    else:
        path.write_bytes(pickle.dumps(Harmful(tmp_path / "harm")))
    with pytest.raises(ReadError, match="must be a checkpoint of maskforge"):
        checkpoint.load(path)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"format": "other"}, "not marked maskforge-checkpoint/1"),
        ({"config": "{"}, "settings must be JSON"),
        ({"config": 7}, "checkpoint of maskforge"),
        ({"classes": "a\na\n"}, "must occur once"),
        ({"names": ["one"]}, "there must be 2 names"),
        ({"names": torch.zeros(1).expand(10**9)}, "a list of text, but got Tensor"),
        ({"weights": {"a": torch.zeros(1).expand(10**9)}}, "weights must be held in full"),
        ({"weights": {"a": torch.zeros(10**9, device="meta")}}, "weights must be held in full"),
        ({"scores": {"a": torch.zeros(2)}}, "checkpoint of maskforge"),
        ({"weights": {"a": 1}}, "weights must be tensors by name"),
        ({"weights": [1]}, "checkpoint of maskforge"),
        ({"scores": {"a": "b"}}, "could not convert"),
    ],
)
def test_damage_is_told(tmp_path, parts, said):
    path = tmp_path / "a.pt"
    checkpoint.save(path, made())
    changed(path, **parts)
    with pytest.raises(ReadError, match=said):
        checkpoint.load(path)


def test_a_truncated_file_and_none_at_all(tmp_path):
    path = tmp_path / "a.pt"
    checkpoint.save(path, made())
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ReadError, match="must be a checkpoint of maskforge"):
        checkpoint.load(path)
    path.write_bytes(b"")
    with pytest.raises(ReadError, match="it is empty or cut off"):
        checkpoint.load(path)
    with pytest.raises(ReadError, match="there must be a checkpoint, but there is none"):
        checkpoint.load(tmp_path / "b.pt")


def test_a_file_that_claims_more_than_it_holds(tmp_path):
    path, packed = tmp_path / "a.pt", tmp_path / "b.pt"
    checkpoint.save(path, made())
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry) + bytes(10**6))
    with pytest.raises(ReadError, match="must be stored as they are"):
        checkpoint.load(packed)


def test_a_file_with_packed_parts_and_room_for_them(tmp_path):
    """Packed, what a part says could not be looked for in the file's bytes."""
    path, packed = tmp_path / "a.pt", tmp_path / "b.pt"
    checkpoint.save(path, made())
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(packed, "w") as new:
        for entry in old.infolist():
            how = zipfile.ZIP_DEFLATED if entry.filename.endswith("data.pkl") else None
            new.writestr(entry.filename, old.read(entry), compress_type=how)
        held = sum(entry.file_size for entry in new.infolist())
        new.comment = bytes(10_000)
    assert packed.stat().st_size > held
    with pytest.raises(ReadError, match="must be stored as they are"):
        checkpoint.load(packed)


ARRAY = b"\x80\x02cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R."  # bytearray(2**31 - 1)


def zipped(path, name):
    checkpoint.save(path, made())
    with zipfile.ZipFile(path) as old:
        parts = {entry.filename: old.read(entry) for entry in old.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as new:
        for entry, data in parts.items():
            new.writestr(entry, ARRAY if entry.endswith(name) else data)


@pytest.mark.parametrize("form", ["legacy", "zip"])
def test_a_file_that_asks_for_memory(tmp_path, form, monkeypatch):
    path = tmp_path / "a.pt"
    if form == "legacy":
        path.write_bytes(ARRAY)
    else:
        zipped(path, "/data.pkl")
    monkeypatch.setattr(torch, "load", None)  # it does not come to it
    with pytest.raises(ReadError, match="it holds more than tensors, numbers and text"):
        checkpoint.load(path)


def test_a_file_for_which_memory_does_not_suffice(tmp_path, monkeypatch):
    def full(*_given, **_named):
        raise MemoryError

    path = tmp_path / "a.pt"
    checkpoint.save(path, made())
    monkeypatch.setattr(torch, "load", full)
    with pytest.raises(ReadError, match="it takes more memory than there is"):
        checkpoint.load(path)


@pytest.mark.parametrize(
    "options",
    [
        {"width": 10**7, "depth": 2},
        {"width": 4, "depth": 40},
        {"width": 4, "depth": 10**6},
        {"width": 8, "depth": 2},
    ],
)
def test_settings_that_do_not_fit_the_weights_take_no_memory(tmp_path, options):
    path = tmp_path / "a.pt"
    saved = made()
    checkpoint.save(path, saved)
    config = json.loads(saved.config.to_json())
    changed(path, config=json.dumps({**config, "options": options}))
    with pytest.raises(ReadError, match="must be a checkpoint of maskforge"):
        checkpoint.network(checkpoint.load(path), path=path)


def test_a_killed_write_leaves_the_earlier_file(tmp_path, monkeypatch):
    path = tmp_path / "a.pt"
    checkpoint.save(path, made())
    before = path.read_bytes()

    def fails(content, file):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", fails)
    with pytest.raises(WriteError, match="No space left"):
        checkpoint.save(path, made(seed=1))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.pt"]


def test_finite():
    assert checkpoint.finite({"a": np.nan, "b": 1.0}) == {"b": 1.0}


@pytest.mark.parametrize(
    ("run", "last"),
    [
        ({"state": {"history": [{"epoch": 2}, {"epoch": 4}, {"epoch": 6}]}}, 6),
        ({"state": {"history": [{"epoch": 2}]}}, 2),
        ({"state": {"history": []}}, 0),
        ({"state": {"history": [{"epoch": "x"}]}}, 0),
        ({"state": 7}, 0),
        (None, 0),
    ],
)
def test_the_epoch_is_that_of_the_last_evaluation(run, last):
    assert checkpoint.epoch(replace(made(), run=run)) == last
