"""The safe reader of one-hot dictionaries: what NumPy writes is read, anything else refused."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from maskforge.errors import ReadError
from maskforge.io.onehot import OneHotFile, is_onehot, read_onehot
from maskforge.writers.onehot import OneHotWriter

RNG = np.random.default_rng(11)
PLANES = RNG.integers(0, 2, (5, 7, 3)).astype(np.uint8)
IMAGES: dict[str, NDArray[Any]] = {
    "plain.jpg": PLANES,
    "größe/人.png": PLANES[:2],
    "bool": PLANES.astype(np.bool_),
    "fortran": np.asfortranarray(PLANES),
    "float": PLANES.astype(np.float32),
    "big endian": PLANES.astype(">f8"),
    "strided": PLANES[::2, ::3],
    "large": RNG.integers(0, 2, (300, 400, 4)).astype(np.uint8),
    "empty": np.zeros((0, 4, 2), dtype=np.uint8),
}
HEADER = b"\x93NUMPY\x01\x00v\x00" + (
    b"{'descr': '|O', 'fortran_order': False, 'shape': (), }".ljust(117) + b"\n"
)


def as_numpy_saves(value: object, *, protocol: int) -> bytes:
    array = np.empty((), dtype=object)
    array[()] = value
    return HEADER + pickle.dumps(array, protocol=protocol)


def check(path: Path, images: dict[str, NDArray[Any]]) -> None:
    found = OneHotFile(path)
    assert list(found) == list(images)
    assert len(found) == len(images)
    for name, planes in images.items():
        assert found[name].dtype == np.uint8
        assert found[name].flags.writeable
        assert found.shape(name) == planes.shape
        assert np.array_equal(found[name], planes)


def test_reads_what_maskforge_writes(tmp_path: Path) -> None:
    own = {name: np.ascontiguousarray(planes, dtype=np.uint8) for name, planes in IMAGES.items()}
    path = tmp_path / "own.npy"
    with path.open("wb") as file:
        writer = OneHotWriter(file)
        for name, planes in own.items():
            writer.add(name, planes)
        writer.close()
    check(path, own)
    assert [name for name, _ in read_onehot(path)] == list(own)
    assert all(np.array_equal(planes, own[name]) for name, planes in read_onehot(path))


def test_reads_what_this_numpy_saves(tmp_path: Path) -> None:
    path = tmp_path / "numpy.npy"
    np.save(path, IMAGES)  # type: ignore[arg-type]
    assert is_onehot(path)
    check(path, IMAGES)


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("images", [IMAGES, {}], ids=["many", "none"])
def test_reads_every_protocol(
    tmp_path: Path, protocol: int, images: dict[str, NDArray[Any]]
) -> None:
    path = tmp_path / "any.npy"
    path.write_bytes(as_numpy_saves(images, protocol=protocol))
    check(path, images)


def test_reads_the_module_names_of_numpy_1(tmp_path: Path) -> None:
    path = tmp_path / "old.npy"
    data = as_numpy_saves(IMAGES, protocol=3)
    path.write_bytes(data.replace(b"cnumpy._core.", b"cnumpy.core."))
    check(path, IMAGES)


def test_more_images_than_a_pickle_writes_at_once(tmp_path: Path) -> None:
    images = {f"{i}.jpg": np.full((1, 1, 2), i % 2, dtype=np.uint8) for i in range(2500)}
    path = tmp_path / "many.npy"
    np.save(path, images)  # type: ignore[arg-type]
    check(path, images)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (
            PLANES * 255,
            r"planes must be 0 or 1, \(H, W, C\), but got uint8 \(5, 7, 3\) from 0 to 255",
        ),
        (PLANES[0], r"but got uint8 \(7, 3\)"),
        (PLANES * 0.5, "but got float64"),
    ],
)
def test_arrays_that_are_no_planes(
    tmp_path: Path, array: NDArray[np.generic], message: str
) -> None:
    path = tmp_path / "odd.npy"
    np.save(path, {"a.jpg": array})  # type: ignore[arg-type]
    with pytest.raises(ReadError, match=message) as caught:
        OneHotFile(path)["a.jpg"]
    assert caught.value.place == "a.jpg"
    assert np.array_equal(OneHotFile(path).raw("a.jpg"), array)


def test_arrays_that_are_shared(tmp_path: Path) -> None:
    path = tmp_path / "shared.npy"
    empty = np.zeros((40, 50, 2), dtype=np.uint8)
    np.save(path, {"a.jpg": empty, "b.jpg": empty})  # type: ignore[arg-type]
    with pytest.raises(ReadError, match=r"its arrays claim 8,000 bytes.*: some are shared") as told:
        OneHotFile(path)
    assert "array.copy()" in told.value.cure
    np.save(path, {"a.jpg": empty, "b.jpg": empty.copy()})  # type: ignore[arg-type]
    assert len(OneHotFile(path)) == 2


def test_unknown_name(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, IMAGES)  # type: ignore[arg-type]
    with pytest.raises(KeyError, match=r"'b.jpg'"):
        OneHotFile(path)["b.jpg"]


def test_other_files(tmp_path: Path) -> None:
    plain = tmp_path / "plain.npy"
    np.save(plain, PLANES)
    assert not is_onehot(plain)
    with pytest.raises(ReadError, match=r"must be a .npy file of a dictionary") as caught:
        OneHotFile(plain)
    assert caught.value.file == str(plain)
    with pytest.raises(ReadError, match="the file cannot be read"):
        OneHotFile(tmp_path / "missing.npy")


def test_file_that_became_shorter(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, {"a": IMAGES["large"]})  # type: ignore[arg-type]
    found = OneHotFile(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ReadError, match="the file has become shorter"):
        found["a"]
