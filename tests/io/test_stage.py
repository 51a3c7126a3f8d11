"""An output under way: what is waiting, given up, cut off, or not ours to replace."""

import errno
import os
from pathlib import Path

import pytest

from maskforge.errors import UsageError, WriteError
from maskforge.io.ownership import digest_of
from maskforge.io.stage import Stage


def staged(folder: Path, *names: str, data: bytes = b"new") -> Stage:
    """Return a stage on which files of these names wait."""
    stage = Stage(folder, "test", what="test")
    stage.begin()
    for name in names:
        stage.write(name, data)
    return stage


def place(folder: Path, *names: str, data: bytes = b"new") -> None:
    with staged(folder, *names, data=data) as stage:
        stage.exchange()


def visible(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "/." not in f"/{path.relative_to(folder).as_posix()}"
    )


def cut_off(stage: Stage, patch: pytest.MonkeyPatch, *, after: int, error: type = OSError) -> None:
    """Begin the exchange, and end it after some renames."""
    real, count = os.replace, 0

    def replace(source: object, target: object) -> None:
        nonlocal count
        count += 1
        if count > after:
            raise error(errno.EIO, os.strerror(errno.EIO))
        real(source, target)  # type: ignore[call-overload]

    patch.setattr(os, "replace", replace)
    with pytest.raises(error):
        stage.exchange()
    patch.undo()


def test_what_was_put_on_the_shelf_and_given_up_is_not_placed(tmp_path: Path) -> None:
    """A folder that is new is moved as a whole only where all in it is part of the output."""
    with staged(tmp_path, "masks/a.png", "deep/er/b.png") as stage:
        stage.shelf.put("masks/half.png", b"ha")
        stage.shelf.path("deep/er/half.mp4").write_bytes(b"ha")
        stage.exchange()
    assert visible(tmp_path) == ["deep/er/b.png", "masks/a.png"]
    assert sorted(os.listdir(tmp_path)) == [".maskforge-test.owned", "deep", "masks"]


@pytest.mark.parametrize("after", [1, 2, 3])
def test_an_exchange_that_was_begun_is_not_discarded(tmp_path: Path, after: int) -> None:
    place(tmp_path, "a.png", "b.png", data=b"old")
    with pytest.MonkeyPatch.context() as patch, staged(tmp_path, "a.png", "c.png") as stage:
        cut_off(stage, patch, after=after)
        stage.discard()
    later = Stage(tmp_path, "test", what="test")
    later.settle()
    assert visible(tmp_path) == ["a.png", "c.png"]
    assert (tmp_path / "a.png").read_bytes() == b"new"
    assert os.path.lexists(tmp_path / ".maskforge-test.new") is False


def test_what_was_not_begun_is_discarded(tmp_path: Path) -> None:
    place(tmp_path, "a.png", data=b"old")
    with pytest.MonkeyPatch.context() as patch, staged(tmp_path, "a.png", "c.png") as stage:
        cut_off(stage, patch, after=0)
        stage.discard()
    assert visible(tmp_path) == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"old"
    assert os.path.lexists(tmp_path / ".maskforge-test.new") is False


@pytest.mark.parametrize("resume", [False, True])
def test_a_hidden_folder_that_came_from_elsewhere_is_not_begun_in(
    tmp_path: Path, resume: bool
) -> None:
    """It came after somebody looked, unpacked with what is not ours to remove or to place."""
    late = Stage(tmp_path, "test", what="test")
    (late.place / "files-1").mkdir(parents=True)
    (late.place / "files-1/a.png").write_bytes(b"mine")
    (late.place / "run.json").write_bytes(b'{"format":"maskforge-stage/1","number":1}')
    with late, pytest.raises(UsageError, match="came from elsewhere"):
        late.begin(resume=resume)
    assert (late.place / "files-1/a.png").read_bytes() == b"mine"
    assert sorted(os.listdir(late.place)) == ["files-1", "run.json"]


def test_renames_that_came_from_elsewhere_are_not_done(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"mine")
    place = tmp_path / ".maskforge-test.new"
    place.mkdir()
    (place / "run.json").write_bytes(b'{"format":"maskforge-stage/1","number":1}')
    (place / "exchange.jsonl").write_bytes(
        b'["root","files-1"]\n["id",""]\n["remove","a.png",4,"0",null,null,null]\n["end"]\n'
    )
    with pytest.raises(UsageError, match="came from elsewhere"):
        Stage(tmp_path, "test", what="test").settle()
    assert sorted(os.listdir(place)) == ["exchange.jsonl", "run.json"]
    assert (tmp_path / "a.png").read_bytes() == b"mine"


