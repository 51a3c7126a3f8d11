"""One output under way: refused, resumed, overwritten, the same for any number of workers."""

import json
from pathlib import Path

import pytest
from projects import box, elsewhere, folder, ids, labelme_file, tree  # noqa: F401

import maskforge
from maskforge.errors import ReadError, UsageError

SAMPLES = Path(__file__).parent.parent / "samples"


def test_strict_makes_the_first_problem_final(folder):
    (folder / "broken.json").write_text('{"shapes": [')
    with pytest.raises(ReadError, match=r"broken\.json"):
        maskforge.convert(folder, format="labelme", strict=True)


def test_output_that_holds_something_is_refused(folder):
    maskforge.convert(folder, format="labelme")
    with pytest.raises(UsageError, match="is not empty"):
        maskforge.convert(folder, format="labelme")


def test_resume_does_what_is_missing_or_changed(folder):
    first = maskforge.convert(folder, format="labelme")
    (first.out / "masks/more/b.png").unlink()
    labelme_file(folder / "a.json", [("dog", box(0, 0, 9, 1))], image=False)
    labelme_file(folder / "c.json", [("cat", box(0, 0, 9, 6))])
    again = maskforge.convert(folder, format="labelme", resume=True)
    assert (again.converted, again.kept) == (3, 0)
    fresh = maskforge.convert(folder, format="labelme", out=folder.parent / "fresh")
    assert tree(again.out) == tree(fresh.out)
    third = maskforge.convert(folder, format="labelme", resume=True)
    assert (third.converted, third.kept) == (3, 3)
    assert tree(third.out) == tree(fresh.out)


def test_resume_removes_what_sources_left_behind(folder):
    out = maskforge.convert(folder, format="labelme").out
    (folder / "more/b.json").unlink()
    maskforge.convert(folder, format="labelme", resume=True)
    assert not (out / "masks/more/b.png").exists()
    assert (out / "masks/a.png").exists()


def test_a_run_that_was_killed_twice_goes_on_where_it_was(folder):
    out = maskforge.convert(folder, format="labelme").out
    whole = tree(out)
    lines = (out / "manifest.json").read_text().splitlines()
    journal = out / ".maskforge-journal.jsonl"
    fingerprint = json.loads("".join(lines))["fingerprint"]
    record = json.loads("".join(lines))["images"][1]
    (out / "manifest.json").unlink()
    # The first kill left one record and a torn line; the second came before anything was added.
    journal.write_text(
        f'{{"fingerprint": "{fingerprint}"}}\n{json.dumps(record)}\n{{"stem": "a", "di'
    )
    with pytest.raises(UsageError, match="holds an unfinished run"):
        maskforge.convert(folder, format="labelme")
    again = maskforge.convert(folder, format="labelme", resume=True)
    assert (again.converted, again.kept) == (2, 1)
    assert tree(out) == whole


def test_outputs_below_the_source_are_not_read_as_sources(folder, monkeypatch):
    monkeypatch.chdir(folder)
    first = maskforge.convert(".", format="labelme")
    assert first.out == Path("labelme-masks")
    maskforge.convert("a.json", as_="onehot")
    again = maskforge.convert(".", format="labelme", resume=True)
    assert (again.converted, again.problems) == (2, ())


def test_resume_with_other_settings_is_refused(folder):
    maskforge.convert(folder, format="labelme")
    with pytest.raises(UsageError, match="other settings"):
        maskforge.convert(folder, format="labelme", rule="coco", resume=True)


def test_overwrite_starts_again_and_leaves_strangers_alone(folder):
    out = maskforge.convert(folder, format="labelme").out
    (out / "notes.txt").write_text("mine")
    (folder / "more/b.json").unlink()
    maskforge.convert(folder, format="labelme", overwrite=True, rule="labelme")
    assert (out / "notes.txt").read_text() == "mine"
    assert not (out / "masks/more/b.png").exists()


def test_two_workers_give_the_same_bytes(tmp_path):
    for workers in (1, 2):
        maskforge.convert(
            SAMPLES / "labelme", format="labelme", out=tmp_path / str(workers), workers=workers
        )
    assert tree(tmp_path / "1") == tree(tmp_path / "2")


def test_nothing_readable_is_exit_code_3_and_writes_nothing(tmp_path):
    (tmp_path / "a.json").write_text("{")
    result = maskforge.convert(tmp_path, format="labelme")
    assert result.exit_code == 3
    assert not result.out.exists()
