"""What a call of a known function gave: one node, a node for each part, or the entries of a list.

In: the `Canonical` form of the call, and its result.  Out: the result's box.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.recording.box import NUMBERS, Box, Place, is_number
from tracer.recording.call_rows import Canonical
from tracer.recording.operator_calls import OperatorCalls
from tracer.tape.node import Kind
from tracer.tape.tape import references

#: Arrays of more entries are not followed into lists.
_LISTED = 1000
#: What makes an array of a list of numbers or rows before anything else, ``np.sum([u[k] for k in words])``.
_OF_ARRAYS = frozenset(
    "sum mean prod max min std var cumsum dot matmul outer linalg.norm add subtract multiply divide power negative exp log "
    "sqrt square absolute tanh maximum minimum clip".split()
)
_SIZED = frozenset(
    [
        "zeros",
        "ones",
        "empty",
        "full",
        "eye",
        "identity",
        "tri",
        "arange",
        "linspace",
        "range",
        "getitem",
        "tile",
        "repeat",
        "broadcast_to",
    ]
)


class Results(OperatorCalls):
    """Callbacks that make the box of a call's result."""

    def canonical_call(self, plan: Canonical, result: Any, place: Place) -> Box:
        kind = Kind.RANDOM if plan.random else None
        if isinstance(result, (list, tuple)) and result and all(is_number(r) for r in result):
            return self._parts(plan, result, place)
        operands = list(plan.operands)
        literals = plan.random or plan.op in _SIZED
        if literals:
            operands = [self.reference(o, literals=True) for o in operands]
        if plan.op == "array" and isinstance(operands[0], Box) and not isinstance(operands[0].value, NUMBERS):
            operands = [self._nested(operands[0])]
        for _ in range(plan.rows_of):
            operands = [operands]
        if plan.op in _OF_ARRAYS:
            operands = [self._of_list(operand, place) for operand in operands]
        if isinstance(result, range):
            return self.emit("range", operands, {}, result, place)
        return self.emit(plan.op, operands, plan.parameters, result, place, kind)

    def _of_list(self, operand: Any, place: Place) -> Any:
        """The array that NumPy makes of a list or tuple with recorded numbers or rows in it."""
        if not isinstance(operand, Box) or not isinstance(operand.value, (list, tuple)):
            return operand
        items, made = self._nested(operand), np.asarray(operand.value)
        recorded = any(True for _ in references(items))
        return self.emit("array", [items], {}, made, place) if recorded and is_number(made) else operand

    def _nested(self, box: Box) -> Any:
        """The items of ``np.array([...])``: numbers written in the program stand for themselves."""
        return self.reference(box, literals=True)

    def _parts(self, plan: Canonical, result: Any, place: Place) -> Box:
        """A function that gives several arrays: one node for each."""
        items = []
        for at, part in enumerate(result):
            if plan.random:
                items.append(
                    self.emit(plan.op, list(plan.operands), plan.parameters, part, place, Kind.RANDOM)
                )
            elif plan.op in ("split", "array_split", "hsplit", "vsplit") and len(plan.operands) == 2:
                axis = {"hsplit": 1 if np.ndim(plan.operands[0].value) > 1 else 0, "vsplit": 0}.get(plan.op)
                given = plan.parameters.get("axis", 0)
                axis = axis if axis is not None else given.value if isinstance(given, Box) else given
                op = "array_split" if plan.op == "array_split" else "split"
                sections = self.reference(plan.operands[1], literals=True)
                extra = {"sections": sections, "axis": axis, "part": at}
                items.append(self.emit(op, [plan.operands[0]], extra, part, place))
            else:
                items.append(
                    self.emit(
                        "part_of", [at, plan.op, *plan.operands], plan.parameters, part, place, Kind.OPERATION
                    )
                )
        return Box(result, None, place, items)

    def listed(self, owner: Box, result: Any, place: Place) -> Box:
        """``x.tolist()``: each number in the lists is an item of the array."""
        if np.size(owner.value) > _LISTED:
            self.notice("tolist() of a large array: its numbers are not followed.", place)
            return Box(result, None, place)
        if not isinstance(result, list):
            return self.emit("item", [owner], {}, result, place)
        for index in np.ndindex(np.shape(owner.value)):
            container = result
            for k in index[:-1]:
                container = container[k]
            self.locate_item(
                container, index[-1], self.emit("item", [owner, *index], {}, container[index[-1]], place)
            )
        return Box(result, None, place)
