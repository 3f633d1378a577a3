"""The callbacks of operators: arithmetic, comparisons, ``not`` and the division of Python 2."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from tracer.recording.box import SHARED, Box, Place, is_arithmetic, is_number
from tracer.recording.harmless import does_more
from tracer.recording.names import Names
from tracer.recording.ufunc_calls import logical
from tracer.tape.node import Kind, Ref

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul, "divide": operator.truediv,
    "floor_divide": operator.floordiv, "remainder": operator.mod, "power": operator.pow, "matmul": operator.matmul,
    "left_shift": operator.lshift, "right_shift": operator.rshift, "bitwise_or": operator.or_,
    "bitwise_xor": operator.xor, "bitwise_and": operator.and_, "equal": operator.eq, "not_equal": operator.ne,
    "less": operator.lt, "less_equal": operator.le, "greater": operator.gt, "greater_equal": operator.ge,
    "is": operator.is_, "is_not": operator.is_not,
}  # fmt: skip
_UNARY: dict[str, Callable[[Any], Any]] = {
    "negative": operator.neg, "positive": operator.pos, "not": operator.not_, "invert": operator.invert,
}  # fmt: skip

#: Operators that have another name between truth values, and those that compare objects.
_LOGICAL = frozenset({"bitwise_or", "bitwise_and", "bitwise_xor", "is", "is_not"})
_PLAINLY = {op: function for op, function in BINARY.items() if op not in _LOGICAL}


class Operators(Names):
    """Callbacks that give the `Box` of what an operator makes of others."""

    def between_names(self, index: int, left: int, x: Any, right: int, y: Any) -> Box:
        """``x + y``: an operator between two variables."""
        place, op = self.places[index], self.places[index].name
        if self.mode and type(x) is np.ndarray and type(y) is np.ndarray and op in _PLAINLY:
            first, second = self._seen(x), self._seen(y)
            if first is not None and second is not None:
                value = _PLAINLY[op](x, y)
                if is_arithmetic(value):
                    return self.made(op, (Ref(first.id), Ref(second.id)), value, place)
                return self._operated(op, Box(x, first, self.places[left]), Box(y, second, self.places[right]), value, place)
        if not self.mode:
            return self.operation(op, Box(x, None, self.places[left]), Box(y, None, self.places[right]), place)
        frame = sys._getframe(1)
        a = self._read(self.places[left], x, frame)
        return self.binary(index, a, self._read(self.places[right], y, frame))

    def binary(self, index: int, a: Box, b: Box) -> Box:
        place = self.places[index]
        op, x, y = place.name, a.value, b.value
        if op in _PLAINLY and self.mode:
            value = _PLAINLY[op](x, y)
            if is_arithmetic(value, x, y):
                return self.computed(op, [a, b], value, place)
            return self._operated(op, a, b, value, place)
        return self.operation(op, a, b, place)

    def operation(self, op: str, a: Box, b: Box, place: Place) -> Box:
        """A binary operator between two boxes."""
        op = classic(op, a.value, b.value)
        value = BINARY[op](a.value, b.value)
        if self.mode and is_arithmetic(value, a.value, b.value) and op not in _LOGICAL:
            return self.computed(op, [a, b], value, place)
        return self._operated(op, a, b, value, place)

    def _operated(self, op: str, a: Box, b: Box, value: Any, place: Place) -> Box:
        """What an operator gave, which is no fresh array of NumPy's arithmetic."""
        if self.mode and isinstance(value, np.ndarray) and value.dtype == object:
            self.entry_by_entry(op, a.value, b.value, value, place)
        if not self.mode or not is_number(value) or op in ("is", "is_not"):
            if self.mode:
                self.told(value, a, b)
            return Box(value, None, place)
        if not (is_number(a.value) and _numeric(b.value) or _numeric(a.value) and is_number(b.value)):
            return self._of_objects(op, a, b, value, place)
        if isinstance(value, np.matrix):
            if op == "multiply" and np.ndim(a.value) == np.ndim(b.value) == 2:
                op = "matmul"
            elif op == "power":
                op = "linalg.matrix_power"
        return self.emit(logical(op, [a.value, b.value]), [a, b], {}, value, place)

    def _of_objects(self, op: str, a: Box, b: Box, value: Any, place: Place) -> Box:
        """An operator of a class of the program, which recorded itself; or of strings, lists, or a library's objects."""
        made = self.memory.known(value) is not None if isinstance(value, np.ndarray) else self.known(value)
        other = next((x.value for x in (a, b) if not _numeric(x.value)), None)
        if (
            made
            or not self.windowed
            or isinstance(value, SHARED)
            or not does_more(other, f"__{BINARY[op].__name__}__")
        ):
            return self.boxed(value, place)
        kind = type(other)
        self.notice(
            f"What an object of the class {kind.__module__}.{kind.__name__} computes is not followed.", place
        )
        return self.emit(op, [a, b], {}, value, place, Kind.OPAQUE)

    def entry_by_entry(self, op: str, a: Any, b: Any, result: np.ndarray, place: Place) -> None:
        """An operation of arrays of objects, such as the weights of all layers: one of each pair of entries."""
        whole = [np.broadcast_to(v, result.shape) if _of_objects(v) else v for v in (a, b)]
        for at in np.ndindex(result.shape):
            parts = [self.boxed(v[at] if _of_objects(v) else v, place) for v in whole]
            self.emit(op, parts, {}, result[at], place)

    def classic_divide(self, a: Any, b: Any) -> Any:
        """``/`` of Python 2."""
        return a // b if _integers(a, b) else a / b

    def classic_divide_in_place(self, a: Any, b: Any) -> Any:
        """``/=`` of Python 2."""
        if _integers(a, b):
            a //= b
        else:
            a /= b
        return a

    def unary(self, index: int, a: Box) -> Box:
        place = self.places[index]
        value, op = _UNARY[place.name](a.value), place.name
        if not is_number(a.value):
            return Box(value, None, place)
        if op == "not":
            op = "logical_not"
            if not isinstance(a.value, (bool, int, float)):
                a = self.emit("bool", [a], {}, bool(a.value), place)
        return self.emit(logical(op, [a.value]), [a], {}, value, place)

    def compare(self, index: int, a: Box, b: Box, later: tuple[Callable[[], Box], ...]) -> Box:
        place = self.places[index]
        operators = place.name.split()
        for at, op in enumerate(operators):
            result = self.operation(op, a, b, place)
            if at == len(operators) - 1 or not result.value:
                return result
            a, b = b, later[at]()
        raise AssertionError("a comparison has an operator")


def _numeric(value: Any) -> bool:
    """Whether an operand's operators are NumPy's or Python's own arithmetic."""
    return (is_number(value) and not isinstance(value, range)) or isinstance(value, (list, tuple))


def _of_objects(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype == object


def classic(op: str, a: Any, b: Any) -> str:
    """Which division ``/`` of a Python 2 program is between these values; any other operation is itself."""
    if op != "classic_divide":
        return op
    return "floor_divide" if _integers(a, b) else "divide"


def _integers(a: Any, b: Any) -> bool:
    return all(
        isinstance(x, (int, np.integer, np.bool_)) or (isinstance(x, np.ndarray) and x.dtype.kind in "biu")
        for x in (a, b)
    )
