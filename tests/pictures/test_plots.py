"""What plots must show whatever they are of: text within the sheet, lines where they belong."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from maskforge import extras
from maskforge.classes import ClassTable
from maskforge.palette import display_palette
from maskforge.pictures import lettering, plots, previews
from maskforge.scores.history import best_of

matplotlib = pytest.importorskip("matplotlib")

NAMES = ("_background_", "person", "dog")
LONG = "a class whose name is much too long for any legend and has a meaningful end"


def history(count: int, names=NAMES, **changes):
    """Rows of a run that gets better until the evaluation before the last."""
    rows = []
    for at in range(count):
        score = (at + 1) / (count + 1) if at < count - 1 or count == 1 else 0.1
        row = {"epoch": 5 * at + 5, "step": at, "lr": 1e-3 / (at + 1), "loss": 3 / (at + 1)}
        row |= {"val_loss": 4 / (at + 1), "mean_iou": score, "pixel_accuracy": score}
        rows.append(row | {f"iou {name}": score for name in names} | changes)
    return rows


def extents(figure):
    """The texts of a figure that are shown, with their boxes, pixels from the lower left corner."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    unseen = [
        tick
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    ]
    hidden = [label for tick in unseen for label in (tick.label1, tick.label2)]
    hidden += [text for axes in figure.axes if not axes.axison for text in axes.findobj(Text)]
    written = [text for axes in figure.axes for text in axes.texts]
    hidden = [text for text in hidden if text not in written]
    texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    texts = [text for text in texts if text not in hidden]
    return [(text, text.get_window_extent(canvas.get_renderer())) for text in texts]


def check_within(figure):
    width, height = plots._size(figure)
    for text, box in extents(figure):
        shown = text.get_text(), box
        assert box.x0 >= 4, shown
        assert box.y0 >= 4, shown
        assert box.x1 <= width - 4, shown
        assert box.y1 <= height - 4, shown


def said(figure):
    return [text.get_text() for text, _ in extents(figure)]


def drawing(function, *arguments, **options):
    with plots._drawing():
        return function(*arguments, **options)


def curves_of(rows, classes, pixels=()):
    return drawing(plots._curves, rows, classes, pixels)


@pytest.mark.parametrize("count", [1, 2, 12, 1000])
def test_texts_of_curves_are_whole_and_the_best_epoch_is_named(count):
    names = ("_background_", LONG, "$x_1$ is no formula", *(f"class {n}" for n in range(20)))
    figure = curves_of(history(count, names), ClassTable(names))
    check_within(figure)
    best = 5 * max(1, count - 1)
    score = 100 * max(1, count - 1) / (count + 1)
    assert f"best: epoch {best}, mean IoU {score:.1f} %" in said(figure)
    assert f"{score:.1f} %" in said(figure)
    assert "background" in said(figure)
    assert "15 other classes" in said(figure)
    assert not any("_background_" in text for text in said(figure))
    [cut] = [text for text in said(figure) if text.startswith("a class") and "…" in text]
    assert cut.endswith("end")


def test_ticks_of_curves_are_round():
    figure = curves_of(history(7), ClassTable(NAMES))
    loss, rate, scores = figure.axes
    for axes in figure.axes:
        assert all(tick == int(tick) for tick in axes.get_xticks())
    for axes in (loss, rate):
        steps = np.diff(axes.get_yticks())
        [lead] = {f"{step:.6e}"[0] for step in steps}
        assert lead in "125"
        assert steps == pytest.approx([steps[0]] * len(steps))
    assert [text.get_text() for text in scores.get_yticklabels()] == [
        *("0 %", "20 %", "40 %", "60 %", "80 %", "100 %")
    ]


def test_one_evaluation_is_seen_as_points():
    image = plots.curves(history(1, **{"iou dog": 0.8, "iou person": 0.2}), ClassTable(NAMES))
    assert image.size == (1280, 720)
    shown = np.asarray(image)
    loss, scores = shown[64:448, 76:516].reshape(-1, 3), shown[64:648, 600:1030].reshape(-1, 3)
    for part, color in (
        *((loss, plots._TRAINING), (loss, plots._VALIDATION)),
        *((scores, tuple(display_palette()[2].tolist())), (scores, lettering.INK)),
    ):
        assert (part == color).all(axis=1).sum() >= 8


