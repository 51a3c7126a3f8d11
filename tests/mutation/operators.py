"""Small mistakes in source text: where one can be made, and what the text is with it.

A mutant is a patch of the text, so that all but the mistake stays byte for byte. Nothing is
mutated that no test could or should see: docstrings, annotations, decorators, f-strings, asserts,
what an error or a problem says, code for other systems.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake: the bytes from ``start`` to before ``end`` of ``file`` become ``after``.

    where: the function it is in, "" for none; line: from 1, where it begins; text: that line.
    """

    file: str
    line: int
    where: str
    operator: str
    start: int
    end: int
    before: str
    after: str
    text: str

    def applied(self, source: bytes) -> bytes:
        """Return ``source`` with the mistake."""
        return source[: self.start] + self.after.encode() + source[self.end :]

    def rank(self, seed: int) -> str:
        """Return what orders mutants at random; edits elsewhere in the file do not change it."""
        parts = (seed, self.file, self.where, self.text.strip(), self.operator, self.after)
        return sha256(repr(parts).encode()).hexdigest()


class Text:
    """Source text with the places of its nodes."""

    def __init__(self, file: str, source: bytes) -> None:
        self.file = file
        self.source = source
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Return where ``node`` begins and ends, in bytes."""
        first = self._lines[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
        last = self._lines[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]
        return first, last

    def of(self, start: int, end: int) -> str:
        """Return the text between two places."""
        return self.source[start:end].decode()

    def mutant(self, operator: str, where: str, start: int, end: int, after: str) -> Mutant:
        """Return the mutant that has ``after`` between two places."""
        line = self.source.count(b"\n", 0, start)
        text = self.of(self._lines[line], self._lines[line + 1]).rstrip("\n")
        before = self.of(start, end)
        return Mutant(self.file, line + 1, where, operator, start, end, before, after, text)


Patch = tuple[int, int, str]
"""Where the text changes, and what is there then."""

_TURNED = {
    "==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">",
    "is": "is not", "is not": "is", "in": "not in", "not in": "in",
}  # fmt: skip
_MOVED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_SIGNS = re.compile(r"is\s+not\b|not\s+in\b|is\b|in\b|==|!=|<=|>=|<|>")

_NOT = re.compile(r"not\s*")


def _signs(text: Text, node: ast.AST) -> Iterator[tuple[int, int, str]]:
    if not isinstance(node, ast.Compare):
        return
    for left, right in pairwise([node.left, *node.comparators]):
        begin = text.span(left)[1]
        found = _SIGNS.search(text.of(begin, text.span(right)[0]))
        if found is not None:
            sign = " ".join(found.group().split())
            yield begin + found.start(), begin + found.end(), sign


def comparison(text: Text, node: ast.AST) -> Iterator[Patch]:
    """A condition that says the opposite."""
    for start, end, sign in _signs(text, node):
        yield start, end, _TURNED[sign]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        start, end = text.span(node)
        yield start, start + len(_NOT.match(text.of(start, end)).group()), ""  # type: ignore[union-attr]


def boundary(text: Text, node: ast.AST) -> Iterator[Patch]:
    """A limit that is on the other side."""
    for start, end, sign in _signs(text, node):
        if sign in _MOVED:
            yield start, end, _MOVED[sign]


def constant(text: Text, node: ast.AST) -> Iterator[Patch]:
    """A number that is one more, or twice as much; True for False."""
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        yield *text.span(node), str(not value)
    elif isinstance(value, int):
        yield *text.span(node), str(value + 1)
    elif isinstance(value, float):
        yield *text.span(node), repr(value * 2 or 1.0)


_ANY_ORDER = {
    "max", "min", "maximum", "minimum", "samestat", "samefile", "isinstance", "issubclass",
    "getattr", "hasattr", "setattr", "cast",
}  # fmt: skip
"""Calls whose arguments have no order, or fail at once in another one."""


def swapped_arguments(text: Text, node: ast.AST) -> Iterator[Patch]:
    """Two neighbours among the arguments of a call that change places."""
    if not isinstance(node, ast.Call) or _name(node.func) in _ANY_ORDER:
        return
    named = [keyword.value for keyword in node.keywords if keyword.arg]
    for values in (node.args, [v for v in named if not isinstance(v, ast.Constant)]):
        for one, other in pairwise(values):
            if isinstance(one, ast.Starred) or isinstance(other, ast.Starred):
                continue
            (a, b), (c, d) = text.span(one), text.span(other)
            if text.of(a, b) != text.of(c, d):
                yield a, d, text.of(c, d) + text.of(b, c) + text.of(a, b)


def dropped_statement(text: Text, node: ast.AST) -> Iterator[Patch]:
    """A statement that is not there: a call, a guard, what changes a value that is there."""
    match node:
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Continue() | ast.Break():
            yield *text.span(node), "pass"
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield *text.span(node), "pass"
        case ast.If(test=test, body=[*_, ast.Return() | ast.Raise() | ast.Continue()], orelse=[]):
            if _system_of(test):
                return
            yield *text.span(node), "pass"


OPERATORS: dict[str, Callable[[Text, ast.AST], Iterator[Patch]]] = {
    "comparison": comparison,
    "boundary": boundary,
    "constant": constant,
    "swapped arguments": swapped_arguments,
    "dropped statement": dropped_statement,
}


def mutants(file: str, source: bytes) -> Iterator[Mutant]:
    """Yield every mutant of ``source``, the text of ``file``."""
    text = Text(file, source)
    for node, where in _nodes(ast.parse(source), ""):
        if isinstance(node, ast.Assign) and where.endswith("__init__"):
            continue  # what is missing from the beginning fails at once
        for name, operator in OPERATORS.items():
            for start, end, after in operator(text, node):
                yield text.mutant(name, where, start, end, after)


def _nodes(node: ast.AST, where: str) -> Iterator[tuple[ast.AST, str]]:
    yield node, where
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        where = f"{where}.{node.name}".lstrip(".")
    for child in _children(node):
        if not _is_left_alone(child):
            yield from _nodes(child, where)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.If(test=test, body=body, orelse=orelse):
            system = _system_of(test)
            yield from [] if system else [test]
            yield from body if system in ("", "linux") else []
            yield from orelse
        case ast.IfExp(test=test) if _system_of(test):
            return
        case ast.FunctionDef(args=arguments, body=body):
            yield from [*arguments.defaults, *filter(None, arguments.kw_defaults), *body]
        case ast.ClassDef(body=body):
            yield from body
        case ast.AnnAssign(value=value):
            yield from [] if value is None else [value]
        case ast.Call(keywords=keywords) if any(k.arg == "strict" for k in keywords):
            kept = [k.value for k in keywords if k.arg != "strict"]  # of zip: says what is known
            yield from [node.func, *node.args, *kept]
        case _:
            yield from ast.iter_child_nodes(node)


def _is_left_alone(node: ast.AST) -> bool:
    match node:
        case ast.Raise() | ast.Assert() | ast.JoinedStr() | ast.Import() | ast.ImportFrom():
            return True
        case ast.AnnAssign(annotation=ast.Name(id="TypeAlias")):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.Call(func=func):
            return bool(re.search(r"(Error|[Pp]roblem|said|write_error)$", _name(func)))
    return False


def _system_of(test: ast.AST) -> str:
    """Return the system that a condition asks for, "another" for one it excludes, "" for none."""
    for node in ast.walk(test):
        match node:
            case ast.Compare(
                left=ast.Attribute(value=ast.Name(id="os" | "sys"), attr="name" | "platform"),
                ops=[sign],
                comparators=[ast.Constant(value=str(system))],
            ):
                return system if isinstance(sign, ast.Eq) else "another"
    return ""


def _name(func: ast.AST) -> str:
    match func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
