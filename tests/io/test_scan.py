"""Files below a folder, those of earlier outputs left out."""

import os
from pathlib import Path

import pytest

from maskforge.io import scan
from maskforge.io.stage import Stage


def names(folder: Path, suffix: str = ".json") -> list[str]:
    return [path.relative_to(folder).as_posix() for path in scan.find(folder, [suffix])]


def place(folder: Path, key: str, *placed: str) -> None:
    with Stage(folder, key, what="test") as stage:
        stage.begin()
        for name in placed:
            stage.write(name, b"{}")
        stage.exchange()


def test_find(tmp_path: Path) -> None:
    for name in (
        "b.json",
        "a/c.JSON",
        "a/._c.json",
        ".hidden/d.json",
        "a.txt",
        "a-b.json",
        ".e.json",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in scan.find(tmp_path, [".json"])]
    assert found == ["a-b.json", "a/c.JSON", "b.json"]


def test_what_an_output_placed_is_no_source(tmp_path: Path) -> None:
    place(tmp_path / "out", "convert", "masks/a.json", "manifest.json")
    (tmp_path / "out/masks/mine.json").touch()
    assert names(tmp_path) == ["out/masks/mine.json"]


def test_an_output_that_is_named_is_a_source_but_for_what_it_says_of_itself(
    tmp_path: Path,
) -> None:
    place(tmp_path, "convert", "masks/a.json", "manifest.json")
    assert names(tmp_path) == ["masks/a.json"]


def test_the_companions_of_a_file_are_no_source_where_the_folder_is_named(tmp_path: Path) -> None:
    place(tmp_path, "seg.npy", "seg.manifest.json", "seg-previews/a.json", "seg.npy")
    (tmp_path / "seg.json").touch()
    assert names(tmp_path) == ["seg.json"]


def test_an_annotation_that_is_called_like_a_manifest_is_found(tmp_path: Path) -> None:
    (tmp_path / "street.manifest.json").write_text('{"shapes": []}')
    assert names(tmp_path) == ["street.manifest.json"]


def test_an_output_of_0_1_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "old/masks").mkdir(parents=True)
    (tmp_path / "old/masks/a.json").touch()
    (tmp_path / "old/manifest.json").write_text('{"format": "maskforge-manifest/1"}')
    (tmp_path / "x.manifest.json").write_text('{"format": "maskforge-manifest/1"}')
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_looked_into_is_found_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.json").touch()
    real = os.scandir

    def scandir(path: str) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = scan.find(tmp_path, [".json"])
    assert [path.name for path in found] == ["a.json", "closed"]


def test_links_to_folders_are_followed_once(tmp_path):
    """Whatever loops they make, and wherever they lead."""
    real = tmp_path / "real"
    source = tmp_path / "src"
    for folder in (real, source / "batch1"):
        folder.mkdir(parents=True)
        (folder / "a.json").write_text("{}")
    (source / "batch2").symlink_to(real)
    (source / "again").symlink_to(real)
    (source / "batch1/up").symlink_to(source)
    found = [path.relative_to(source).as_posix() for path in scan.find(source, (".json",))]
    assert len(found) == 2
    assert "batch1/a.json" in found
