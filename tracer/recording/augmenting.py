"""The callbacks of ``+=`` and the like: a mutation where an array itself changes, else the plain operation."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from tracer.recording.assignments import CONTAINERS, Assignments, plainly_held
from tracer.recording.box import Box, Place, is_number
from tracer.recording.harmless import does_more
from tracer.recording.operators import BINARY, classic
from tracer.tape.node import Kind, Ref

_IN_PLACE: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.iadd, "subtract": operator.isub, "multiply": operator.imul, "divide": operator.itruediv,
    "floor_divide": operator.ifloordiv, "remainder": operator.imod, "power": operator.ipow,
    "matmul": operator.imatmul, "left_shift": operator.ilshift, "right_shift": operator.irshift,
    "bitwise_or": operator.ior, "bitwise_xor": operator.ixor, "bitwise_and": operator.iand,
}  # fmt: skip
#: Adding to these in place changes no array.
_PLAIN = (*CONTAINERS, int, float, complex, str, bytes, tuple, set, frozenset, np.generic)


class Augmenting(Assignments):
    """Callbacks that carry out an operation in place and record it."""

    def augment(self, index: int, op: str, a: Box, b: Box) -> Any:
        """``name += value``"""
        place = self.places[index]
        result = self.in_place(op, a, b, place)
        if self.mode and result.node is not None:
            self.bound(place.name, result, place)
            self.place_name(self.where(sys._getframe(1), place.name), result)
        return result.value

    def augment_attribute(self, index: int, reading: int, op: str, owner: Box, name: str, late: Any) -> None:
        """``owner.name += value``"""
        place = self.places[index]
        a = self.attribute(reading, owner, name)
        result = self.in_place(op, a, _evaluated(late), place)
        if self.mode and not plainly_held(owner.value, name):
            self.memory.anything_may_change()
        setattr(owner.value, name, result.value)
        if self.mode and result.node is not None:
            self.bound(place.name, result, place)
            self.locate_item(owner.value, name, result)

    def augment_item(self, index: int, reading: int, op: str, owner: Box, key: Box, late: Any) -> None:
        """``owner[key] += value``"""
        place, container = self.places[index], owner.value
        a = self.subscript(reading, owner, key)
        b = _evaluated(late)
        if self.mode and hasattr(container, "mask"):
            self.store_item(Box(_IN_PLACE[op](a.value, b.value)), owner, key, place)
            return
        if self.mode and isinstance(container, np.ndarray) and is_number(container):
            op = classic(op, a.value, b.value)
            self.memory.before_write(container, place)
            part = isinstance(a.value, np.ndarray)
            args = (self.reference(owner), self.index(key))
            operands: list[Any] = [a, b]
            if part:
                self.memory.lending.before_write(a.value)
                # NumPy changes the part itself (a view, or the copy that a list of places gives) in place, so
                # the operands are read before it changes.
                operands = [self.reference(a), self.reference(b)]
            raw = BINARY[op](a.value, b.value) if part and _cast(a.value, b.value) else None
            result = _IN_PLACE[op](a.value, b.value)
            if part and result is a.value:
                made = result if raw is None else raw
                node = self.node(Kind.OPERATION, op, tuple(operands), {}, made, place)
                changed: Any = Ref(node.id)
            else:
                changed = self.reference(self.emit(op, operands, {}, result, place))
            container[key.value] = result
            self.mutated(container, "setitem", (*args, changed), place, place.name)
            return
        outcome = self.in_place(op, a, b, place)
        if self.mode and (isinstance(container, np.flatiter) or type(container) is np.void):
            self.store_item(outcome, owner, key, place)
            return
        if self.mode and not isinstance(container, CONTAINERS) and does_more(container, "__setitem__"):
            self.memory.anything_may_change()
        container[key.value] = outcome.value
        if self.mode and outcome.node is not None:
            self.bound(f"{place.name}[{key.value!r}]", outcome, place)
            self.locate_item(container, key.value, outcome)

    def in_place(self, op: str, a: Box, b: Box, place: Place) -> Box:
        """``a op= b``: a mutation where the array itself changes, else the plain operation."""
        op = classic(op, a.value, b.value)
        if not self.mode or not isinstance(a.value, np.ndarray) or not is_number(a.value):
            objects = self.mode and isinstance(a.value, np.ndarray) and a.value.dtype == object
            before = a.value.copy() if objects else None
            if (
                self.mode
                and not objects
                and not isinstance(a.value, _PLAIN)
                and _adds_unrecorded(op, a.value)
            ):
                self.memory.anything_may_change()
            result = _IN_PLACE[op](a.value, b.value)
            if before is not None and result.dtype == object:
                self.entry_by_entry(op, before, b.value, result, place)
            if not self.mode or isinstance(result, (list, str)) or not is_number(result):
                return Box(result, None, place)
            return self.emit(op, [a, b], {}, result, place)
        self.memory.before_write(a.value, place)
        args = (self.reference(Box(a.value, self.memory.read(a.value, place), place)), self.reference(b))
        if hasattr(a.value, "mask") or hasattr(b.value, "mask"):
            result = _IN_PLACE[op](a.value, b.value)
            return Box(result, self.mutated_masked(result, args, place), place)
        raw = BINARY[op](a.value, b.value) if _cast(a.value, b.value) else None
        result = _IN_PLACE[op](a.value, b.value)
        if result is not a.value:
            node = self.node(Kind.OPERATION, op, args, {}, result, place)
            self.remember(result, node)
            return Box(result, node, place)
        if raw is not None:
            args, op = (
                (args[0], self.reference(Box(raw, self.node(Kind.OPERATION, op, args, {}, raw, place)))),
                "into",
            )
        return Box(result, self.mutated(result, op, args, place), place)


def _adds_unrecorded(op: str, value: Any) -> bool:
    """Whether an object has an ``op=`` of its own that is not recorded."""
    name = f"__{_IN_PLACE[op].__name__}__"
    return hasattr(type(value), name) and does_more(value, name)


def _evaluated(late: Any) -> Box:
    box = late() if callable(late) else late[0]
    return box if isinstance(box, Box) else Box(box)


def _cast(a: np.ndarray, b: Any) -> bool:
    """Whether an in-place operation has to cast its result to the type of ``a``."""
    return isinstance(b, (np.ndarray, np.generic)) and np.result_type(a, b) != a.dtype
