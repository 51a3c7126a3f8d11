"""One output under way: refused, resumed, overwritten, the same for any number of workers."""

import json
from pathlib import Path

import pytest
from projects import box, elsewhere, folder, ids, labelme_file, tree  # noqa: F401

import maskforge
from maskforge.errors import ReadError, UsageError

SAMPLES = Path(__file__).parents[2] / "samples"


def test_strict_makes_the_first_problem_final(folder):
    (folder / "broken.json").write_text('{"shapes": [')
    with pytest.raises(ReadError, match=r"broken\.json"):
        maskforge.convert(folder, format="labelme", strict=True)


def test_progress_is_told_image_by_image(folder):
    told = []
    maskforge.convert(folder, format="labelme", progress=lambda *numbers: told.append(numbers))
    assert told == [(1, 2), (2, 2)]


def test_output_that_holds_something_is_refused(folder):
    maskforge.convert(folder, format="labelme")
    with pytest.raises(UsageError, match="an earlier output stands") as caught:
        maskforge.convert(folder, format="labelme")
    assert "masks/a.png" in str(caught.value)


def test_other_files_in_the_output_never_matter(folder):
    out = folder.parent / "out"
    (out / "masks").mkdir(parents=True)
    (out / "masks/mine.png").write_bytes(b"mine")
    maskforge.convert(folder, format="labelme", out=out)
    assert (out / "masks/mine.png").read_bytes() == b"mine"


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


def test_resume_sees_an_image_of_the_same_size_that_was_replaced(folder):
    photo = (folder / "a.png").read_bytes()
    (folder / "a.png").write_bytes(photo + b"0")
    out = maskforge.convert(folder, format="labelme").out
    (folder / "a.png").write_bytes(photo + b"1")
    again = maskforge.convert(folder, format="labelme", resume=True)
    assert (again.converted, again.kept) == (2, 1)
    fresh = maskforge.convert(folder, format="labelme", out=folder.parent / "fresh")
    assert tree(fresh.out).items() <= tree(out).items()
    assert (out / "set-aside/images/a.png").read_bytes() == photo + b"0"  # nobody else has it


def test_resume_remembers_what_was_wrong_with_an_image(folder):
    labelme_file(folder / "a.json", [("cat", box(1, 1, 5, 3)), ("dog", [[1, 1], [4, 1]])])
    first = maskforge.convert(folder, format="labelme")
    assert [problem.severity for problem in first.problems] == ["warning"]
    again = maskforge.convert(folder, format="labelme", resume=True)
    assert (again.kept, again.problems) == (2, first.problems)
    [record] = [record for record in again.records if record["stem"] == "a"]
    assert [problem["file"] for problem in record["problems"]] == ["a.json"]


def test_resume_converts_again_what_has_another_number(folder):
    some = {"format": "labelme", "layout": "article", "size": (9, 6)}
    out = maskforge.convert(folder, **some).out
    labelme_file(folder / "0.json", [("cat", box(0, 0, 3, 2))])
    maskforge.convert(folder, **some, resume=True)
    fresh = maskforge.convert(folder, **some, out=folder.parent / "fresh")
    assert tree(out) == tree(fresh.out)


def test_resume_tells_where_an_image_stands_in_the_file_now(tmp_path):
    boxes = [1, 1, 5, 1, 5, 4], [2, 2, 7, 2, 7, 5], [90, 90, 95, 90, 95, 95]  # the last: outside
    images = [
        {"file_name": f"{n}.png", "height": 6, "width": 9, "annotations": [person]}
        for n, person in enumerate({"segms": {"outer": box}, "keypoints": [1]} for box in boxes)
    ]
    source = tmp_path / "ochuman.json"
    source.write_text(json.dumps({"images": images}))
    out = maskforge.convert(source, images="none").out
    source.write_text(json.dumps({"images": images[1:]}))
    maskforge.convert(source, images="none", resume=True)
    fresh = maskforge.convert(source, images="none", out=tmp_path / "fresh")
    assert tree(out) == tree(fresh.out)


@pytest.mark.parametrize("images", ["copy", "none"])
def test_resume_follows_an_image_that_was_renamed(folder, images):
    record = json.loads((folder / "a.json").read_text()) | {"imagePath": "A1.PNG"}
    (folder / "a.json").write_text(json.dumps(record))  # a.png is found by the stem
    out = maskforge.convert(folder, format="labelme", images=images).out
    (folder / "a.png").rename(folder / "A1.PNG")
    maskforge.convert(folder, format="labelme", images=images, resume=True)
    fresh = maskforge.convert(folder, format="labelme", images=images, out=folder.parent / "fresh")
    assert tree(fresh.out).items() <= tree(out).items()


