"""From what a user names to jobs, with readers made for the test."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lines_files import Options, lay, planned, reader, tree  # noqa: F401
from strategies import annotation, patch, region

from maskforge import plugins
from maskforge.conversion import sources as inputs
from maskforge.errors import ReadError, UsageError


def names(paths: list[Path], root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in paths]


def test_find_by_suffix(tree: Path) -> None:
    found = inputs.find([tree], reader(many=False))
    assert names(found, tree) == ["a.lines", "b/one.lines", "b/two.lines"]


def test_find_by_content_where_a_file_holds_many_images(tree: Path) -> None:
    found = inputs.find([tree], reader(many=True))
    assert names(found, tree) == ["a.lines", "b/one.lines"]


def test_find_takes_the_default_file_alone(tree: Path) -> None:
    assert names(inputs.find([tree], reader(many=True, default="a.lines")), tree) == ["a.lines"]
    missing = inputs.find([tree], reader(many=True, default="none.lines"))
    assert names(missing, tree) == ["a.lines", "b/one.lines"]


def test_find_takes_a_named_file_whatever_it_is(tree: Path) -> None:
    listed = [tree / "note.txt", tree, tree / "note.txt", tree / "a.lines"]
    found = inputs.find(listed, reader(many=True))
    assert names(found, tree) == ["note.txt", "a.lines", "b/one.lines"]


def test_find_counts_a_file_once_however_it_is_named(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tree)
    listed = [Path("a.lines"), tree / "a.lines", Path("b/../a.lines")]
    assert len(inputs.find(listed, reader(many=True))) == 1


def test_find_needs_a_source(tree: Path) -> None:
    with pytest.raises(ReadError, match="there must be a file or folder") as caught:
        inputs.find([tree / "none"], reader(many=True))
    assert caught.value.file == str(tree / "none")


@pytest.mark.parametrize(
    ("sources", "root"),
    [(["b"], "b"), (["b/one.lines"], "b"), (["b", "a.lines"], "."), (["a.lines"], ".")],
)
def test_root(tree: Path, sources: list[str], root: str) -> None:
    assert inputs.root_of([tree / source for source in sources]) == (tree / root)


def test_plan_leaves_reading_to_the_workers_where_it_can(tree: Path) -> None:
    jobs, problems, _ = planned(tree, reader(many=False))
    assert [(j.index, j.stem, j.shown, j.annotation()) for j in jobs] == [
        (0, "a", "a.lines", None),
        (1, "b/one", "b/one.lines", None),
        (2, "b/two", "b/two.lines", None),
    ]
    assert problems == []


def test_plan_names_images_after_their_place(tree: Path) -> None:
    jobs, problems, _ = planned(tree, reader(many=True))
    assert [job.stem for job in jobs] == ["p", "p-2", "b/x/p", "b/q"]
    assert [job.index for job in jobs] == [0, 1, 2, 3]
    read = [job.annotation() for job in jobs]
    assert [item.name for item in read if item] == ["p.jpg", "p.png", "x/p.jpg", "q.png"]
    assert [problem.code for problem in problems] == ["bad-field", "name-collision"]
    assert problems[1].severity == "warning"
    assert "'p-2'" in problems[1].message
    assert problems[1].place == "p.png cat"


@pytest.mark.parametrize(
    ("limit", "index", "packed"),
    [(1000, 0, False), (400, 0, True), (1000, inputs.PLAIN - 1, False), (1000, inputs.PLAIN, True)],
)
def test_an_annotation_waits_and_comes_back_whole(
    monkeypatch: pytest.MonkeyPatch, limit: int, index: int, packed: bool
) -> None:
    """The large ones and all but the first few hundred wait compressed."""
    monkeypatch.setattr(inputs, "PACK_FROM", limit)
    item = annotation(region("cat", patch("#.\n##", x=1.5), group=2), height=3, width=4)
    item = replace(item, embedded=memoryview(b"abc"), place="p")
    job = inputs.Job.of(item, index, stem="s", source=Path("a"), shown="a")
    assert isinstance(job.waiting, bytes) is packed
    again = pickle.loads(pickle.dumps(job)).annotation()
    assert (job.place, job.labels) == ("p", {"cat"})
    assert (again.height, again.width, again.embedded) == (3, 4, b"abc")
    assert again.regions[0].group == 2
    assert again.regions[0].geometry[0].mask.tolist() == [[True, False], [True, True]]


def test_plan_goes_on_after_a_broken_file(tree: Path) -> None:
    (tree / "a.lines").write_text("lines\nk.png cat\nbroken\nnever.png cat\n")
    jobs, problems, _ = planned(tree, reader(many=True))
    assert [job.stem for job in jobs] == ["k", "b/x/p", "b/q"]
    assert [(p.code, p.file, p.message) for p in problems] == [
        ("bad-field", str(tree / "a.lines"), "broken line")
    ]


def test_plan_keeps_names_inside_the_output(tree: Path) -> None:
    (tree / "a.lines").write_text("lines\n../../up.png\n/etc/abs.png\nC:\\w.png\nCON.png\n.png\n")
    stems = [job.stem for job in planned(tree, reader(many=True))[0]]
    assert not any(stem.startswith("/") or ".." in stem.split("/") for stem in stems)
    assert stems[:2] == ["up", "etc/abs"]
    assert "_CON" in stems


def test_no_output_is_a_folder_of_another(tree: Path) -> None:
    """masks/a.png would have to be a file and a folder."""
    (tree / "a.lines").write_text("lines\na.jpg\na.png/b.jpg\n")
    stems = [job.stem for job in planned(tree, reader(many=True))[0]]
    places = [f"{stem}.png".casefold() for stem in stems]
    assert not any(other.startswith(f"{place}/") for place in places for other in places)


def test_head(tree: Path) -> None:
    (tree / "big").write_bytes(b"x" * (inputs.HEAD + 1))
    assert len(inputs.head(tree / "big")) == inputs.HEAD
    assert inputs.head(tree / "none") == b""


LABELME = '{"version": "5.0.1", "flags": {}, "shapes": [], "imagePath": "a.png", "imageData": null}'
VIA = '{"a.png1": {"filename": "a.png", "size": 1, "regions": [], "file_attributes": {}}}'


def test_detect_by_content(tmp_path: Path) -> None:
    (tmp_path / "via.json").write_text(LABELME)
    name, reason = inputs.detect([tmp_path])
    assert name == "labelme"
    assert reason.startswith(f"{tmp_path / 'via.json'}: ")
    (tmp_path / "via.json").write_text(VIA)
    assert inputs.detect([tmp_path / "via.json"])[0] == "via"


def test_detect_refuses_a_mixture(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(LABELME)
    (tmp_path / "b.json").write_text(VIA)
    with pytest.raises(UsageError, match=r"labelme \(1 file\), via \(1 file\)"):
        inputs.detect([tmp_path])


def test_detect_takes_what_most_files_are_and_names_the_others(tmp_path: Path) -> None:
    for name in ("a", "c"):
        (tmp_path / f"{name}.json").write_text(LABELME)
    (tmp_path / "b.json").write_text(VIA)
    name, reason = inputs.detect([tmp_path])
    assert name == "labelme"
    assert reason.endswith(f"; left out, as via: {tmp_path / 'b.json'}")


def test_detect_refuses_what_nobody_knows(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(ReadError, match="known format") as caught:
        inputs.detect([tmp_path])
    assert caught.value.code == "wrong-format"
    assert all(name in caught.value.cure for name in plugins.names("readers"))


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.png", "a"),
        ("a.b/c", "a.b/c"),
        (".png", ".png"),
        ("d/.png", "d/.png"),
        ("a", "a"),
        ("a.tar.gz", "a.tar"),
    ],
)
def test_stems(tree: Path, name: str, stem: str) -> None:
    (tree / "a.lines").write_text(f"lines\n{name}\n")
    module: Any = reader(many=True)
    assert inputs.plan([tree / "a.lines"], module, Options(), root=tree)[0][0].stem == stem