def test_who_goes_on_gives_the_shelf_another_name(tmp_path: Path) -> None:
    """A worker of the run that was killed may be at its last file still."""
    with staged(tmp_path, "a.png") as stage:
        first = Path(stage.shelf.root)
    roots = [first.name]
    for _ in range(10):
        with Stage(tmp_path, "test", what="test") as stage:
            stage.begin(resume=True)
            assert not first.exists()
            roots.append(Path(stage.shelf.root).name)
            assert stage.is_staged("a.png", digest_of(stage.place / roots[-1] / "a.png"))
    assert roots == [f"files-{number}" for number in range(1, 12)]


def test_who_begins_ends_what_was_cut_off_since_it_looked(tmp_path: Path) -> None:
    late = Stage(tmp_path, "test", what="test")
    late.settle()
    with pytest.MonkeyPatch.context() as patch, staged(tmp_path, "a.png", "b.png") as stage:
        cut_off(stage, patch, after=3)  # of the list, of the renames, of the first file
    assert visible(tmp_path) == ["a.png"]
    with late:
        late.begin()
        assert visible(tmp_path) == ["a.png", "b.png"]
        assert set(late.owned.entries) == {"a.png", "b.png"}
        late.write("c.png", b"new")
        late.exchange()
    assert visible(tmp_path) == ["c.png"]


