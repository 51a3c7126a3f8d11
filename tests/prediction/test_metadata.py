"""What an exported network says about itself: read back as it was, or refused with its place."""

from dataclasses import replace
from pathlib import Path

import pytest
from training import synthetic

from maskforge.classes import ClassTable
from maskforge.errors import ReadError
from maskforge.prediction.metadata import Metadata

FILE = Path("net.onnx")
WHOLE = Metadata(
    synthetic.config(size=(96, 64), val=0.3),
    ClassTable.from_names(["__ignore__", "äpfel", "box"]),
    16,
    "fingerprint",
)


def test_it_is_read_back_as_it_was():
    assert Metadata.from_strings(WHOLE.to_strings(), file=FILE) == WHOLE


def test_of_0_1_the_names_that_were_shown_are_the_classes():
    texts = WHOLE.to_strings() | {"maskforge.names": '["sky", "äpfel", "box"]'}
    found = Metadata.from_strings(texts, file=FILE).classes
    assert (found.names, found.background) == (("sky", "äpfel", "box"), None)


def test_the_path_of_encoder_weights_is_not_told():
    config = replace(WHOLE.config, options={"width": 4, "encoder_weights": "/home/me/a.pth"})
    texts = replace(WHOLE, config=config).to_strings()
    assert "/home/me" not in str(texts)
    assert Metadata.from_strings(texts, file=FILE).config.options == {"width": 4}


def test_what_does_not_say_what_it_is():
    with pytest.raises(ReadError, match="must say of itself that it is maskforge-network/1") as e:
        Metadata.from_strings({"author": "somebody"}, file=FILE)
    assert e.value.cure == "export it with maskforge export"
    assert e.value.code == "wrong-format"


@pytest.mark.parametrize(
    ("key", "text", "said"),
    [
        ("divisor", None, "it is missing"),
        ("divisor", "0", "within 1 … 4096, but got '0'"),
        ("divisor", "9" * 5000, "within 1 … 4096"),
        ("divisor", "x", "invalid literal"),
        ("names", '"box"', "there must be 3 names, a list of text, but got str"),
        ("names", "[1, 2, 3]", "there must be 3 names"),
        ("names", '["a", "b"]', "there must be 3 names"),
        ("names", "[" * 100_000, "recursion"),
        ("classes", "box\nbox\n", "must occur once"),
        ("config", "[]", "must be a JSON object"),
        ("config", '{"batch": 0}', "batch must be within"),
    ],
)
def test_malformed_texts_are_named(key, text, said):
    texts = WHOLE.to_strings()
    if text is None:
        del texts[f"maskforge.{key}"]
    else:
        texts[f"maskforge.{key}"] = text
    with pytest.raises(ReadError, match=said) as error:
        Metadata.from_strings(texts, file=FILE)
    assert error.value.place == f"metadata maskforge.{key}"
    assert error.value.cure == "export it with maskforge export"


def test_the_texts_are_not_endless():
    with pytest.raises(ReadError, match="at most 16777216 characters"):
        Metadata.from_strings({**WHOLE.to_strings(), "more": "x" * 2**24}, file=FILE)
