"""The opcodes of a pickle of NumPy arrays, read as data: nothing is imported, nothing is called.

``numpy.save`` of a dictionary writes a pickle, and a pickle is a program that the reader's
unpickler runs. Here the few opcodes that such a file needs (protocols 3 to 5, see pickletools) move
plain values on a stack; the functions it names are understood as names only, and anything else is
refused. Array data stays in the file: an array is a place in it, so memory does not depend on the
sizes that a file declares.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from maskforge.errors import ReadError

MAX_STEPS = 4_000_000
"""Opcodes in one file; an image takes some thirty."""

_MAX_EMPTY = 1 << 24  # an array without elements may still make others as long as its sides

MAX_TEXT = 65_536
"""Bytes in one string."""

_FUNCTIONS = {
    ("numpy", "ndarray"): "ndarray",
    ("numpy", "dtype"): "dtype",
    ("numpy.core.multiarray", "_reconstruct"): "_reconstruct",
    ("numpy._core.multiarray", "_reconstruct"): "_reconstruct",
    ("numpy.core.numeric", "_frombuffer"): "_frombuffer",
    ("numpy._core.numeric", "_frombuffer"): "_frombuffer",
}
OBJECT = "O8"
_DTYPES = frozenset(f"b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 {OBJECT}".split())


@dataclass(frozen=True, slots=True)
class Function:
    """The name of a function that the pickle wants called."""

    name: str


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes that stay in the file."""

    offset: int
    size: int


@dataclass(slots=True)
class Dtype:
    """A dtype, such as "u1" or, for objects, "O8", and its byte order."""

    code: str
    order: str = "|"


@dataclass(slots=True)
class Array:
    """An array; its data are a place in the file, or a list of objects, or not yet known."""

    shape: tuple[int, ...] = ()
    dtype: Dtype | None = None
    fortran: bool = False
    data: Blob | list[object] | None = None


def arrays(file: BinaryIO, *, size: int) -> dict[str, Array]:
    """Return the arrays by name that the pickle at the position of ``file`` holds.

    The pickle must be an array of objects () with one dictionary from strings to arrays of
    numbers in it, as ``numpy.save`` writes one. size: bytes of the file. Raises ReadError.
    """
    match Machine(file, size=size).run():
        case Array(shape=(), data=[dict(named)]):
            pass
        case _:
            raise refused("something else than a dictionary")
    found: dict[str, Array] = {}
    claimed = 0
    for name, value in named.items():
        if not (
            isinstance(name, str) and isinstance(value, Array) and isinstance(value.data, Blob)
        ):
            raise refused(f"something else than an array of numbers for {str(name)[:80]!r}")
        found[name] = value
        claimed += value.data.size
    if claimed > size:  # by references to one and the same array, which each cost reading it again
        raise ReadError(
            f"its arrays claim {claimed:,} bytes, but it has {size:,}: some are shared",
            cure="save an array of its own for each image (array.copy())",
        )
    return found


class Machine:
    """Reads one pickle from ``file``, from its position to the STOP opcode."""

    def __init__(self, file: BinaryIO, *, size: int) -> None:
        self.file = file
        self.size = size
        self.stack: list[object] = []
        self.marks: list[int] = []
        self.memo: dict[int, object] = {}

    def run(self) -> object:
        """Return what the pickle holds. Raises ReadError for anything that is not arrays."""
        for _ in range(MAX_STEPS):
            opcode = self.file.read(1)
            if opcode == b".":
                return self.pop()
            act = _ACTIONS.get(opcode)
            if act is None:
                raise refused(f"opcode {opcode!r}" if opcode else "its end before it is complete")
            act(self)
        raise refused(f"more than {MAX_STEPS} steps")

    def pop(self) -> object:
        """Take the topmost value."""
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise refused("an empty stack")
        return self.stack.pop()

    def pop_mark(self) -> list[object]:
        """Take the values above the last mark."""
        if not self.marks:
            raise refused("a mark that is missing")
        place = self.marks.pop()
        values = self.stack[place:]
        del self.stack[place:]
        return values

    def pop_tuple(self, count: int) -> tuple[object, ...]:
        """Take the ``count`` topmost values, the topmost last."""
        return tuple([self.pop() for _ in range(count)][::-1])

    def put(self, place: int) -> None:
        """Remember the topmost value."""
        value = self.pop()
        self.push(value)
        self.memo[place] = value

    def get(self, place: int) -> None:
        """Lay a remembered value on top."""
        if place not in self.memo:
            raise refused("a reference to nothing")
        self.push(self.memo[place])

    def push(self, value: object) -> None:
        """Lay a value on top."""
        self.stack.append(value)

    def number(self, width: int, *, signed: bool = False) -> int:
        """Read a little-endian integer of ``width`` bytes."""
        data = self.file.read(width)
        if len(data) != width:
            raise refused("its end before it is complete")
        return int.from_bytes(data, "little", signed=signed)

    def text(self, width: int) -> str:
        """Read a string whose length is written in ``width`` bytes."""
        size = self.number(width)
        data = self.file.read(size) if size <= MAX_TEXT else b""
        if len(data) != size:
            raise refused(f"a string of {size} bytes")
        try:
            return data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise refused("a string that is not UTF-8") from None

    def blob(self, width: int) -> Blob:
        """Pass over bytes whose length is written in ``width`` bytes."""
        size, offset = self.number(width), self.file.tell()
        if size > self.size - offset:
            raise refused(f"{size} bytes where {self.size - offset} are left")
        self.file.seek(size, 1)
        return Blob(offset, size)