def test_resume_removes_what_sources_left_behind(folder):
    out = maskforge.convert(folder, format="labelme").out
    (folder / "more/b.json").unlink()
    maskforge.convert(folder, format="labelme", resume=True)
    assert not (out / "masks/more/b.png").exists()
    assert (out / "masks/a.png").exists()


def test_a_run_that_was_killed_twice_goes_on_where_it_was(folder, monkeypatch):
    whole = tree(maskforge.convert(folder, format="labelme", out=folder.parent / "whole").out)
    out = folder.parent / "out"

    def die(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):  # after the first image
        maskforge.convert(folder, format="labelme", out=out, progress=die)
    journal = out / ".maskforge-convert.new/journal.jsonl"
    journal.write_bytes(journal.read_bytes() + b'{"record": {"stem": "more/b", "di')  # torn
    assert not (out / "masks").exists()
    with pytest.raises(UsageError, match="holds an unfinished run"):
        maskforge.convert(folder, format="labelme", out=out)
    with pytest.raises(UsageError, match="other settings"):
        maskforge.convert(folder, format="labelme", out=out, rule="coco", resume=True)
    with pytest.raises(KeyboardInterrupt):
        maskforge.convert(folder, format="labelme", out=out, progress=die, resume=True)
    again = maskforge.convert(folder, format="labelme", out=out, resume=True)
    assert (again.converted, again.kept) == (2, 1)
    assert tree(out) == whole


def die(done, total):
    raise KeyboardInterrupt


@pytest.mark.parametrize("damage", [b"", None, "other"])
@pytest.mark.parametrize("is_placed", [False, True])
def test_what_a_killed_run_had_done_is_looked_at_again(folder, damage, is_placed):
    """is_placed: its mask stood in its place already, from a run before."""
    whole = tree(maskforge.convert(folder, format="labelme", out=folder.parent / "whole").out)
    out = folder.parent / "out"
    if is_placed:
        maskforge.convert(folder, format="labelme", out=out)
    with pytest.raises(KeyboardInterrupt):  # after the first image
        maskforge.convert(folder, format="labelme", out=out, progress=die, overwrite=is_placed)
    mask = (out if is_placed else out / ".maskforge-convert.new/files-1") / "masks/a.png"
    data = mask.read_bytes()
    mask.unlink()
    if damage is not None:
        mask.write_bytes(damage if damage == b"" else data[:-1] + b"!")
    if is_placed and damage == "other":
        with pytest.raises(UsageError, match=r"masks/a\.png was changed"):
            maskforge.convert(folder, format="labelme", out=out, resume=True)
        return
    again = maskforge.convert(folder, format="labelme", out=out, resume=True)
    assert (again.converted, again.kept) == (2, int(is_placed))  # more/b stands, where it stood
    assert tree(out) == whole


def test_resume_makes_the_one_file_of_all_images_anew(folder):
    out = folder.parent / "all.npy"
    maskforge.convert(folder, as_="onehot", out=out)
    labelme_file(folder / "c.json", [("cat", box(0, 0, 9, 6))])
    again = maskforge.convert(folder, as_="onehot", out=out, resume=True)
    assert (again.converted, again.kept) == (3, 0)
    fresh = maskforge.convert(folder, as_="onehot", out=folder.parent / "fresh.npy")
    assert out.read_bytes() == fresh.out.read_bytes()


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


def test_nothing_readable_is_exit_code_3_and_writes_what_was_wrong(tmp_path):
    (tmp_path / "a.json").write_text("{")
    result = maskforge.convert(tmp_path, format="labelme")
    assert result.exit_code == 3
    assert list(tree(result.out)) == ["problems.jsonl"]


def test_a_refused_resume_loses_nothing_that_a_killed_run_had_done(folder):
    out = folder.parent / "out"

    def die(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):  # after the first image
        maskforge.convert(folder, format="labelme", out=out, progress=die)
    with pytest.raises(UsageError, match="other settings"):
        maskforge.convert(folder, format="labelme", out=out, rule="coco", resume=True)
    (out / "labels.txt").write_text("mine\n")
    with pytest.raises(UsageError, match=r"labels\.txt was not made"):
        maskforge.convert(folder, format="labelme", out=out, resume=True)
    (out / "labels.txt").unlink()
    assert maskforge.convert(folder, format="labelme", out=out, resume=True).kept >= 1
