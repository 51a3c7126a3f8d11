"""``maskforge evaluate PREDICTIONS TRUTH``: nothing that is odd about predictions is silent."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from training.commands import run

from maskforge.datasets import compare, load_pair
from maskforge.datasets.comparing import Strangers
from maskforge.errors import ClassError
from maskforge.raster.annotation import Decoding, MaskFile

RED, GREEN = (128, 0, 0), (0, 128, 0)  # classes 1 and 2 in VOC's palette


def write(path, pixels):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(pixels).save(path)


def truth():
    """5x7: one row of class 1, a pixel of class 2, the last row ignored."""
    ids = np.zeros((5, 7), np.uint8)
    ids[1, 1:5], ids[3, 6], ids[4] = 1, 2, 255
    return ids


def predicted():
    """What is perfect."""
    return np.where(truth() == 255, 0, truth()).astype(np.uint8)


def painted():
    colors = np.array([(0, 0, 0), RED, GREEN], np.uint8)
    return colors[predicted()]


@pytest.fixture
def sides(tmp_path, monkeypatch):
    """Three images in the folders ``truth`` and ``pred``; all is right."""
    monkeypatch.chdir(tmp_path)
    for stem in "abc":
        write(tmp_path / f"truth/{stem}.png", truth())
        write(tmp_path / f"pred/{stem}.png", predicted())
    (tmp_path / "truth/labels.txt").write_text("cat\ndog\n")
    return tmp_path


def scored(capsys, *more):
    """Return exit code, scores and what was said."""
    capsys.readouterr()
    code = run("evaluate", "pred", "truth", "--json", *more)
    captured = capsys.readouterr()
    return code, json.loads(captured.out) if captured.out else None, captured.err


def test_what_is_right(sides, capsys):
    code, scores, said = scored(capsys)
    assert (code, said) == (0, "")
    assert scores["pixel_accuracy"] == scores["mean_iou_all"] == 1
    assert np.array(scores["confusion_matrix"]).shape == (3, 3)


def test_values_beyond_the_classes_count_as_wrong(sides, capsys):
    strange = predicted()
    strange[1, 1:3] = 7  # two of four pixels of class 1
    strange[0, 0] = 9  # background
    strange[4] = 8  # where nothing is scored
    write(sides / "pred/a.png", strange)
    more = predicted()
    more[1, 4] = 7
    write(sides / "pred/c.png", more)
    code, scores, said = scored(capsys)
    assert code == 1
    assert scores["confusion_matrix"] == [[68, 0, 0, 1], [0, 9, 0, 3], [0, 0, 3, 0]]
    assert scores["pixel_accuracy"] == pytest.approx(80 / 84)
    cat = scores["classes"][1]
    assert cat["iou"] == cat["recall"] == pytest.approx(9 / 12)
    assert cat["precision"] == 1
    assert said.count("mask-values") == 2  # once before and once after the message
    assert "4 scored px of a.png, c.png (2 files) hold 7 (3 px), 9 (1 px): they count" in said
    assert "no prediction" not in said
    assert "8 (" not in said


def test_the_warning_is_said_on_a_quiet_console_too(sides, capsys):
    write(sides / "pred/b.png", predicted() + 3)
    assert run("evaluate", "pred", "truth", "-q") == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert (
        "pred/b.png: every pixel of a prediction must stand for a class, but 28 scored px" in said
    )
    assert "of b.png hold 3 (23 px), 4 (4 px), 5 (1 px): they" in said


def test_strict_stops_at_a_value_beyond_the_classes(sides, capsys):
    write(sides / "pred/b.png", predicted() + 3)
    code, scores, said = scored(capsys, "--strict")
    assert (code, scores) == (2, None)
    assert "pred/b.png: row 0, column 0: every pixel must have a value" in said


def test_strange_values_and_nothing_are_told_apart(sides, capsys):
    holes = predicted()
    holes[0, :3], holes[1, 1] = 255, 7
    write(sides / "pred/b.png", holes)
    assert run("evaluate", "pred", "truth") == 1
    said = capsys.readouterr().err
    assert "3 scored pixels without a prediction: counted as missed" in said
    assert "1 scored px of b.png hold 7 (1 px)" in said


def test_a_prediction_of_strange_values_alone(sides, capsys):
    write(sides / "pred/a.png", np.full((5, 7), 40, np.uint8))
    code, scores, said = scored(capsys)
    assert code == 1
    assert scores["confusion_matrix"] == [[46, 0, 0, 23], [0, 8, 0, 4], [0, 0, 2, 1]]
    assert "28 scored px of a.png hold 40 (28 px)" in said


def test_a_painted_prediction_of_strange_colours_alone(sides, capsys):
    for stem in "abc":
        write(sides / f"pred/{stem}.png", painted())
    write(sides / "pred/b.png", np.full((5, 7, 3), (9, 8, 7), np.uint8))
    code, scores, said = scored(capsys)
    assert code == 1
    assert scores["pixel_accuracy"] == pytest.approx(2 / 3)
    assert "28 scored px of b.png hold #090807 (28 px)" in said


def test_predictions_that_show_no_class_at_all_are_refused(sides, capsys):
    """The table is not theirs: what would be scored says nothing."""
    for stem in "abc":
        write(sides / f"pred/{stem}.png", np.full((5, 7), 40, np.uint8))
    code, scores, said = scored(capsys)
    assert (code, scores) == (2, None)
    assert "but hold 40" in said


def test_values_of_more_than_8_bits(sides, capsys):
    wide = predicted().astype(np.uint16)
    wide[0, 0] = 40000
    write(sides / "pred/a.png", wide)
    numbers = predicted().astype(np.int32)
    numbers[1, 1], numbers[0, 1] = -5, 2**30
    np.save(sides / "pred/b.npy", numbers)
    (sides / "pred/b.png").unlink()
    code, scores, said = scored(capsys)
    assert code == 1
    assert scores["confusion_matrix"] == [[67, 0, 0, 2], [0, 11, 0, 1], [0, 0, 3, 0]]
    for told in ("40000 (1 px)", "-5 (1 px)", "1073741824 (1 px)"):
        assert told in said


def test_painted_predictions(sides, capsys):
    for stem in "abc":
        write(sides / f"pred/{stem}.png", painted())
    code, scores, said = scored(capsys)
    assert (code, scores["pixel_accuracy"], said) == (0, 1, "")
    strange = painted()
    strange[1, 2] = (1, 2, 3)
    write(sides / "pred/c.png", strange)
    code, scores, said = scored(capsys)
    assert code == 1
    assert scores["confusion_matrix"] == [[69, 0, 0, 0], [0, 11, 0, 1], [0, 0, 3, 0]]
    assert "1 scored px of c.png hold #010203 (1 px)" in said


def cut(sides):
    write(sides / "pred/b.png", predicted()[:, :5])


def paint(sides):
    write(sides / "pred/b.png", painted())


def damage(sides):
    (sides / "pred/b.png").write_bytes((sides / "pred/b.png").read_bytes()[:60])


def remove(sides):
    (sides / "pred/b.png").unlink()


@pytest.mark.parametrize(
    ("change", "file", "told"),
    [
        (cut, "pred/b.png", "the size of the truth, 7x5, but is 5x5: not scored (predict in"),
        (paint, "pred/b.png", "is in colour: not scored"),
        (damage, "pred/b.png", ": not scored"),
        (remove, "truth/b.png", "there is no prediction of this name: not scored"),
    ],
)
def test_what_cannot_be_scored_is_told_and_the_rest_is_scored(sides, change, file, told, capsys):
    change(sides)
    code, scores, said = scored(capsys)
    assert code == 1
    assert sum(map(sum, scores["confusion_matrix"])) == 2 * 28
    assert file in said
    assert told in said
    assert scored(capsys, "--strict")[:2] == (3, None)


def test_where_nothing_can_be_scored_there_are_no_scores(sides, capsys):
    for stem in "abc":
        write(sides / f"pred/{stem}.png", predicted()[:4])
    code, scores, said = scored(capsys)
    assert (code, scores) == (3, None)
    assert "the size of the truth, 7x5, but is 7x4" in said


def test_what_cannot_be_scored_is_told_once(sides, capsys):
    """Also where all masks are looked at to know what their values mean, as of one class."""
    (sides / "truth/labels.txt").unlink()
    for stem in "abc":
        write(sides / f"truth/{stem}.png", np.minimum(truth(), 1))
        write(sides / f"pred/{stem}.png", np.minimum(predicted(), 1))
    paint(sides)
    code, scores, said = scored(capsys)
    assert code == 1
    assert sum(map(sum, scores["confusion_matrix"])) == 2 * 35
    assert said.count("pred/b.png") == 1
    assert said.count("\n") == 1


def test_what_is_doubtful_about_predictions_is_told(sides, capsys):
    for stem in "abc":
        big = np.kron(painted(), np.ones((32, 32, 1), np.uint8))
        Image.fromarray(big).save(sides / f"pred/{stem}.jpg", quality=90)
        (sides / f"pred/{stem}.png").unlink()
        write(sides / f"truth/{stem}.png", np.kron(truth(), np.ones((32, 32), np.uint8)))
    code, scores, _ = scored(capsys)
    assert code == 0
    assert scores["pixel_accuracy"] > 0.99
    assert run("evaluate", "pred", "truth") == 0
    assert "mask-damaged" in capsys.readouterr().err


def test_planes_are_scored(sides, capsys):
    """A one-hot file holds no values that could be strange."""
    run(
        "convert", "pred", "-o", "o.npy", "--as", "onehot", "-q", "--labels", "cat,dog"
    )  # without images: 1
    capsys.readouterr()
    assert run("evaluate", "o.npy", "truth", "--json") == 0
    assert json.loads(capsys.readouterr().out)["pixel_accuracy"] == 1


def test_an_extra_prediction_is_told(sides, capsys):
    write(sides / "pred/z.png", predicted())
    assert run("evaluate", "pred", "truth") == 0
    said = capsys.readouterr().err
    assert "pred/z.png: there is no truth of this name: not scored" in said


def test_strange_values_of_the_truth_stop_it(sides, capsys):
    write(sides / "truth/b.png", predicted() + 5)
    code, scores, said = scored(capsys)
    assert (code, scores) == (2, None)
    assert "truth/b.png" in said


def test_python_is_told_or_refused(sides):
    strange = predicted()
    strange[0, 0] = 9
    write(sides / "pred/a.png", strange)
    found = compare("pred", "truth")
    with pytest.raises(ClassError, match="9"):
        load_pair(found.pairs[0], found)
    strangers = Strangers()
    prediction, _ = load_pair(found.pairs[0], found, strangers=strangers)
    assert prediction[0, 0] == found.classes.channels.ignore_index
    assert (strangers.pixels, dict(strangers.values)) == (1, {"9": 1})
    assert [file.rpartition("/")[2] for file in strangers.files] == ["a.png"]


def test_what_is_told_of_many():
    strangers = Strangers()
    label = MaskFile("x/m.png", Decoding("ids"))
    strangers.add(np.array([], np.int64), label)
    assert strangers.problem() is None
    for number in range(5):
        strangers.add(np.arange(200) + 200 * number, MaskFile(f"x/{number}.png", Decoding("ids")))
        names = [Path(file).name for file in strangers.files]
        more = (" …" if number > 2 else "") + (f" ({number + 1} files)" if number else "")
        assert f"px of {', '.join(names[:3])}{more} hold" in strangers.problem().message
    strangers.add(np.full(7, 3), label)
    assert strangers.pixels == 1007
    assert len(strangers.values) == 256
    assert strangers.values["3"] == 8
    problem = strangers.problem()
    assert (problem.severity, problem.file) == ("error", "x/0.png")
    assert "1,007 scored px of 0.png, 1.png, 2.png … (6 files) hold 3 (8 px)," in problem.message
    assert problem.message.count("(1 px)") == 5
    assert "px) …: they count as wrong" in problem.message