def test_what_the_system_refuses_in_settling_is_a_write_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with staged(tmp_path, "a.png") as stage:
        cut_off(stage, monkeypatch, after=2)

    def refuse(source: object, target: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    later = Stage(tmp_path, "test", what="test")
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", refuse)
        with pytest.raises(WriteError, match="could not be written: Permission denied"):
            later.settle()
    later.settle()
    assert visible(tmp_path) == ["a.png"]


@pytest.mark.parametrize("left", [b"", b'["root","fi', b"\0" * 40, b"\xff\xfe[]\n"])
def test_a_list_of_renames_that_a_power_cut_spoiled_is_none(tmp_path: Path, left: bytes) -> None:
    """It is on the disk as a whole before the first file is renamed."""
    place(tmp_path, "a.png", data=b"old")
    with staged(tmp_path, "b.png") as stage:
        (stage.place / "exchange.jsonl").write_bytes(left)
    Stage(tmp_path, "test", what="test").settle()
    assert visible(tmp_path) == ["a.png"]
    place(tmp_path, "c.png")
    assert visible(tmp_path) == ["c.png"]


@pytest.mark.skipif(os.name == "nt", reason="names that it does not take")
@pytest.mark.parametrize("name", ["12:30.onnx", "a\\b.onnx", "caf\udce9.onnx", "x" * 200, " a "])
def test_any_name_of_a_user_s_is_placed_and_replaced(tmp_path: Path, name: str) -> None:
    for data in (b"old", b"new"):
        place(tmp_path, name, data=data)
        assert (tmp_path / name).read_bytes() == data


def test_an_input_is_called_one(tmp_path: Path) -> None:
    place(tmp_path, "a.png")
    (tmp_path / "b.png").write_bytes(b"painted")
    with staged(tmp_path) as stage:
        for name in ("a.png", "b.png"):
            stage.protect(tmp_path / name)
            with pytest.raises(UsageError, match=f"{name} is an input of this command"):
                stage.check([name])


def test_what_was_placed_and_then_removed_by_somebody_ends_no_exchange(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(tmp_path, "a.png", data=b"old")
    with staged(tmp_path, "a.png", "b.png", "c.png") as stage:
        cut_off(stage, monkeypatch, after=3)
    assert visible(tmp_path) == ["a.png", "b.png"]
    (tmp_path / "a.png").unlink()
    (tmp_path / "b.png").write_bytes(b"painted")
    Stage(tmp_path, "test", what="test").settle()
    assert visible(tmp_path) == ["b.png", "c.png"]
    assert (tmp_path / "b.png").read_bytes() == b"painted"


def place_image(stage: Stage, name: str, source: Path) -> None:
    put = stage.shelf.image(name, source, digest_of(source), link=False)
    assert put is not None
    stage.add(put)


@pytest.mark.parametrize(
    ("goes_on", "after"),
    [*(("with another picture", n) for n in (0, 1, 2)), ("without it", 0), ("without it", 1)],
)
def test_the_last_copy_of_a_photograph_outlives_a_run_that_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, goes_on: str, after: int
) -> None:
    """Its original goes, or is replaced, after it was decided that the copy is spare."""
    photo, out = tmp_path / "a.png", tmp_path / "out"
    photo.write_bytes(b"first")

    def begin() -> Stage:
        stage = Stage(out, "test", what="test")
        stage.begin()
        stage.write("x.txt", photo.read_bytes() if photo.exists() else b"")
        if goes_on == "with another picture":
            photo.exists() and place_image(stage, "a.png", photo)
        return stage

    with Stage(out, "test", what="test") as stage:
        stage.begin()
        place_image(stage, "a.png", photo)
        stage.exchange()
    if goes_on == "with another picture":
        photo.write_bytes(b"second")
    with begin() as stage:
        cut_off(stage, monkeypatch, after=after)
    photo.unlink()
    Stage(out, "test", what="test").settle()
    with begin() as stage:
        stage.exchange()
    found = {path.read_bytes() for path in out.rglob("*.png")}
    assert b"first" in found


@pytest.mark.parametrize("is_there", [True, False])
def test_the_last_copy_stays_where_the_list_was_lost_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    """The list of renames knows the original, too; where that is still there the copy goes."""
    photo, out = tmp_path / "a.png", tmp_path / "out"
    photo.write_bytes(b"first")
    with Stage(out, "test", what="test") as stage:
        stage.begin()
        place_image(stage, "a.png", photo)
        stage.exchange()
    with staged(out, "x.txt") as stage:
        cut_off(stage, monkeypatch, after=1)
    (out / ".maskforge-test.owned").write_bytes(b'{"format":"maskforge-owned/2","what":"x"}\n')
    if not is_there:
        photo.unlink()
    Stage(out, "test", what="test").settle()
    assert visible(out) == (["x.txt"] if is_there else ["a.png", "x.txt"])


def test_what_takes_the_place_of_an_image_sets_it_aside_where_the_list_was_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing says any more whether somebody else has it."""
    out = tmp_path / "out"
    for name in ("first", "second"):
        (tmp_path / name).write_bytes(name.encode())
        with Stage(out, "test", what="test") as stage:
            stage.begin()
            place_image(stage, "a.png", tmp_path / name)
            if name == "first":
                stage.exchange()
            else:
                cut_off(stage, monkeypatch, after=1)
    (out / ".maskforge-test.owned").write_bytes(b'{"format":"maskforge-owned/2","what":"x"}\n')
    (tmp_path / "first").unlink()
    Stage(out, "test", what="test").settle()
    assert (out / "a.png").read_bytes() == b"second"
    assert (out / "set-aside/a.png").read_bytes() == b"first"


def test_the_list_says_of_a_last_copy_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not what a run noted that was cut off before it placed another picture."""
    photo, out = tmp_path / "a.png", tmp_path / "out"
    for data in (b"first", b"another"):
        photo.write_bytes(data)
        with Stage(out, "test", what="test") as stage:
            stage.begin()
            place_image(stage, "a.png", photo)
            if data == b"first":
                stage.exchange()
            else:
                cut_off(stage, monkeypatch, after=0)
    with staged(out, "x.txt") as stage:
        left = stage.exchange()
    assert left.left == ["a.png"]
    owned = Stage(out, "test", what="test").owned
    assert (owned.state("a.png"), owned.entries["a.png"]) == (
        "ours",
        digest_of(out / "a.png")._replace(source="../a.png"),
    )


def test_a_source_of_the_run_stays_whatever_the_list_says(tmp_path: Path) -> None:
    place(tmp_path, "a.txt", "b.txt")
    with Stage(tmp_path, "test", what="test") as stage:
        stage.begin()
        stage.protect(tmp_path / "b.txt")
        stage.write("a.txt", b"new")
        stage.exchange()
    assert visible(tmp_path) == ["a.txt", "b.txt"]


def test_what_somebody_puts_there_meanwhile_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(tmp_path, "b.txt")

    def meanwhile(_: Path) -> None:
        (tmp_path / "a.txt").write_bytes(b"mine")
        (tmp_path / "b.txt").write_bytes(b"edited")

    monkeypatch.setattr("maskforge.io.exchange._sync", meanwhile)
    with Stage(tmp_path, "test", what="test") as stage:
        stage.begin()
        stage.write("a.txt", b"one")
        stage.write("b.txt", b"two")
        with pytest.raises(UsageError, match=r"a\.txt"):
            stage.exchange()
    (tmp_path / "a.txt").rename(tmp_path / "mine")
    with pytest.raises(UsageError, match=r"b\.txt was changed"):
        Stage(tmp_path, "test", what="test").settle()
    (tmp_path / "b.txt").rename(tmp_path / "edited")
    Stage(tmp_path, "test", what="test").settle()
    found = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.suffix != ".owned"}
    assert found == {"a.txt": b"one", "b.txt": b"two", "mine": b"mine", "edited": b"edited"}


