"""The folder of a run: nothing in it is touched that the run did not make."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from training.places import Killed, contents, leftovers, listing

from maskforge.errors import ReadError, UsageError, WriteError
from maskforge.io.ownership import Owned
from maskforge.io.stage import Stage
from maskforge.training.run_folder import RunFolder, preview

LIST = ".maskforge-train.owned"
NAMES = ["best.pt", "config.json", "curves.png", "history.csv", "last.pt", "previews"]
NAMES += ["previews/epoch_001.png"]


def fill(folder, content):
    """Do what a run does in its folder, up to the end of its first epoch."""
    folder.write("config.json", b"settings")
    for name in ("best.pt", "last.pt"):
        save(folder, name, content)
    folder.publish()
    for name in ("history.csv", "curves.png", preview(1)):
        folder.write(name, content)


def save(folder, name, content):
    with folder.file(name) as file:
        file.write(content)


def made(path, content=b"first", **flags):
    with RunFolder(path, **flags) as folder:
        fill(folder, content)
    return folder


def visible(path):
    """Return the bytes of all files but the hidden ones, by name."""
    return {name: data for name, data in contents(path).items() if not name.startswith(".")}


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """A folder with a run in ``people``; nobody waits for a lock."""
    monkeypatch.setattr("maskforge.io.lock.WAIT_S", 0)
    made(tmp_path / "people")
    return tmp_path


@pytest.fixture
def people(runs):
    """The folder of that run."""
    return runs / "people"


def refused(path, said, error=UsageError, **flags):
    """Tell that a run is refused, and that nothing is touched by that."""
    before = contents(path.parent)
    with pytest.raises(error, match=said) as raised, RunFolder(path, **flags):
        pass
    assert contents(path.parent) == before
    return raised.value


def test_a_run_is_listed_and_leaves_nothing_else(people):
    assert listing(people) == NAMES
    assert leftovers(people) == []
    owned = Owned(people, "train")
    assert {name: owned.state(name) for name in owned.entries} == dict.fromkeys(
        [name for name in NAMES if name != "previews"], "ours"
    )
    assert owned.folders == {"previews"}


def test_until_its_first_checkpoint_a_run_is_not_there(tmp_path):
    with RunFolder(tmp_path / "runs/people") as folder:
        folder.write("config.json", b"settings")
        save(folder, "last.pt", b"first")
        assert listing(tmp_path / "runs/people") == []
        assert folder.publish()
        assert listing(tmp_path / "runs/people") == ["config.json", "last.pt"]
        assert not folder.publish()


@pytest.mark.parametrize("flags", [{}, {"overwrite": True}])
@pytest.mark.parametrize(
    "name", ["config.json", "labels.txt", "curves.png", "previews/epoch_012.png", "last.pt"]
)
def test_a_file_of_somebody_else_where_a_run_needs_the_place(tmp_path, name, flags):
    path = tmp_path / "people"
    (path / name).parent.mkdir(parents=True)
    (path / name).write_text("mine")
    error = refused(path, f"{name} was not made by this command", **flags)
    assert error.code == "in-the-way"


def test_a_file_where_a_folder_is_needed(tmp_path):
    for name in ("previews", "tensorboard"):
        (tmp_path / name).write_text("mine")
        refused(tmp_path, f"{name} is no folder", board=True)
        (tmp_path / name).rename(tmp_path / f"my-{name}")
    (tmp_path / "tensorboard").write_text("mine")
    made(tmp_path)
    assert (tmp_path / "tensorboard").read_text() == "mine"
    refused(tmp_path / "my-previews", "must be a folder")


def test_other_files_never_matter(tmp_path):
    mine = ["notes.txt", "previews/mine.jpg", "tensorboard/other.log", "best-of-may.pt"]
    for name in mine:
        (tmp_path / "people" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "people" / name).write_text("mine")
    made(tmp_path / "people")
    made(tmp_path / "people", b"second", overwrite=True)
    assert {visible(tmp_path / "people")[name] for name in mine} == {b"mine"}
    assert listing(tmp_path / "people-1") == NAMES


def test_an_earlier_run_stands_unless_a_flag_says_what_to_do(people):
    refused(people, "an earlier run stands in")
    for flags in ({"overwrite": True}, {"source": people.with_name("other")}):
        refused(people, "both are asked for", resume=True, **flags)
    refused(people, "but --out is the same", source=people, overwrite=True)
    refused(people.with_name("new"), "there must be", ReadError, source=people.with_name("other"))


def test_an_earlier_run_goes_to_a_folder_beside(runs, people):
    (runs / "people-2").write_text("mine")
    first = visible(people)
    with RunFolder(people, overwrite=True) as folder:
        folder.write("config.json", b"settings")
        save(folder, "last.pt", b"second")
        assert visible(people) == first
        assert folder.moved is None
        folder.publish()
        assert folder.moved == runs / "people-1"
        assert listing(people) == ["config.json", "last.pt"]
    assert visible(runs / "people-1") == first
    third = made(people, b"third", overwrite=True)
    assert third.moved == runs / "people-3"
    assert visible(people)["last.pt"] == b"third"
    assert (runs / "people-3/last.pt").read_bytes() == b"second"
    assert (runs / "people-2").read_text() == "mine"
    # What was moved is a run as any other.
    made(runs / "people-1", b"more", resume=True)
    assert visible(runs / "people-1")["last.pt"] == b"more"
    for folder in ("people", "people-1", "people-3"):
        assert leftovers(runs / folder) == []


def test_a_changed_file_of_an_earlier_run_goes_along(runs, people):
    (people / "history.csv").write_text("changed")
    (people / "best.pt").unlink()
    made(people, b"second", overwrite=True)
    assert (runs / "people-1/history.csv").read_text() == "changed"
    assert listing(runs / "people-1") == [name for name in NAMES if name != "best.pt"]


def break_off(place, error, **flags):
    """Do what a run does until something happens while its first checkpoint is written."""
    with RunFolder(place, **flags) as folder:
        folder.write("config.json", b"settings")
        save(folder, "best.pt", b"second")
        with folder.file("last.pt") as file:
            file.write(b"half")
            raise error


def test_a_run_that_ends_before_its_first_checkpoint_was_never_there(runs, people):
    for place, flags in ((people, {"overwrite": True}), (runs / "new/people", {})):
        before = contents(runs), listing(runs, hidden=True)
        for error in (ZeroDivisionError(), KeyboardInterrupt()):
            with pytest.raises(type(error)):
                break_off(place, error, **flags)
            assert (contents(runs), listing(runs, hidden=True)) == before


class Until:
    """Lets so many files be renamed, and is gone then."""

    def __init__(self, patch, renames):
        self.left = renames
        for name in ("rename", "replace"):
            patch.setattr(os, name, self.counted(getattr(os, name)))

    def counted(self, real):
        def rename(*arguments, **options):
            if self.left == 0:
                raise Killed
            self.left -= 1
            return real(*arguments, **options)

        return rename


@pytest.mark.parametrize("renames", range(30))
def test_a_run_that_is_killed_while_it_takes_its_place(runs, people, monkeypatch, renames):
    first = visible(people)
    with monkeypatch.context() as patch:
        Until(patch, renames)
        try:
            made(people, b"second", overwrite=True)
        except Killed:
            pass
        else:
            return
    with RunFolder(people, resume=True) as folder:
        moved = runs / "people-1"
        if not moved.exists():
            assert visible(people) == first
            return
        assert folder.recovered in (moved, None)
        assert visible(moved) == first
        assert {visible(people)[name] for name in ("best.pt", "last.pt")} == {b"second"}
        fill(folder, b"second")
    assert set(visible(people).values()) == {b"second", b"settings"}
    made(moved, b"more", resume=True)


def test_the_renames_that_are_tried_above_are_all_of_them(people, monkeypatch):
    with monkeypatch.context() as patch:
        count = Until(patch, 1000)
        made(people, b"second", overwrite=True)
    assert 12 < 1000 - count.left < 30


def test_a_new_run_that_was_damaged_before_it_was_in_place(runs, people, monkeypatch):
    first = visible(people)
    with monkeypatch.context() as patch:
        patch.setattr(
            "maskforge.io.exchange.Exchange._place_file",
            lambda *_, **__: (_ for _ in ()).throw(Killed()),
        )
        with pytest.raises(Killed):
            made(people, b"second", overwrite=True)
    [staged] = people.glob(".maskforge-train.new/files-*/last.pt")
    staged.write_bytes(b"")
    folder = made(people, b"third")
    assert folder.recovered == runs / "people-1"
    assert folder.moved is None
    assert visible(runs / "people-1") == first
    assert visible(people)["last.pt"] == b"third"


def test_a_move_that_is_completed_now_is_told_also_by_a_refusal(people, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("maskforge.io.aside._move_file", lambda *_: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            made(people, b"second", overwrite=True)
    with pytest.raises(UsageError, match=r"the one before that is in '.*people-1'"):
        made(people, b"third")


def test_a_run_that_came_first_stands(tmp_path, monkeypatch):
    """It ends between our look at the folder and our lock on it."""
    path, real = tmp_path / "people", Stage._take_lock

    def late(stage):
        monkeypatch.setattr(Stage, "_take_lock", real)
        made(path)
        real(stage)

    monkeypatch.setattr(Stage, "_take_lock", late)
    with pytest.raises(UsageError, match="an earlier run stands in"), RunFolder(path):
        pass
    assert visible(path)["best.pt"] == b"first"
    assert leftovers(path) == []


def test_of_two_runs_the_second_is_refused(people):
    with RunFolder(people, resume=True) as folder:
        for flags in ({"resume": True}, {"overwrite": True}):
            with (
                pytest.raises(UsageError, match="another run is under way"),
                RunFolder(people, **flags),
            ):
                pass
        save(folder, "last.pt", b"more")
    made(people, b"second", overwrite=True)


KILLED = """
import os, sys
from pathlib import Path
from maskforge.training.run_folder import RunFolder
with RunFolder(Path(sys.argv[1]), overwrite=True) as folder:
    folder.write("config.json", b"settings")
    with folder.file("last.pt") as file:
        file.write(b"half")
        os.kill(os.getpid(), 9)