def test_the_largest_classes_have_colours_and_the_others_are_grey():
    names = tuple(f"class {n}" for n in range(12))
    rows = history(3, names)
    for row in rows:
        row |= {f"iou {name}": 0.05 + 0.08 * at for at, name in enumerate(names)}
    pixels = [1000 + at for at in range(12)]
    figure = curves_of(rows, ClassTable(names), pixels)
    texts = said(figure)
    assert [text for text in texts if text.startswith("class ")] == [
        f"class {n}" for n in range(11, 3, -1)
    ]
    assert "4 other classes" in texts
    lines = {round(line.get_ydata()[-1]): line.get_color() for line in figure.axes[2].lines}
    greys = {lines[5 + 8 * at] for at in range(4)}
    assert greys == {plots._hex(plots._OTHERS)}


def test_a_class_without_a_score_breaks_its_line():
    rows = history(100)
    for at, row in enumerate(rows):
        row["iou dog"] = math.nan if at % 2 else 0.5
    image = np.asarray(plots.curves(rows, ClassTable(NAMES)))
    dog = (image[64:648, 600:1030] == display_palette()[2]).all(axis=2)
    assert dog.sum() > 100  # points, as no two scores follow each other
    assert best_of(rows) == 98


def test_without_validation_images_the_training_loss_tells():
    rows = [{**row, "val_loss": math.nan, "mean_iou": math.nan} for row in history(3)]
    figure = curves_of(rows, ClassTable(NAMES))
    check_within(figure)
    assert "no validation images were scored" in said(figure)
    assert "best: epoch 15, by the training loss" in said(figure)


def test_an_equal_score_is_no_better_one():
    rows = history(4)
    for row in rows:
        row["mean_iou"] = 0.25
    assert best_of(rows) == 0


@pytest.mark.parametrize(
    ("best", "at", "said"),
    [
        ("loss", 3, "best by validation loss: epoch 20, mean IoU 10.0 %"),
        ("image-mean-iou", 0, "best by image: epoch 5, mean IoU 20.0 %"),
        ("mean-iou", 2, "best: epoch 15, mean IoU 60.0 %"),
    ],
)
def test_the_best_is_what_the_run_chose_by(best, at, said):
    rows = [row | {"image_mean_iou": 1 / (n + 1)} for n, row in enumerate(history(4))]
    assert best_of(rows, best) == at
    with plots._drawing():
        figure = plots._curves(rows, ClassTable(NAMES), [], best)
    assert said in [text.get_text() for text, _ in extents(figure)]


@pytest.mark.parametrize("changes", [{"lr": 0.0}, {"loss": -2.0}, {"val_loss": 1e30}])
def test_odd_numbers_are_drawn(changes):
    check_within(curves_of(history(3, **changes), ClassTable(NAMES)))


