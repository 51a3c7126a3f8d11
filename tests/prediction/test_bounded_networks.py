"""A kilobyte that asks for all memory, or comes to no end: refused, and memory stays bounded."""

import json
import os
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from training import synthetic

from maskforge.errors import ReadError
from maskforge.prediction import onnx_network

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
resource = pytest.importorskip("resource")
onnx_models = pytest.importorskip("training.onnx_models")
helper = onnx.helper

FLOAT, INT64, BOOL = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64, onnx.TensorProto.BOOL
HUGE = 25_000_000_000  # floats: 100 GB
[[IMAGE, _]] = synthetic.pairs(1)


def constants(model, **values):
    for name, value in values.items():
        array = np.array(value)
        kind = BOOL if array.dtype == np.bool_ else INT64 if array.dtype.kind == "i" else FLOAT
        model.graph.initializer.append(
            helper.make_tensor(name, kind, array.shape, array.reshape(-1).tolist())
        )


def used(model, *nodes):
    """Put ``nodes``, which make "x", before the others, and have the probabilities need it."""
    constants(model, nothing=0.0)
    *others, last = (onnx.NodeProto.FromString(n.SerializeToString()) for n in model.graph.node)
    last.input[0] = "all"
    more = [
        helper.make_node("ReduceMax", ["values"], ["most"], keepdims=0),
        helper.make_node("Add", ["most", "x"], ["sums"]),
        helper.make_node("ReduceMin", ["sums"], ["least"], keepdims=0),
        helper.make_node("Mul", ["least", "nothing"], ["zero"]),
        helper.make_node("Add", ["both", "zero"], ["all"]),
    ]
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *others, *more, last])


def constant_of_shape(model):
    constants(model, n=[HUGE])
    used(model, helper.make_node("ConstantOfShape", ["n"], ["x"]))