"""


def test_what_a_killed_run_leaves_hinders_nobody(runs, people):
    first = visible(people)
    for path in (people, runs / "new"):
        done = subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
        assert done.returncode == -9
    assert visible(people) == first
    made(runs / "new")
    made(people, b"more", resume=True)
    assert leftovers(people) == leftovers(runs / "new") == []


@pytest.mark.parametrize("again", [False, True])
@pytest.mark.parametrize("name", ["last.pt", "history.csv", None])
def test_a_folder_that_is_moved_away_midway(runs, people, name, again):
    def train():
        with RunFolder(people, resume=True) as folder:
            save(folder, "last.pt", b"more")
            people.rename(runs / "elsewhere")
            if again:
                made(people, b"second")
            if name == "last.pt":
                save(folder, name, b"no")
            elif name:
                folder.write(name, b"no")

    with pytest.raises(WriteError, match="moved or removed"):
        train()
    assert visible(runs / "elsewhere")["last.pt"] == b"more"
    assert people.exists() == again
    assert not again or set(visible(people).values()) == {b"second", b"settings"}
    made(runs / "elsewhere", b"more", resume=True)


def test_the_lock_of_another_run_in_the_same_place_is_left_alone(runs, people):
    first = RunFolder(people, resume=True).__enter__()
    people.rename(runs / "elsewhere")
    with RunFolder(people) as second:
        first.__exit__(None)
        with pytest.raises(UsageError, match="another run is under way"), RunFolder(people):
            pass
        fill(second, b"second")
    assert set(visible(people).values()) == {b"second", b"settings"}


def test_a_folder_that_is_removed_midway(people):
    def train():
        with RunFolder(people, resume=True) as folder:
            save(folder, "last.pt", b"more")
            shutil.rmtree(people)

    with pytest.raises(WriteError, match="moved or removed"):
        train()
    assert not people.exists()


@pytest.mark.parametrize("flags", [{"resume": True}, {"overwrite": True}])
def test_a_full_disk_leaves_what_was_there(people, flags):
    first = visible(people)
    with pytest.raises(WriteError, match="No space left"):
        break_off(people, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), **flags)
    best = {"best.pt": b"second"} if "resume" in flags else {}
    assert visible(people) == {**first, **best}
    assert leftovers(people) == []


def test_a_changed_checkpoint_is_not_gone_on_over(people):
    (people / "best.pt").write_bytes(b"mine")
    refused(people, "best.pt was changed after maskforge made it", resume=True)


def test_a_damaged_checkpoint_is_told(people):
    (people / "last.pt").write_bytes(b"")
    error = refused(people, "the checkpoint is damaged", ReadError, resume=True)
    assert "--overwrite" in str(error)
    made(people, b"second", overwrite=True)


def test_nothing_to_go_on_with(tmp_path):
    with (
        pytest.raises(ReadError, match="there must be a run to go on with"),
        RunFolder(tmp_path / "people", resume=True),
    ):
        pass
    assert not (tmp_path / "people").exists()


def test_what_is_changed_during_a_run_stays(people):
    with RunFolder(people, resume=True) as folder:
        (people / "history.csv").write_text("mine")
        folder.write("history.csv", b"more")
        folder.write("curves.png", b"more")
        assert folder.left == ["history.csv"]
        (people / "last.pt").write_bytes(b"mine")
        with pytest.raises(UsageError, match=r"last\.pt was changed") as raised:
            save(folder, "last.pt", b"more")
        assert raised.value.code == "in-the-way"
    assert (people / "history.csv").read_text() == "mine"
    assert (people / "curves.png").read_bytes() == b"more"
    assert (people / "last.pt").read_bytes() == b"mine"


@pytest.mark.parametrize("flags", [{}, {"overwrite": True}, {"resume": True}])
def test_a_run_without_a_list(people, flags):
    (people / LIST).unlink()
    error = refused(people, "no list says which of its files", **flags)
    assert error.code == "in-the-way"
    assert "choose another --out" in error.cure


def test_a_copied_run_goes_on_but_replaces_no_picture(runs, people):
    copy = runs / "copy"
    shutil.copytree(people, copy)
    refused(copy, "curves.png was not made", resume=True)
    refused(copy, "curves.png was not made", overwrite=True)
    (copy / "curves.png").unlink()
    with RunFolder(copy, resume=True) as folder:
        folder.check_previews(after=1)
        save(folder, "last.pt", b"more")
        folder.write("curves.png", b"more")
        with pytest.raises(UsageError, match="epoch_001"):
            folder.check_previews(after=0)
    made(copy, b"still more", resume=True)
    assert (copy / "previews/epoch_001.png").read_bytes() == b"first"
    assert (copy / "best.pt").read_bytes() == b"still more"


def test_files_that_grow_are_known_by_the_run(runs, people):
    with RunFolder(people, resume=True, board=True) as folder:
        (folder.folder("tensorboard") / f"events.1.{folder.id}").write_text("grows")
        id_ = folder.id
    with RunFolder(people, resume=True) as folder:
        assert folder.id == id_
    (people / "tensorboard/events.2").write_text("mine")
    assert made(people, b"second", overwrite=True).id != id_
    assert listing(runs / "people-1/tensorboard") == [f"events.1.{id_}"]
    assert listing(people / "tensorboard") == ["events.2"]


def test_the_list_is_short_at_the_end_and_whole_in_between(people):
    size = (people / LIST).stat().st_size
    with RunFolder(people, resume=True) as folder:
        for number in range(20):
            save(folder, "last.pt", b"%05d" % number)
        owned = Owned(people, "train")
        (people / "last.pt").write_bytes(b"00007")  # as a backup that is older
        assert owned.state("last.pt") == "ours"
        (people / "last.pt").write_bytes(b"00019")
    assert (people / LIST).stat().st_size == size


def test_a_link_to_a_folder(runs, people):
    (runs / "disk").mkdir()
    people.rename(runs / "disk/real")
    people.symlink_to(runs / "disk/real")
    assert made(people, b"second", overwrite=True).moved == runs / "disk/real-1"
    assert people.is_symlink()


def test_a_run_that_cannot_be_moved_is_told_before_anything(people, monkeypatch):
    def rename(*_):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "rename", rename)
    refused(people, "cannot be moved to a folder beside it", overwrite=True)


def test_the_current_folder_can_be_a_run(people, monkeypatch):
    monkeypatch.chdir(people)
    folder = made(Path(), b"second", overwrite=True)
    assert folder.moved == people.with_name("people-1")


def test_other_processes_of_a_run_write_nothing(tmp_path):
    with RunFolder(tmp_path / "people", first=False) as folder:
        folder.check_previews(after=0)
    assert not (tmp_path / "people").exists()
