"""Messages in Python name what is typed in Python."""

from __future__ import annotations

import pytest

import maskforge
from maskforge.api import words
from maskforge.errors import Problem, UsageError


@pytest.mark.parametrize(
    ("typed", "python"),
    [
        ("choose --overwrite to replace it", "choose overwrite=True to replace it"),
        ("or another --out", "or another out="),
        ("--resume goes on with it, --out is", "resume=True goes on with it, out= is"),
        ("with --no-previews.", "with previews=False."),
        ("--images link or none takes", 'images="link" or none takes'),
        ("write --as label, which", 'write as_="label", which'),
        ("--bad-shape skip", 'bad_shape="skip"'),
        ("raise --max-pixels if it is right", "raise max_pixels= if it is right"),
        ("say --ignore 255 if", "say ignore=255 if"),
        ("give --labels 0:sky,7:road", 'give labels="0:sky,7:road"'),
        ("if they are one class: --map Cat=cat", 'if they are one class: map=["Cat=cat"]'),
        ("--map 'cell_*=cell'", 'map=["cell_*=cell"]'),
        ("--map traffic light,car=thing", 'map=["traffic light,car=thing"]'),
        ("with --attribute NAME", 'with attribute="NAME"'),
        ("without --option batch_norm=false", 'without options={"batch_norm": False}'),
        ("train with --precision float32", 'train with precision="float32"'),
        ("with --keep: dog, cat", "with keep=: dog, cat"),
        ("choose --device cpu", 'choose device="cpu"'),
        ("(--scale 0.75,1.5)", "(scale=(0.75, 1.5))"),
        ("choose --unknown skip|ignore", 'choose unknown="skip" or "ignore"'),
        ("with --resume-from runs/old to go on", 'with resume_from="runs/old" to go on'),
        ("maskforge coco --boxes fill fills", 'format="coco", boxes="fill" fills'),
        ("or --assume-size WxH", "or assume_size=(W, H)"),
        ("with --size 128x96.", "with size=(128, 96)."),
        ("maskforge inspect shows it", "maskforge.inspect shows it"),
        ("made into masks first: maskforge convert", "made into masks first: maskforge.convert"),
        ("name the format: maskforge coco, via", 'name the format: format="coco", via'),
        ("maskforge via dir/a b.json", 'maskforge.convert("dir/a b.json", format="via")'),
        ("give it: maskforge labelme 'a b'", 'give it: maskforge.convert("a b", format="labelme")'),
        ("but maskforge did not make it", "but maskforge did not make it"),
        ("of maskforge 0.1, or", "of maskforge 0.1, or"),
        ("a -- b, not--this, ---", "a -- b, not--this, ---"),
        ("", ""),
    ],
)
def test_an_option_becomes_a_parameter(typed: str, python: str) -> None:
    assert words.in_python(typed) == python
    assert words.in_python(python) == python


def test_options_of_a_reader_stand_where_convert_takes_them() -> None:
    said = words.in_python("say --attribute NAME", own="reader_options")
    assert said == 'say reader_options={"attribute": "NAME"}'
    assert words.in_python("choose --size", own="reader_options") == "choose size="


def test_an_error_keeps_its_kind_and_is_reworded_once() -> None:
    @words.python()
    def inner() -> None:
        raise UsageError("--style must not be given", file="a", place="b", cure="add --as color")

    with pytest.raises(UsageError) as caught:
        inner()
    assert caught.value.message == "style= must not be given"
    assert caught.value.args == ("style= must not be given",)
    assert caught.value.cure == 'add as_="color"'
    assert (caught.value.file, caught.value.place) == ("a", "b")


def test_the_command_line_hears_its_own_words() -> None:
    problem = Problem("bad-field", "a.json", "no --x", cure="choose --resume")
    with words.typed():
        assert words.problems([problem]) == (problem,)
        with pytest.raises(UsageError, match="--resume"), words.python():
            raise UsageError("choose --resume")
    assert words.problems([problem])[0].cure == "choose resume=True"


def test_what_is_raised_for_users_speaks_python(tmp_path) -> None:
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(UsageError, match='overlap="keep" must not be given for label masks') as no:
        maskforge.convert(tmp_path, format="labelme", overlap="keep", as_="label")
    assert no.value.cure == 'add as_="onehot"'
