"""The tables of mistakes are about the code as it is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
from areas import AREAS
from explained import EQUIVALENT, reason_of
from named import NAMED
from operators import OPERATORS, mutants

ROOT = Path(__file__).parents[2]


def made(file: str, source: str) -> set[tuple[str, str, str]]:
    return {(m.operator, m.before, m.after) for m in mutants(file, source.encode())}


def test_every_mistake_that_is_listed_can_be_made() -> None:
    for named in NAMED:
        assert (ROOT / "maskforge" / named.file).read_text().count(named.before) == 1, named.name


def test_every_file_and_test_that_is_listed_is_there() -> None:
    tests = [group for named in NAMED for group in named.tests]
    for area in AREAS.values():
        tests += [*area.wider, *area.files.values()]
        for file in area.files:
            assert (ROOT / "maskforge" / file).is_file(), file
    for path in {path for group in tests for path in group.split()}:
        assert (ROOT / "tests" / path).exists(), path


def test_every_reason_is_that_of_a_mutant() -> None:
    told = {
        reason_of(mutant)
        for file in {one.file for one in EQUIVALENT}
        for mutant in mutants(f"maskforge/{file}", (ROOT / "maskforge" / file).read_bytes())
    }
    assert [one for one in EQUIVALENT if one.reason not in told] == []


def test_the_mistakes_by_hand() -> None:
    source = """
        def area(a, b, *, most: int = 3) -> int:
            'The text is 3.'
            if a < b or not a is b:
                raise ValueError(f'{a} < 3')
            total = f(a, b, most=b)
            total += 0.5
            return total if 'é' not in a else -1
    """
    text = "\n".join(line[8:] for line in source.splitlines())
    assert made("a.py", text) == {
        ("constant", "3", "4"),
        ("comparison", "<", ">="),
        ("boundary", "<", "<="),
        ("comparison", "is", "is not"),
        ("comparison", "not ", ""),
        ("dropped statement", text[text.index("if a <") : text.index("\n    total =")], "pass"),
        ("swapped arguments", "a, b", "b, a"),
        ("dropped statement", "total += 0.5", "pass"),
        ("constant", "0.5", "1.0"),
        ("comparison", "not in", "in"),
        ("constant", "1", "2"),
    }


def test_what_no_test_should_see_is_left_alone() -> None:
    source = """
        from a import b
        __all__ = ["a", 1]
        Kind: TypeAlias = Literal[1]
        @cache(maxsize=3)
        def f(a: int | Literal[3] = None) -> Literal[4]:
            assert a == 3, "text"
            if os.name == "nt":
                return 3
            for x in zip(a, strict=True):
                raise Error(3)
            return Problem("a", 3)
    """
    text = "\n".join(line[8:] for line in source.splitlines())
    assert made("a.py", text) == set()


@pytest.mark.parametrize("file", ["io/exchange.py", "raster/overlap.py", "training/losses.py"])
def test_a_mutant_is_a_patch_that_still_is_python(file: str) -> None:
    source = (ROOT / "maskforge" / file).read_bytes()
    found = list(mutants(file, source))
    assert {mutant.operator for mutant in found} == set(OPERATORS)
    for mutant in found:
        changed = mutant.applied(source)
        compile(changed, file, "exec")
        assert changed != source
        kept = len(source) - (mutant.end - mutant.start)
        assert len(changed) == kept + len(mutant.after.encode())
        assert source[mutant.start : mutant.end].decode() == mutant.before
