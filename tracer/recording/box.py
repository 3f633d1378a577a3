"""What travels between the parts of one expression while it is recorded.

Variables, containers and arguments keep the program's own plain objects; only the temporaries inside
one expression are boxes.
"""

from __future__ import annotations

import contextlib
from functools import cache
from typing import Any

import numpy as np
from msgspec import Struct

from tracer.tape.node import Node, Site

#: Types of values that have nodes.
NUMBERS = (np.ndarray, np.generic, int, float, complex)
#: Types whose objects are shared, so that identity says nothing about where a value came from.
SHARED = (bool, np.bool_, int)


#: Whole numbers of as many bytes as an entry.
_WORDS = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}


class Place(Struct, frozen=True, gc=False):
    """An instrumented expression: its site, and the name or the operator that it is about."""

    site: Site
    name: str = ""
    scope: str = ""


class Box(Struct, eq=False, gc=False):
    """A plain value, its node if it has one, and the boxes of its items if it is a container just made."""

    value: Any
    node: Node | None = None
    place: Place | None = None
    items: list[Box] | None = None
    owner: Box | None = None

    def __bool__(self) -> bool:
        return bool(self.value)


#: Of types that were asked about: whether the type of the entries decides; ``None`` where nothing makes it a number.
_HAVE_ENTRIES: dict[type, bool | None] = {}


def is_number(value: Any) -> bool:
    """Whether a value has a node: numbers, arrays of numbers and ranges, but no arrays of objects."""
    try:
        entries = _HAVE_ENTRIES[type(value)]
    except (KeyError, TypeError):  # A class of the program may be one that cannot be a key.
        entries = _have_entries(type(value))
    return value.dtype.kind in "biufc" if entries else entries is not None


def _have_entries(kind: type) -> bool | None:
    answer = True if issubclass(kind, (np.ndarray, np.generic)) else None
    if answer is None and issubclass(kind, (int, float, complex, range)):
        answer = False
    with contextlib.suppress(TypeError):
        _HAVE_ENTRIES[kind] = answer
    return answer


#: Types of operands between which an operator of NumPy's or Python's gives a new object.
_ARITHMETIC = (np.ndarray, float, int, np.float64, np.float32)  # No set: a class of the program may have no hash.


def is_arithmetic(value: Any, *operands: Any) -> bool:
    """Whether ``value``, what an operator or a function of each entry gave, is an array that nobody else holds."""
    if type(value) is not np.ndarray or value.base is not None or value.dtype.kind not in "biufc":
        return False
    for operand in operands:  # noqa: SIM110 (a generator would take as long as all the rest)
        if type(operand) not in _ARITHMETIC:
            return False
    return True


@cache
def name_of(dtype: np.dtype[Any]) -> str:
    return str(dtype.name)


def dtype_name(value: Any) -> str:
    """NumPy's name of the type of the entries, or Python's name of the type of a plain number."""
    if type(value) is float:
        return "float"
    if isinstance(value, (np.ndarray, np.generic)):
        return name_of(value.dtype)
    if isinstance(value, range):
        return np.dtype(np.intp).name
    return next((kind.__name__ for kind in (bool, int, float, complex) if isinstance(value, kind)), "")


def shape_of(value: Any) -> tuple[int, ...] | None:
    if isinstance(value, np.ndarray):
        shape: tuple[int, ...] = value.shape
        return shape
    if isinstance(value, range):
        return (len(value),)
    return () if is_number(value) else None


def snapshot(value: Any) -> Any:
    """The value as a tape keeps it: arrays copied, ranges as arrays of integers."""
    if isinstance(value, np.ndarray):
        return np.array(value, subok=False)
    if isinstance(value, range):
        return np.arange(value.start, value.stop, value.step)
    return value


def same(a: Any, b: Any) -> bool:
    """Whether two values are equal bit for bit, NaN included."""
    if isinstance(a, range):
        a = snapshot(a)
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray)):
            return False
        if a.shape != b.shape or a.dtype != b.dtype:
            return False
        if a.flags.c_contiguous and b.flags.c_contiguous and a.itemsize in _WORDS:
            word = _WORDS[a.itemsize]
            if np.array_equal(a.reshape(-1).view(word), b.reshape(-1).view(word)):
                return True
        if a.dtype.kind in "fc":
            return bool(np.array_equal(a, b, equal_nan=True))
        return bool(np.array_equal(a, b))
    return type(a) is type(b) and bool(a == b or (a != a and b != b))