def expand(model):
    constants(model, n=[HUGE // 1000, 1000], v=[1.0])
    used(model, helper.make_node("Expand", ["v", "n"], ["x"]))


def tile(model):
    constants(model, n=[HUGE], v=[1.0])
    used(model, helper.make_node("Tile", ["v", "n"], ["x"]))


def of_the_size(model):
    """What nothing can be computed of before there is an image."""
    constants(model, i=[3], n=[HUGE // 3])
    used(
        model,
        helper.make_node("Shape", ["images"], ["shape"]),
        helper.make_node("Gather", ["shape", "i"], ["three"]),
        helper.make_node("Mul", ["three", "n"], ["many"]),
        helper.make_node("ConstantOfShape", ["many"], ["x"]),
    )


def claimed(model):
    tensor = onnx.TensorProto(name="x", data_type=FLOAT, dims=[HUGE], raw_data=b"1234")
    model.graph.initializer.append(tensor)
    used(model)


def sparse(model):
    made = onnx.SparseTensorProto(dims=[HUGE])
    made.values.CopyFrom(helper.make_tensor("x", FLOAT, [1], [1.0]))
    made.indices.CopyFrom(helper.make_tensor("i", INT64, [1], [0]))
    model.graph.sparse_initializer.append(made)
    used(model)


def many_sparse(model):
    """Each of them is taken by the runtime, which makes them dense while it loads them."""
    for number in range(4):
        made = onnx.SparseTensorProto(dims=[400_000_000])
        made.values.CopyFrom(helper.make_tensor(f"s{number}", FLOAT, [1], [1.0]))
        made.indices.CopyFrom(helper.make_tensor(f"i{number}", INT64, [1], [0]))
        model.graph.sparse_initializer.append(made)
    used(model, helper.make_node("Max", [f"s{number}" for number in range(4)], ["x"]))


def doubling(model, trips=60, nodes=(("Concat", {"axis": 0}),)):
    """A loop whose value doubles."""
    [(kind, options)] = nodes
    value = [helper.make_tensor_value_info(name, FLOAT, [name]) for name in ("v", "w")]
    flags = [helper.make_tensor_value_info(name, BOOL, []) for name in ("c", "d")]
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["c"], ["d"]),
            helper.make_node(kind, ["v", "v"], ["w"], **options),
        ],
        "body",
        [helper.make_tensor_value_info("number", INT64, []), flags[0], value[0]],
        [flags[1], value[1]],
    )
    constants(model, trips=trips, yes=True, v0=[1.0])
    used(model, helper.make_node("Loop", ["trips", "yes", "v0"], ["x"], body=body))


def endless(model):
    doubling(model, 2**62, (("Mul", {}),))


def functions(model, deep=40):
    """A function that calls another twice, which calls another twice, and so on."""
    imports = [*model.opset_import, helper.make_opsetid("own", 1)]
    for depth in range(deep):
        nodes = [helper.make_node("Neg", ["a"], ["c"])]
        if depth < deep - 1:
            nodes = [
                helper.make_node(f"f{depth + 1}", [start], [end], domain="own")
                for start, end in ("ab", "bc")
            ]
        model.functions.append(
            helper.make_function("own", f"f{depth}", ["a"], ["c"], nodes, imports)
        )
    model.opset_import.append(helper.make_opsetid("own", 1))
    constants(model, v=[1.0])
    used(model, helper.make_node("f0", ["v"], ["x"], domain="own"))


def gigabyte(model):
    """Of 1.6 GB, which most machines have."""
    constants(model, i=[3], n=[400_000_000 // 3])
    used(
        model,
        helper.make_node("Shape", ["images"], ["shape"]),
        helper.make_node("Gather", ["shape", "i"], ["three"]),
        helper.make_node("Mul", ["three", "n"], ["many"]),
        helper.make_node("ConstantOfShape", ["many"], ["x"]),
    )


TOO_MUCH = [constant_of_shape, expand, tile, of_the_size, claimed, sparse, many_sparse, doubling]
NO_END = [endless, functions]


def written(path, bomb):
    model = onnx_models.bright()
    bomb(model)
    path.write_bytes(model.SerializeToString())
    assert path.stat().st_size < 5000
    return path


@pytest.mark.parametrize("bomb", TOO_MUCH)
def test_what_takes_too_much_memory_is_refused_and_takes_little_here(tmp_path, bomb):
    """In a process whose memory is counted, and limited in case that all else fails."""
    path = written(tmp_path / "a.onnx", bomb)
    code = f"""
        import json, resource
        from pathlib import Path
        from maskforge.errors import ReadError
        from maskforge.prediction import onnx_network
        onnx_network.TRIAL_BYTES = 3 * 2**29
        resource.setrlimit(resource.RLIMIT_AS, (2**34, 2**34))
        path = Path({str(path)!r})
        try:
            onnx_network.network_predictor(path, device="cpu", threads=1)
            told = None
        except ReadError as error:
            told = [error.message, error.file, error.code]
        # What ru_maxrss says of this process begins with the size of the one that started it.
        status = dict(line.split(":", 1) for line in open("/proc/self/status"))
        here = int(status["VmHWM"].split()[0])
        there = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        print(json.dumps([told, here, there]))
    """
    told, here, there = json.loads(started(tmp_path, code).stdout)
    message, file, kind = told
    assert "must be a network that maskforge exported and onnxruntime can run, but: " in message
    assert (file, kind) == (str(path), "wrong-format")
    assert here < 2**19  # KiB
    assert there < 2**21
    if bomb not in (tile, claimed, sparse):  # which the runtime itself refuses
        assert "on one small image it takes more than 1536 MiB, or crashes" in message


@pytest.mark.parametrize("bomb", NO_END)
def test_what_comes_to_no_end_is_refused(tmp_path, bomb, monkeypatch):
    monkeypatch.setattr(onnx_network, "TRIAL_SECONDS", 1.5)
    path = written(tmp_path / "a.onnx", bomb)
    with pytest.raises(ReadError, match=r"an end of one small image in 1\.5 seconds") as error:
        onnx_network.network_predictor(path)
    assert error.value.file == str(path)


def test_what_is_sound_is_tried_and_taken(tmp_path, monkeypatch):
    tried = []
    real = onnx_network._try_apart
    monkeypatch.setattr(onnx_network, "_try_apart", lambda *given: tried.append(real(*given)))
    path = onnx_models.write(tmp_path / "a.onnx")
    [values] = onnx_network.network_predictor(path, device="cpu").probabilities([IMAGE])
    assert np.allclose(values[1], IMAGE.mean(axis=2) / 255, atol=1e-6)
    assert tried == [None]


def test_what_is_wrong_is_told_in_the_words_of_the_runtime(tmp_path):
    model = onnx_models.bright()
    model.graph.node[0].op_type = "Harm"
    with pytest.raises(ReadError, match=r"but: .*Harm") as error:
        onnx_network.network_predictor(onnx_models.write(tmp_path / "a.onnx", model))
    assert error.value.cure == "export it with maskforge export"


def test_a_model_of_somebody_else_is_refused_for_that(tmp_path):
    path = onnx_models.write(tmp_path / "a.onnx", onnx_models.bright(texts={"author": "x"}))
    with pytest.raises(ReadError, match="must say of itself") as error:
        onnx_network.network_predictor(path)
    assert error.value.message.startswith("the file must say of itself")


def test_other_ends_are_refused_for_that(tmp_path):
    path = onnx_models.write(tmp_path / "a.onnx", onnx_models.bright(output="logits"))
    with pytest.raises(ReadError, match=r"it goes from and to \['images', 'logits'\]"):
        onnx_network.network_predictor(path)


def test_modules_in_the_current_folder_are_not_run(tmp_path, monkeypatch):
    """A stranger's folder may hold more than a network."""
    for name in ("onnxruntime", "numpy", "json", "resource", "cv2"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    onnx_network.network_predictor(onnx_models.write(Path("a.onnx")), device="cpu")
    assert not Path("ran").exists()


@pytest.fixture
def untried(monkeypatch):
    monkeypatch.setattr(onnx_network, "_try_apart", lambda path: None)


def test_what_expands_on_an_image_is_bounded_too(tmp_path, untried):
    found = onnx_network.network_predictor(written(tmp_path / "a.onnx", of_the_size), device="cpu")
    with pytest.raises(ReadError, match=r"needs more for 1 images of 28x20") as error:
        found.probabilities([IMAGE])
    assert error.value.code == "too-large"
    assert "--batch, --tile or --size" in error.value.cure
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2**22


def started(tmp_path, code, **more):
    """Run Python code in a process of its own; its modules are those of this one."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    environment["OPENBLAS_NUM_THREADS"] = "1"
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(
        command, capture_output=True, env=environment, cwd=tmp_path, check=False, **more
    )


def test_what_a_network_computes_lies_in_an_arena_that_is_limited(tmp_path):
    written(tmp_path / "a.onnx", gigabyte)
    code = """
        from pathlib import Path
        import numpy as np
        from maskforge.prediction import onnx_network
        onnx_network._try_apart = lambda path: None
        onnx_network._memory = lambda: 2**30
        runtime = onnx_network.load_runtime()
        register, times = runtime.create_and_register_allocator, []
        runtime.create_and_register_allocator = lambda *a: times.append(register(*a))
        for _ in range(2):
            found = onnx_network.network_predictor(Path("a.onnx"), device="cpu", threads=1)
            try:
                found.probabilities([np.zeros((9, 9, 3), np.uint8)])
            except Exception as error:
                print(error.code)
        print(len(times))  # there is one arena for all
    """
    assert started(tmp_path, code).stdout.split() == [b"too-large", b"too-large", b"1"]


def test_a_trial_is_limited_where_the_system_knows_no_limits(tmp_path):
    path = written(tmp_path / "a.onnx", gigabyte)
    code = """
        import sys
        sys.modules["resource"] = None  # as on Windows
        from maskforge.prediction import onnx_network
        onnx_network.trial(2**30)
    """
    with path.open("rb") as file:
        done = started(tmp_path, code, stdin=file)
    assert done.returncode == 1
    assert b"Available memory of" in done.stdout
    with onnx_models.write(path).open("rb") as file:
        done = started(tmp_path, code, stdin=file)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize(
    ("told", "expected"), [("max\n", 40 * 4096), ("4096\n", 4096), (None, 40 * 4096)]
)
def test_the_memory_is_that_of_the_machine_or_of_the_container(monkeypatch, told, expected):
    sizes = {"SC_PHYS_PAGES": 40, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__)

    def read_text(path):
        assert str(path) == "/sys/fs/cgroup/memory.max"
        if told is None:
            raise FileNotFoundError
        return told

    monkeypatch.setattr(Path, "read_text", read_text)
    assert onnx_network._memory() == expected
    monkeypatch.delattr(os, "sysconf")
    assert onnx_network._memory() == 0


def test_three_quarters_of_the_memory_are_for_networks(tmp_path, untried, monkeypatch):
    limits = []
    monkeypatch.setattr(onnx_network, "_limit", limits.append)
    monkeypatch.setattr(onnx_network, "_memory", lambda: 2**36)
    path = onnx_models.write(tmp_path / "a.onnx")
    onnx_network.network_predictor(path, device="cpu")
    assert limits == [3 * 2**34]
    monkeypatch.setattr(onnx_network, "_memory", lambda: 0)  # nothing is known
    onnx_network.network_predictor(path, device="cpu")
    assert limits == [3 * 2**34]


def test_a_trial_keeps_to_the_limits_that_stand(tmp_path):
    """``ulimit -v`` may be below what a trial would be given, and cannot be raised."""
    path = onnx_models.write(tmp_path / "a.onnx")
    code = f"""
        import resource
        from pathlib import Path
        from maskforge.prediction import onnx_network
        resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
        onnx_network.network_predictor(Path({str(path)!r}), device="cpu", threads=1)
    """
    assert started(tmp_path, code).returncode == 0


def test_the_clock_ends_with_the_run():
    class Options:
        terminate = False

    def clocks():
        return [one for one in threading.enumerate() if isinstance(one, threading.Timer)]

    def fail():
        with onnx_network._stopped(Options, 1000):
            running.extend(clocks())
            raise KeyError

    running = []
    with pytest.raises(KeyError):
        fail()
    [clock] = running
    assert clock.daemon  # it keeps no program from its end
    clock.join(10)
    assert clocks() == []
    assert not Options.terminate


def test_a_run_that_comes_to_no_end_is_stopped(tmp_path, untried, monkeypatch):
    monkeypatch.setattr(onnx_network, "RUN_SECONDS", 0.3)
    found = onnx_network.network_predictor(written(tmp_path / "a.onnx", endless), device="cpu")
    began = time.monotonic()
    with pytest.raises(ReadError, match="but: it does not come to an end"):
        found.probabilities([IMAGE])
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "missing"])
def test_what_is_no_file(tmp_path, kind):
    path = tmp_path / "a.onnx"
    make = {
        "pipe": lambda: os.mkfifo(path),
        "device": lambda: path.symlink_to("/dev/zero"),
        "folder": path.mkdir,
        "missing": lambda: None,
    }
    make[kind]()
    said = "No such file" if kind == "missing" else "must be a file, but this is a folder, pipe"
    with pytest.raises(ReadError, match=said) as error:
        onnx_network.network_predictor(path)
    assert (error.value.code, error.value.file) == ("unreadable", str(path))


def test_a_large_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "a.onnx"
    with path.open("wb") as file:
        file.truncate(2**31 + 1)  # which takes no room on the disk
    with pytest.raises(ReadError, match="it has more than 2147483648 bytes"):
        onnx_network.network_predictor(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2**21