def test_the_same_history_gives_the_same_bytes_without_a_version():
    script = (
        "from maskforge.classes import ClassTable\n"
        "from maskforge.pictures import plots, previews\n"
        "import hashlib, sys\n"
        "row = {'epoch': 1, 'lr': 1e-3, 'loss': 1.0, 'val_loss': 1.0, 'mean_iou': 0.5}\n"
        "picture = plots.curves([row], ClassTable(('a', 'b')))\n"
        "print(hashlib.sha256(previews.encode(picture, suffix='.png')).hexdigest())\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    runs = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout
    assert runs[0].stderr == ""
    data = previews.encode(plots.curves(history(2), ClassTable(NAMES)), suffix=".png")
    assert b"tEXt" not in data


def test_settings_of_the_user_are_neither_used_nor_changed():
    expected = plots.curves(history(3), ClassTable(NAMES)).tobytes()
    with matplotlib.rc_context({"lines.linewidth": 9, "axes.grid": True, "font.size": 30}):
        before = dict(matplotlib.rcParams)
        assert plots.curves(history(3), ClassTable(NAMES)).tobytes() == expected
        assert dict(matplotlib.rcParams) == before


def test_plots_are_imported_without_matplotlib_and_say_where_it_is_missing(monkeypatch):
    code = (
        "from maskforge.pictures import plots\nimport sys\nassert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert plots.missing() == ""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert plots.missing().endswith(f": {extras.install('train', 'matplotlib')}")
    assert len(plots.missing().splitlines()) == 1


@pytest.mark.parametrize("count", [2, 3, 5, 12, 21, 40, 60, 81, 300])
@pytest.mark.parametrize("counts", [False, True])
def test_texts_of_a_confusion_matrix_are_whole(count, counts):
    names = ["_background_", LONG, *(f"class {n}" for n in range(count))][:count]
    matrix = np.random.default_rng(0).integers(0, 10**7, (count, count)) ** 2
    figure = drawing(plots._confusion, matrix, names, counts=counts)
    check_within(figure)
    texts = said(figure)
    assert texts.count("background") == 2
    assert "rows: truth · columns: prediction · cells: percent of the row" in texts
    if count <= 81:  # of more classes only some are named
        cut = [text for text in texts if "…" in text]
        assert len(cut) == 2
        assert all(text.startswith("a class") and text.endswith("end") for text in cut)


def test_a_confusion_matrix_has_percent_of_its_rows_and_a_column_for_nothing():
    matrix = np.array([[9999, 1, 0], [1, 1, 6], [0, 0, 0]])
    figure = drawing(plots._confusion, matrix[:2], ["a", "b"], counts=True)
    texts = said(figure)
    assert "nothing" in texts
    assert {"99.9\n10k", "12.5\n1", "75.0\n6"} <= set(texts)
    image = np.asarray(plots.confusion(matrix, ["a", "b", "c"]))
    cell = 64

    def middle(row, column):
        height, width = image.shape[:2]
        y, x = height - 24 - (3 - row) * cell + 8, width - 24 - (3 - column) * cell + 8
        wide = width - 24 - 3 * cell  # the heading may be wider than the cells
        if (image[-30, wide + 8] == lettering.PANEL).all():
            left = next(c for c in range(width) if (image[-30, c] == plots._EMPTY).all())
            x = left + column * cell + 8
        return image[y, x].tolist()

    assert middle(0, 0) == pytest.approx(plots._RIGHT, abs=2)
    assert middle(2, 1) == list(plots._EMPTY)
    assert middle(1, 2)[0] > middle(1, 0)[0] > plots._EMPTY[0]


@pytest.mark.parametrize(
    ("share", "fine", "shown"),
    [
        *((1.0, True, "100"), (1.0, False, "100"), (0.99996, True, "99.9")),
        *((0.996, False, "99"), (0.0005, False, "0.1"), (0.126, False, "13"), (0.5, True, "50.0")),
    ],
)
def test_percent_in_a_cell(share, fine, shown):
    assert plots._in_cell(share, fine=fine) == shown


@pytest.fixture
def one_letter(tmp_path, monkeypatch):
    """A font of the system, the only one with the letter 人."""
    from fontTools.ttLib import TTFont

    path = tmp_path / "one.ttf"
    with TTFont(plots._usual(12).path) as made:
        for table in made["cmap"].tables:
            if table.isUnicode():
                table.cmap[ord("人")] = "A"
        made.save(path)
    monkeypatch.setattr(lettering, "_system_fonts", lambda: (str(path),))
    lettering.legible.cache_clear()
    yield path
    lettering.legible.cache_clear()


def test_letters_that_only_another_font_has(one_letter):
    figure = drawing(plots._confusion, np.eye(2, dtype=np.int64), ["人", "車"], counts=False)
    check_within(figure)
    fonts = {text.get_text(): text.get_fontproperties().get_file() for text, _ in extents(figure)}
    assert fonts["人"] == str(one_letter)
    assert fonts["[8ECA]"] == plots._usual(12).path  # no font has it
    plots.confusion(np.eye(2, dtype=np.int64), ["人", "\x1b[31m\ud800"])


def test_a_font_that_matplotlib_cannot_read_is_not_used(one_letter, monkeypatch):
    monkeypatch.setattr(plots, "_opens", lambda face: False)
    figure = drawing(plots._confusion, np.eye(2, dtype=np.int64), ["人", "a"], counts=False)
    assert "[4EBA]" in said(figure)
    assert isinstance(plots.confusion(np.eye(2, dtype=np.int64), ["人", "a"]), Image.Image)