def test_an_exchange_that_cannot_be_completed_is_given_up_where_all_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place(tmp_path, "a.txt", "b.txt", "c.txt", data=b"old")
    (tmp_path / "mine").write_bytes(b"mine")
    with staged(tmp_path, "a.txt", "b.txt") as stage:
        cut_off(stage, monkeypatch, after=2)
    assert (tmp_path / "a.txt").read_bytes() == b"new"
    [waiting] = tmp_path.glob(".maskforge-test.new/files-*/b.txt")
    waiting.write_bytes(b"")
    with pytest.raises(UsageError, match=r"b\.txt of the new one is damaged"):
        Stage(tmp_path, "test", what="test").settle()
    Stage(tmp_path, "test", what="test").settle(again=True)
    with staged(tmp_path, "a.txt", "b.txt", data=b"newer") as stage:
        stage.exchange()
    found = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.suffix != ".owned"}
    assert found == {"a.txt": b"newer", "b.txt": b"newer", "mine": b"mine"}


def test_a_stranger_s_file_with_these_very_bytes_is_in_nobody_s_way(tmp_path: Path) -> None:
    """It stays the stranger's; one with other bytes is in the way, however long it is."""
    (tmp_path / "a.txt").write_bytes(b"new")
    for _ in range(2):
        with staged(tmp_path, "a.txt", "b.txt") as stage:
            stage.exchange()
        assert visible(tmp_path) == ["a.txt", "b.txt"]
        assert list(Stage(tmp_path, "test", what="test").owned.entries) == ["b.txt"]
    for other in (b"NEW", b"newer"):
        (tmp_path / "a.txt").write_bytes(other)
        with staged(tmp_path) as stage:
            with pytest.raises(UsageError, match=r"a\.txt was not made by this command"):
                stage.write("a.txt", b"new")
            stage.discard()
        assert (tmp_path / "a.txt").read_bytes() == other


def test_a_last_copy_that_outlives_a_run_is_known_to_be_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was to be removed, and then its original went before that was done."""
    photo, out = tmp_path / "a.png", tmp_path / "out"
    photo.write_bytes(b"first")
    with Stage(out, "test", what="test") as stage:
        stage.begin()
        place_image(stage, "a.png", photo)
        stage.exchange()
    with staged(out, "x.txt") as stage:
        cut_off(stage, monkeypatch, after=1)  # the list of renames is there, and nothing is done
    photo.unlink()
    Stage(out, "test", what="test").settle()
    assert visible(out) == ["a.png", "x.txt"]
    owned = Stage(out, "test", what="test").owned
    assert {name: owned.state(name) for name in owned.entries} == {"a.png": "ours", "x.txt": "ours"}


@pytest.mark.parametrize(
    ("count", "shown"),
    [(1, "a"), (3, "a, b, c"), (4, "a, b, c and 1 more"), (5, "a, b, c and 2 more")],
)
def test_some_of_what_stands_is_named(tmp_path: Path, count: int, shown: str) -> None:
    place(tmp_path, *"abcde"[:count])
    with pytest.raises(UsageError, match=rf"an earlier output stands in .*: {shown} \("):
        Stage(tmp_path, "test", what="test").refuse(overwrite=False, resume=False)


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (1, "a is in the way; the output needs its place"),
        (5, "e is in the way; the output needs the place"),
        (6, "e is in the way; and 1 more; the output needs the place"),
    ],
)
def test_some_of_what_is_in_the_way_is_named(tmp_path: Path, count: int, shown: str) -> None:
    found = [(name, "is in the way") for name in "abcdef"[:count]]
    error = Stage(tmp_path, "test", what="test").in_the_way(found)
    assert error.message.endswith(shown)
    assert error.message.count("is in the way") == min(count, 5)


def test_where_nothing_can_be_written_is_said_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def denied(path: object, mode: int) -> bool:
        asked.append(str(path))
        return False

    monkeypatch.setattr(os, "access", denied)
    stage = Stage(tmp_path / "new" / "out", "test", what="test")
    with pytest.raises(WriteError, match="could not be written: Permission denied") as raised:
        stage.refuse(overwrite=False, resume=False)
    assert asked == [raised.value.file] == [str(tmp_path)]  # the nearest that is there
    assert "another place" in raised.value.cure
