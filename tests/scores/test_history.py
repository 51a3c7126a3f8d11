"""Tables of scores: text stays text where a spreadsheet opens it."""

import csv
import io
import math

import pytest

from maskforge.scores import history


def rows_of(data):
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


@pytest.mark.parametrize("first", list("=+-@\t\r\n＝＋－＠"))
def test_a_text_that_would_be_a_formula_is_marked(first):
    name = f"{first}cmd|' /C calc'!A0"
    [row] = rows_of(history.to_csv([{"class": name, "iou": 0.5}]))
    assert row == {"class": f"'{name}", "iou": "0.5"}


@pytest.mark.parametrize("name", ["cat", "", "a=b", "1+1", " =1", "'=1", "e-mail@home", "猫"])
def test_other_text_stays_as_it_is(name):
    assert rows_of(history.to_csv([{"class": name, "n": 1}])) == [{"class": name, "n": "1"}]


def test_a_column_is_marked_as_well():
    assert history.to_csv([{"=1+1": 1.0, "+x": 2}]) == b"'=1+1,'+x\n1,2\n"


def test_numbers_stay_numbers():
    row = {"a": -0.5, "b": -3.0, "c": 1e-7, "d": float("nan"), "e": 1234567.0}
    assert history.to_csv([row]) == b"a,b,c,d,e\n-0.5,-3,1e-07,,1234567\n"


def test_a_name_that_is_no_text_is_kept():
    assert history.to_csv([{"image": "a\udce9"}]) == b"image\na\xe9\n"


def test_no_rows_are_no_table():
    assert history.to_csv([]) == b""


@pytest.mark.parametrize(
    ("best", "wanted"), [("mean-iou", 0.5), ("image-mean-iou", 0.75), ("loss", -0.125)]
)
def test_the_score_of_an_evaluation_is_what_the_best_is_chosen_by(best, wanted):
    row = {"mean_iou": 0.5, "image_mean_iou": 0.75, "val_loss": 0.125, "loss": 2.0}
    assert history.score(row, best) == wanted
    nothing = dict.fromkeys(row, math.nan) | {"loss": 2.0}
    assert history.score(nothing, best) == -2.0


@pytest.mark.parametrize(
    ("scores", "gained"),
    [
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 0.2),
        ([0.1, 0.2, 0.3, 0.6, 0.59, 0.605], 0.0),
        ([0.1, 0.6, 0.3, 0.4, 0.5, 0.6], 0.0),
        ([0.1, 0.2, 0.3, 0.4, 0.6, 0.5, 0.5], 0.2),  # of seven the last three
        ([0.2, 0.5], 0.3),
        ([0.5, math.nan, 0.25], 0.0),
        ([0.5], 0.0),
        ([math.nan] * 4, 0.0),
        ([], 0.0),
    ],
)
def test_scores_that_still_rise_at_the_end(scores, gained):
    rows = [{"mean_iou": score} for score in scores]
    assert history.still_rising(rows) == pytest.approx(gained)
