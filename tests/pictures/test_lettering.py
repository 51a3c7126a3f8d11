"""Text in any script, on one line, cut where its beginning and its end can still be read."""

from __future__ import annotations

import pytest

from maskforge.pictures import lettering


def test_names_in_any_script_are_told_apart(monkeypatch):
    """By a font of the system that has the letters, else by their numbers."""
    font = lettering.font(17)  # of a size of its own: what is found is remembered
    assert lettering.legible("cat", font, 17) == ("cat", font)
    monkeypatch.setattr(lettering, "_system_fonts", tuple)
    for name, shown in (("车 a", "[8F66] a"), ("Café", "Cafe"), ("Straße", "Stra[DF]e")):
        assert lettering.legible(name, font, 17) == (shown, font)


@pytest.mark.parametrize(
    ("name", "shown"), [("a\x1b[31mb", "a[1B][31mb"), ("a\ud800", "a[D800]"), ("\x00", "[0]")]
)
def test_what_no_font_shows_is_spelled(name, shown):
    assert lettering.line(name, lettering.font(13), 13, 1000)[0] == shown


@pytest.mark.parametrize("text", ["人" * 300, "left of " + "x" * 10**6 + " right", "abcdefghij"])
def test_what_is_too_long_is_cut_in_the_middle(text):
    font = lettering.font(13)
    cut, face = lettering.line(text, font, 13, 60)
    assert face.getlength(cut) <= 60
    assert "…" in cut
    assert cut[0] + cut[-1] == text[0] + text[-1] or "[" in cut
    assert lettering.line("two\nlines  and\tmore", font, 13, 1000)[0] == "two lines and more"
    assert lettering.shortened("abc", font, 1) == "…"


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0, "0.0 %"), (1, "100.0 %"), (0.4321, "43.2 %"), (0.0004, "<0.1 %"), (0.9996, ">99.9 %")],
)
def test_percent(share, shown):
    assert lettering.percent(share) == shown
