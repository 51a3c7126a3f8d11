"""What an image is converted to is a value: a sink in memory and one on the disk get the same."""

import io
import shutil
from pathlib import Path

import pytest
from projects import tree

from maskforge import convert, plugins, writers
from maskforge.conversion import image, sinks
from maskforge.conversion.sinks import Memory

SAMPLES = Path(__file__).parents[2] / "samples"
NAMES = {
    "labelme": ("park_001", "phone", "embedded", "nobody"),  # upright, turned, inside, no image
    "via": ("segmentation_test.json", "*.jpg"),
    "ochuman": ("ochuman.json", "images"),
}
WAYS = [
    *(("labelme", name, "pairs") for name in plugins.names("writers")),
    *(("labelme", None, name) for name in plugins.names("layouts")),
    ("via", None, "pairs"),
    ("ochuman", None, "pairs"),
]


@pytest.fixture(params=WAYS, ids=str)
def way(request, tmp_path):
    name, as_, layout = request.param
    source = tmp_path / "source"
    source.mkdir()
    for chosen in NAMES[name]:
        pattern = f"{chosen}.*" if name == "labelme" else chosen
        for path in (SAMPLES / name).glob(pattern):
            copy = shutil.copytree if path.is_dir() else shutil.copy
            copy(path, source / path.name)
    return source, {"format": name, "as_": as_, "layout": layout}


def test_memory_and_disk_get_the_same_bytes(way, tmp_path, monkeypatch):
    source, given = way
    monkeypatch.chdir(tmp_path)  # where no labels.txt lies
    memory = Memory()
    collected = {}

    def both(plan, sink, job):
        """Do each image twice, into either sink."""
        outcome = real(plan, memory, job)
        if outcome.piece is not None:
            writer = writers.load(plan.writer)
            name, data, names = outcome.piece
            if name not in collected:
                options = plugins.options(writer, plan.writer_options)
                kept = io.BytesIO()
                collected[name] = kept, writer.Collection(kept, plan.classes, options)
            collected[name][1].add(data, names)
        return real(plan, sink, job)

    real = image.process
    monkeypatch.setattr(image, "process", both)
    out = tmp_path / "out"
    result = convert(source, out=out, workers=1, **given)
    assert result.converted > 3 or given["format"] == "labelme"
    for name, (kept, collection) in collected.items():
        collection.close()
        memory.files[name] = kept.getvalue()
    files = {name: (out / name).read_bytes() for name in tree(out)}
    closing = files.keys() - memory.files.keys()
    assert memory.files == {name: data for name, data in files.items() if name in memory.files}
    closing -= {name for name in closing if name.endswith(("previews.jpg", "Visualization.jpg"))}
    about = ("txt", "json", "jsonl", "yaml")  # the whole output, at its end
    assert {name.rpartition(".")[2] for name in closing} <= set(about)
    assert len(memory.files) >= len(result.records)


def test_a_sink_goes_to_workers():
    import pickle

    assert pickle.loads(pickle.dumps(Memory({"a": b"b"}))).files == {"a": b"b"}
    assert sinks.Disk.__dataclass_params__.frozen
