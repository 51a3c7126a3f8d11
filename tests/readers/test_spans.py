"""Where members stand is what json finds, whatever the window; what is damaged is refused."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskforge.errors import ReadError
from maskforge.readers import _spans

WANTED = ("images", "things")
WINDOWS = (1, 2, 7, 64, 1 << 22)


def reading(data: bytes, most: int | None = None) -> Callable[[int], bytes]:
    """Return what reads ``data``, at most so many bytes at once, whatever one asks for."""
    file = io.BytesIO(data)
    return lambda size: file.read(size if most is None else min(size, most))


def found(data: bytes, *, window: int = 1 << 22, most: int | None = None) -> dict[str, list[Any]]:
    """Return the members of each list that has any, decoded; where they stand is checked."""
    lists: dict[str, list[Any]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_spans, "WINDOW", window)
        for some in _spans.members(reading(data, most), WANTED):
            own = lists.setdefault(some.key, [])
            assert some.first == len(own)
            assert len(some.start) == len(some.stop) > 0
            pieces = []
            for number, (place, piece) in enumerate(some.one_by_one(), start=some.first):
                assert place == f"{some.key}[{number}]"
                at = int(some.start[number - some.first]) + some.offset
                assert data[at : at + len(piece)] == piece
                pieces.append(json.loads(piece))
            assert json.loads(some.joined) == pieces
            own += pieces
    return lists


def expected(document: dict[str, Any]) -> dict[str, list[Any]]:
    return {key: document[key] for key in WANTED if document.get(key)}


# Texts that look like structure, with quotes behind every number of backslashes.
texts = st.text(alphabet='[]{}",:\\ aé人\U0001f600\n\u2028', max_size=9)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
members = st.dictionaries(texts, values, max_size=3) | st.lists(values, max_size=3)
others = st.dictionaries(texts.filter(lambda key: key not in WANTED), values, max_size=3)
lists = st.dictionaries(st.sampled_from(WANTED), st.lists(members, max_size=4))


@st.composite
def documents(draw: st.DrawFn) -> tuple[dict[str, Any], bytes]:
    """Return a document and its text, the keys in any order, with spaces or without."""
    both = draw(others) | draw(lists)
    ordered = {key: both[key] for key in draw(st.permutations(sorted(both)))}
    text = json.dumps(
        ordered,
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.sampled_from([None, 0, 3, "\t"])),
        separators=draw(st.sampled_from([None, (",", ":"), ("\t,\r\n", "\r\n: ")])),
    )
    around = draw(st.sampled_from(["", " ", "\r\n\t "]))
    mark = draw(st.sampled_from(["", "\ufeff"]))
    return ordered, f"{mark}{around}{text}{around}".encode()


@given(documents(), st.sampled_from(WINDOWS), st.sampled_from([None, 1, 3, 50]))
def test_members_are_those_of_json_whatever_is_read_at_once(
    written: tuple[dict[str, Any], bytes], window: int, most: int | None
) -> None:
    document, data = written
    assert found(data, window=window, most=most) == expected(document)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize(
    "text",
    [
        '{"things": [{"a": "]}"}, {"b": "\\"}"}, [{"c": "\\\\"}], {}, []], "n": "]"}',
        '{"things":[],"images":[ ],"x":{"things":[{"deep":1}]},"y":[[{"images":[{}]}]]}',
        '{"a": "\\", \\"things\\": [", "things": [{"k": [[[{}]]]}], "z": {"things": []}}',
        '{"th\\u0069ngs": [{"escaped": true}], "th\\"ings": [{}], "images": null}',
        '{"": [{}], "images": [{"é": "人"}, {"\\\\": "\\\\\\""}], "thing": [{}]}',
        '{"x": "things", "y": ":", "images" \n:\t[{"a": 1}]}',
    ],
)
def test_what_looks_like_structure_inside_of_texts_is_none(text: str, window: int) -> None:
    assert found(text.encode(), window=window) == expected(json.loads(text))


SMALL = b' {"n": 1, "things": [{"a": [1, "\\"]"]}, {"b": {}}], "images": [[2]], "o": {"p": "q"}}'


@pytest.mark.parametrize("window", WINDOWS)
def test_a_document_cut_off_anywhere_is_torn(window: int) -> None:
    assert found(SMALL, window=window) == {"things": [{"a": [1, '"]']}, {"b": {}}], "images": [[2]]}
    for end in range(len(SMALL)):
        with pytest.raises(_spans.TornError):
            found(SMALL[:end], window=window)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize(
    "data",
    [
        SMALL + SMALL,
        SMALL + b"]",
        SMALL + b"}",
        SMALL + b"x",
        SMALL + b'""',
        SMALL + b"\0",
        SMALL + b"[]",
        b"x" + SMALL,
        b'"x"' + SMALL,
        b"]" + SMALL,
        b"1," + SMALL,
        b"",
        b" \n",
        b"5",
        b'"things"',
        b'{"a": {}, {}}',
        b'{[{"a": 1}]}',
        b'{"things" [{"a": 1}]}',
        b'{"things": 5 [{"a": 1}]}',
        b'{"\\x": [{"a": 1}]}',
        b'{"things": [{}]]}',
    ],
)
def test_what_is_not_one_object_is_torn(data: bytes, window: int) -> None:
    with pytest.raises(_spans.TornError):
        found(data, window=window)


@pytest.mark.parametrize("more", [SMALL, b"]", b"x"])
def test_what_comes_in_a_window_of_its_own_behind_the_end_is_seen(more: bytes) -> None:
    with pytest.raises(_spans.TornError):
        found(SMALL + more, window=len(SMALL))


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("data", [b'[{"image_id": 1}]', b" []", b'\xef\xbb\xbf[["x"]]'])
def test_a_list_is_called_results_of_a_detector(data: bytes, window: int) -> None:
    with pytest.raises(ReadError, match="but is a list, as results of a detector") as caught:
        found(data, window=window)
    assert caught.value.code == "wrong-format"


@pytest.mark.parametrize("window", WINDOWS)
def test_a_wanted_key_must_have_a_list(window: int) -> None:
    with pytest.raises(ReadError, match="things: must be a list, but got an object"):
        found(b'{"things": {"1": {"a": 2}}}', window=window)
    assert found(b'{"things": 7, "images": "[{}]"}', window=window) == {}


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("stranger", ["7", "null", '"[x"', "x"])
@pytest.mark.parametrize("place", ["S, {}, {}", "{}, S, {}", "{}, {}, S", "S", "{} S", "S {}"])
def test_other_members_of_a_wanted_list_are_refused(stranger: str, place: str, window: int) -> None:
    data = f'{{"n": 0, "things": [{place.replace("S", stranger)}]}}'.encode()
    with pytest.raises(ReadError, match="must be a list of objects") as caught:
        found(data, window=window)
    assert caught.value.place == "things"


def test_what_stands_between_members_is_shown_with_its_place() -> None:
    data = b'{"things": [{}, [], 12 , {}]}'
    with pytest.raises(ReadError, match=r"but before \[2\] there is 12$"):
        found(data)
    (some,) = _spans.members(reading(data), WANTED)
    assert some.joined == b"[{}, [], 12 , {}]"


def test_the_numbers_of_members_go_on_from_window_to_window() -> None:
    data = b'{"things": [{}, {"a": 1}, {"b": [2]}], "images": [{"c": 3}]}'
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_spans, "WINDOW", 14)
        some = list(_spans.members(reading(data), WANTED))
    assert [(one.key, one.first, one.joined) for one in some] == [
        ("things", 0, b"[{}]"),
        ("things", 1, b'[{"a": 1}]'),
        ("things", 2, b'[{"b": [2]}]'),
        ("images", 0, b'[{"c": 3}]'),
    ]


def test_a_member_beyond_the_limit_is_refused_by_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_spans, "WINDOW", 8)
    monkeypatch.setattr(_spans, "MOST", 40)
    fits = b'{"things": [{"a": "%b"}, {"b": "%b"}]}'
    assert len(found_now(fits % (b"x" * 9, b"y" * 9))) == 2
    with pytest.raises(ReadError, match="must be at most 40 bytes") as caught:
        found_now(fits % (b"x" * 9, b"y" * 90))
    assert (caught.value.code, caught.value.place) == ("too-large", "things[1]")
    with pytest.raises(ReadError) as caught:
        found_now(b'{"other": "%b"}' % (b"x" * 90))
    assert (caught.value.code, caught.value.place) == ("too-large", "$")


def found_now(data: bytes) -> list[bytes]:
    some = list(_spans.members(reading(data), WANTED))
    return [piece for one in some for _, piece in one.one_by_one()]


def test_a_file_of_any_size_is_looked_at_in_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_spans, "WINDOW", 64)
    monkeypatch.setattr(_spans, "MOST", 128)
    asked: list[int] = []
    data = b'{"things": [%b]}' % b", ".join(b'{"a": %d}' % i for i in range(500))
    read = reading(data)

    def noted(size: int) -> bytes:
        asked.append(size)
        return read(size)

    some = list(_spans.members(noted, WANTED))
    assert sum(len(one.start) for one in some) == 500
    assert set(asked) == {64}
    assert max(len(one.data) for one in some) < 128


def test_a_long_member_is_read_in_ever_larger_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_spans, "WINDOW", 16)
    asked: list[int] = []
    read = reading(b'{"things": [{"a": "%b"}]}' % (b"x" * 1000))

    def noted(size: int) -> bytes:
        asked.append(size)
        return read(size)

    assert len(list(_spans.members(noted, WANTED))) == 1
    assert len(asked) < 12


@pytest.mark.parametrize("window", WINDOWS)
def test_characters_across_the_edge_of_a_window_are_whole(window: int) -> None:
    text = '{"things": [{"é人\U0001f600": "\U0001f600人é"}]}'
    assert found(text.encode(), window=window) == expected(json.loads(text))


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"\xe4\xba", b"\x80", b"\xed\xa0\x80"])
def test_what_is_no_utf8_is_refused(bad: bytes, window: int) -> None:
    for data in (b'{"things": [{"a": "%b"}]}' % bad, SMALL + bad, bad + SMALL):
        with pytest.raises(UnicodeDecodeError):
            list(_windowed(data, window))


def _windowed(data: bytes, window: int) -> list[_spans.Members]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_spans, "WINDOW", window)
        return list(_spans.members(reading(data), WANTED))


def test_a_text_of_very_many_quotes_or_backslashes_is_gone_through_once() -> None:
    quotes, slashes = b'\\"' * 60_000, b"\\\\" * 60_000
    data = b'{"a": "%b", "b": "%b", "things": [{"c": "%b"}]}' % (quotes, slashes, slashes + quotes)
    ((_, piece),) = next(_spans.members(reading(data), WANTED)).one_by_one()
    assert len(piece) == 2 * 120_000 + 9
