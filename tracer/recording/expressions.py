"""The callbacks of expressions: names, literals, operators, attributes, subscripts and displays."""

from __future__ import annotations

import functools
import operator
import sys
import types
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from tracer.recording.box import NUMBERS, SHARED, Box, Place, is_arithmetic, is_number
from tracer.recording.harmless import does_more, is_recorded
from tracer.recording.structured import Structured, has_fields
from tracer.recording.ufunc_calls import logical
from tracer.tape.node import Call, Kind

_BINARY: dict[str, Callable[[Any, Any], Any]] = {
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
_LEAF = Kind.LEAF
_PLAINLY = {op: function for op, function in _BINARY.items() if op not in _LOGICAL}


def getter_of(kind: type, name: str) -> str:
    """The name of the program's own function that reading a property calls; ``""`` if it is no property."""
    try:
        return _getter(kind, name)
    except TypeError:  # A class may be one that cannot be a key.
        return ""


@cache
def _getter(kind: type, name: str) -> str:
    found = next((each.__dict__[name] for each in kind.__mro__ if name in each.__dict__), None)
    if isinstance(found, functools.cached_property):
        function: Any = found.func
    else:
        function = found.fget if isinstance(found, property) else None
    recorded = isinstance(function, types.FunctionType) and is_recorded((function.__code__,))
    return function.__name__ if recorded else ""


class Expressions(Structured):
    """Callbacks that give a `Box`."""

    def plain(self, box: Any) -> Any:
        return box.value if isinstance(box, Box) else box

    def truth(self, box: Box) -> bool:
        return bool(box.value)

    def imported(self, values: list[Any]) -> None:
        """Names that an ``import`` has just bound."""
        if self.mode:
            for value in values:
                self.given(value)

    def following(self) -> bool:
        """Whether code that runs natively where nothing is recorded is to be recorded here."""
        return self.room()

    def literal(self, index: int, value: Any) -> Box:
        place = self.places[index]
        if not self.mode or isinstance(value, bool) or not isinstance(value, (int, float, complex)):
            if isinstance(value, (str, bytes)):
                self.texts[id(value)] = value
            return Box(value, None, place)
        if isinstance(value, float):
            value = float(repr(value))  # A new object: its identity now means this literal.
        node = self.node(Kind.LITERAL, "", (), {}, value, place)
        self.remember(value, node)
        return Box(value, node, place)

    def name(self, index: int, value: Any) -> Box:
        place = self.places[index]
        if not self.mode:
            return Box(value, None, place)
        if type(value) is np.ndarray:
            record = self.memory.records.get(id(value))
            if record is not None and record.version == record.storage.version:
                made = record.node
                if (made.kind is not _LEAF or made.origin is not None) and (
                    made.value is value or (made.window >= 0 and id(value) in self.memory.checked and record() is value)
                ):
                    return Box(value, made, place)
        if not is_number(value):
            return Box(value, None, place)
        return Box(
            value, self.lookup(value, place, place.name, self.where(sys._getframe(1), place.name)), place
        )

    def natively(self, index: int) -> int:
        """The expression at this place runs as it stands; `native` gets its value."""
        self.memory.anything_may_change()
        self.memory.lending.foreign += 1
        return index

    def native(self, index: int, value: Any) -> Box:
        """A value of an expression that ran as it stands."""
        self.memory.checked.clear()
        self.memory.lending.foreign -= 1
        return self.wrap(index, value)

    def unrecorded(self) -> None:
        """A statement that runs as it stands comes next, or has just run."""
        self.memory.anything_may_change()

    def wrap(self, index: int, value: Any) -> Box:
        """A value that was computed natively."""
        place = self.places[index]
        if self.mode and value is None and place.site.text.startswith("exec("):
            self.notice("What exec() does cannot be followed.", place)
        known = self.memory.known(value) is not None if isinstance(value, np.ndarray) else self.known(value)
        if self.windowed and is_number(value) and not isinstance(value, (*SHARED, range)) and not known:
            self.notice("This value is computed in a way that cannot be followed.", place)
            node = self.node(Kind.OPAQUE, "native", (), {}, value, place)
            self.remember(value, node)
        return self.boxed(value, place)

    def boxed(self, value: Any, place: Place, name: str = "") -> Box:
        """A box for a plain value that has no location."""
        if not self.mode or isinstance(value, SHARED) or not is_number(value):
            return Box(value, None, place)
        if isinstance(value, range) and not self.known(value):
            return Box(value, None, place)
        return Box(value, self.lookup(value, place, name), place)

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
        value = _BINARY[op](a.value, b.value)
        if self.mode and is_arithmetic(value, a.value, b.value) and op not in _LOGICAL:
            return self.computed(op, [a, b], value, place)
        return self._operated(op, a, b, value, place)

    def _operated(self, op: str, a: Box, b: Box, value: Any, place: Place) -> Box:
        """What an operator gave, which is no fresh array of NumPy's arithmetic."""
        if self.mode and isinstance(value, np.ndarray) and value.dtype == object:
            self.entry_by_entry(op, a.value, b.value, value, place)
        if not self.mode or not is_number(value) or op in ("is", "is_not"):
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
            or not does_more(other, f"__{_BINARY[op].__name__}__")
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

    def attribute(self, index: int, owner: Box, name: str) -> Box:
        place = self.places[index]
        if not self.mode:
            return Box(getattr(owner.value, name), None, place)
        getter = getter_of(type(owner.value), name)
        if getter:
            outside = self.calls
            self.calls = (*outside, Call(getter, place.site))
            try:
                value = getattr(owner.value, name)
            finally:
                self.calls = outside
        else:
            value = getattr(owner.value, name)
        if isinstance(owner.value, (np.ndarray, np.generic)):
            return self._of_array(owner, name, value, place)
        if self.is_outside(owner.value) and self.outside.get(id(value)) is not value:
            self.given(value)
        if name in ("real", "imag") and isinstance(owner.value, (int, float, complex)):
            return self.emit(name, [owner], {}, value, place)
        if callable(value) or not isinstance(value, (*NUMBERS, range)):
            return Box(value, None, place)
        node = self.lookup(value, place, place.site.text, (id(owner.value), name))
        if node is not None and not node.names and node.window >= 0 and node.kind is not _LEAF:
            # It was stored by code that is not recorded: a named tuple, the `__init__` of a data class.
            node.names.append(place.site.text)
        return Box(value, node, place)

    def _of_array(self, owner: Box, name: str, value: Any, place: Place) -> Box:
        if name == "T":
            return self.emit("transpose", [owner], {"axes": None}, value, place)
        if name == "shape":
            items = [self.emit("axis_size", [owner], {"axis": k}, n, place) for k, n in enumerate(value)]
            for at, item in enumerate(items):
                self.locate_item(value, at, item)
            return Box(value, None, place, items)
        if name in ("size", "ndim", "real", "imag") and not callable(value):
            return self.emit(name, [owner], {}, value, place)
        if callable(value):
            return Box(value, None, place, owner=owner)
        if has_fields(owner.value) and name in owner.value.dtype.names:
            return self.field(owner.value, name, value, place)
        if name in ("A", "A1") and isinstance(owner.value, np.matrix):
            return self.emit("reshape", [owner], {"shape": np.shape(value)}, value, place)
        return Box(value, None, place)

    def slice(self, index: int, *parts: Any) -> Box:
        boxes = [p if isinstance(p, Box) else Box(None) for p in parts]
        return Box(slice(*(b.value for b in boxes)), None, self.places[index], boxes)

    def display(self, index: int, kind: str, boxes: list[Box]) -> Box:
        place = self.places[index]
        values = [b.value for b in boxes]
        container: Any = tuple(values) if kind == "tuple" else set(values) if kind == "set" else values
        if self.mode and kind != "set" and len(boxes) < 1000:
            for at, box in enumerate(boxes):
                self.locate_item(container, at, box)
        return Box(container, None, place, boxes if self.mode else None)

    def dictionary(self, index: int, keys: list[Any], stars: list[bool], values: list[Box]) -> Box:
        found: dict[Any, Any] = {}
        for key, star, box in zip(keys, stars, values, strict=True):
            if star:
                found.update(box.value)
            else:
                found[key] = box.value
                if self.mode:
                    self.locate_item(found, key, box)
                    if box.node is not None and isinstance(box.value, np.ndarray):
                        self.bound(f"[{key!r}]", box, self.places[index])
        return Box(found, None, self.places[index])

    def subscript(self, index: int, owner: Box, key: Box) -> Box:
        place = self.places[index]
        value = owner.value[key.value]
        return self.item(owner, key, value, place) if self.mode else Box(value, None, place)

    def item(self, owner: Box, key: Box, value: Any, place: Place) -> Box:
        """The box of ``owner[key]``, which is ``value``."""
        container = owner.value
        if isinstance(container, (np.ndarray, np.void)) and has_fields(container):
            return self.field(container, key.value, value, place)
        if isinstance(container, np.ndarray) and not is_number(container):
            return Box(value, self.lookup(value, place), place)
        if isinstance(container, (np.ndarray, np.generic)):
            return self.emit("getitem", [owner, self.index(key)], {}, value, place)
        if isinstance(container, range):
            return self.emit("getitem", [owner, self.index(key)], {}, value, place)
        if isinstance(container, np.flatiter) and is_number(container.base):
            array = container.base
            whole = array.reshape(-1).view() if array.flags.c_contiguous else array.reshape(-1)
            base = Box(array, self.memory.read(array, place), place)
            flat = self.emit("reshape", [base], {"shape": whole.shape}, whole, place)
            return self.emit("getitem", [flat, self.index(key)], {}, value, place)
        if owner.items is not None and isinstance(container, (tuple, list)) and isinstance(key.value, int):
            return (
                owner.items[key.value]
                if -len(owner.items) <= key.value < len(owner.items)
                else self.boxed(value, place)
            )
        if container is np.c_ or container is np.r_:
            parts = key.items if isinstance(key.value, tuple) and key.items is not None else [key]
            return self.emit("c_" if container is np.c_ else "r_", list(parts), {}, value, place)
        if isinstance(value, (list, tuple)) and isinstance(container, (tuple, list, dict)):
            return Box(value, None, place)
        if self.is_outside(container):
            self.given(value)
        if not is_number(value):
            return Box(value, None, place)
        location = (id(container), key.value) if isinstance(key.value, (str, int)) else None
        return Box(value, self.lookup(value, place, place.site.text, location), place)

    def index(self, key: Box) -> Any:
        """An index as the tape keeps it: written numbers stand for themselves, and a list stays a list."""
        if isinstance(key.value, list):
            return list(self.reference(key, literals=True))
        if isinstance(key.value, tuple) and key.items is not None:
            return tuple(self.index(item) for item in key.items)
        return self.reference(key, literals=True)


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