def refused(what: str) -> ReadError:
    """Return the error that a pickle which holds ``what`` is answered with."""
    return ReadError(
        f"the file must be a dictionary of arrays as numpy.save writes it, but it holds {what}",
        code="wrong-format",
    )


def _frame(machine: Machine) -> None:
    machine.number(8)  # how many bytes to read ahead; nothing here depends on it


def _protocol(machine: Machine) -> None:
    if not 2 <= machine.number(1) <= 5:
        raise refused("an unknown pickle protocol")


def _extend(machine: Machine, values: Sequence[object]) -> None:
    target = machine.pop()
    if not isinstance(target, list):
        raise refused("an item for what is no list")
    target.extend(values)
    machine.push(target)


def _update(machine: Machine, values: Sequence[object]) -> None:
    target = machine.pop()
    if not isinstance(target, dict) or len(values) % 2:
        raise refused("an entry for what is no dictionary")
    for key, value in zip(values[::2], values[1::2], strict=True):
        if not isinstance(key, str):
            raise refused("a key that is no string")
        target[key] = value
    machine.push(target)


def _function(module: object, name: object) -> Function:
    if not (isinstance(module, str) and isinstance(name, str)):
        raise refused("a call of what is no name")
    if (module, name) not in _FUNCTIONS:
        raise refused(f"a call of {f'{module}.{name}'[:80]!r}")
    return Function(_FUNCTIONS[module, name])


def _global(machine: Machine) -> None:
    names = [machine.file.readline(MAX_TEXT).decode("utf-8", "replace").strip() for _ in range(2)]
    machine.push(_function(*names))


def _stack_global(machine: Machine) -> None:
    name, module = machine.pop(), machine.pop()
    machine.push(_function(module, name))


def _reduce(machine: Machine) -> None:
    given, function = machine.pop(), machine.pop()
    match function, given:
        case Function("dtype"), (str(code), *_) if code in _DTYPES:
            machine.push(Dtype(code))
        case Function("_reconstruct"), (Function("ndarray"), (0,), Blob()):
            machine.push(Array())
        case Function("ndarray"), ((0,), str()):
            machine.push(Array())
        case Function("_frombuffer"), (data, Dtype() as dtype, shape, "C" | "F" as order):
            machine.push(_fill(Array(), shape, dtype, order == "F", data))
        case _:
            raise refused("a call that makes no array")


def _build(machine: Machine) -> None:
    state, target = machine.pop(), machine.pop()
    match target, state:
        case Dtype(), (int(), "<" | ">" | "|" | "=" as order, None, None, None, *_):
            target.order = order
        case Array(data=None), (1, shape, Dtype() as dtype, bool(fortran), data):
            _fill(target, shape, dtype, fortran, data)
        case _:
            raise refused("a state of something else than an array")
    machine.push(target)


def _fill(array: Array, shape: object, dtype: Dtype, fortran: bool, data: object) -> Array:
    """Set what ``array`` holds, after checking that the parts fit together."""
    if not (isinstance(shape, tuple) and len(shape) <= 8):
        raise refused("a shape that is none")
    if not all(type(n) is int and 0 <= n < 2**40 for n in shape):
        raise refused("a shape that is none")
    count = math.prod(shape)
    if count == 0 and math.prod(n or 1 for n in shape) > _MAX_EMPTY:
        raise refused("an empty array of absurd shape")
    if dtype.code == OBJECT:
        fits = isinstance(data, list) and len(data) == count
    else:
        fits = isinstance(data, Blob) and data.size == count * int(dtype.code[1])
    if not fits or not isinstance(data, (list, Blob)):
        raise refused(f"an array {shape} with other data than its shape needs")
    array.shape, array.dtype, array.fortran, array.data = shape, dtype, fortran, data
    return array


_ACTIONS: dict[bytes, Callable[[Machine], None]] = {
    b"\x80": _protocol,
    b"\x95": _frame,
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b")": lambda m: m.push(()),
    b"]": lambda m: m.push([]),
    b"}": lambda m: m.push({}),
    b"K": lambda m: m.push(m.number(1)),
    b"M": lambda m: m.push(m.number(2)),
    b"J": lambda m: m.push(m.number(4, signed=True)),
    b"\x8a": lambda m: m.push(m.number(min(m.number(1), 9), signed=True)),
    b"\x8c": lambda m: m.push(m.text(1)),
    b"X": lambda m: m.push(m.text(4)),
    b"\x8d": lambda m: m.push(m.text(8)),
    b"C": lambda m: m.push(m.blob(1)),
    b"B": lambda m: m.push(m.blob(4)),
    b"\x8e": lambda m: m.push(m.blob(8)),
    b"\x96": lambda m: m.push(m.blob(8)),
    b"q": lambda m: m.put(m.number(1)),
    b"r": lambda m: m.put(m.number(4)),
    b"\x94": lambda m: m.put(len(m.memo)),
    b"h": lambda m: m.get(m.number(1)),
    b"j": lambda m: m.get(m.number(4)),
    b"(": lambda m: m.marks.append(len(m.stack)),
    b"t": lambda m: m.push(tuple(m.pop_mark())),
    b"\x85": lambda m: m.push(m.pop_tuple(1)),
    b"\x86": lambda m: m.push(m.pop_tuple(2)),
    b"\x87": lambda m: m.push(m.pop_tuple(3)),
    b"a": lambda m: _extend(m, m.pop_tuple(1)),
    b"e": lambda m: _extend(m, m.pop_mark()),
    b"s": lambda m: _update(m, m.pop_tuple(2)),
    b"u": lambda m: _update(m, m.pop_mark()),
    b"c": _global,
    b"\x93": _stack_global,
    b"R": _reduce,
    b"b": _build,
}
"""What each opcode does; the names are those of pickletools, in the order of its groups."""
