"""Operations become nodes.

In: a canonical operation with its boxed operands, and the value that it gave.  Out: the box of that value, with its new
node; a value that has a node already keeps it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tracer.recording.arguments import Arguments, stranger
from tracer.recording.box import SHARED, Box, Place, is_number, name_of, snapshot
from tracer.recording.lending import ultimate
from tracer.recording.state import Mode
from tracer.tape.functions import resolve
from tracer.tape.node import Kind, Node, Ref
from tracer.tape.tape import references, substitute

#: Operations that give back one of their arguments.
_CHOOSING = ("max_of", "min_of")
#: Products, in which a list of numbers is an array; other operations have formulas with numbers in lists.
_PRODUCTS = frozenset(["dot", "matmul", "inner", "outer", "vdot", "tensordot"])
#: What is said of two arrays, in which a list of data is one: ``out - target``.
_OF_TWO = frozenset(["add", "subtract", "multiply", "divide"])
_WINDOW, _OPERATION = Mode.WINDOW, Kind.OPERATION


class Emitting(Arguments):
    """Recording what an operation gave."""

    def emit(
        self,
        op: str,
        operands: list[Any],
        parameters: dict[str, Any],
        value: Any,
        place: Place,
        kind: Kind | None = None,
    ) -> Box:
        """Record that ``op`` gave ``value``; a value that has a node already keeps it."""
        if not self.mode or not is_number(value):
            return Box(value, None, place)
        array = isinstance(value, np.ndarray)
        if array:
            if self.memory.known(value) is not None:
                return Box(value, self.memory.read(value, place), place)
        elif not isinstance(value, SHARED) and self.known(value):
            if op in _CHOOSING:
                # It gives back one of its arguments, whose node stays the argument's.
                args = tuple(self.reference(o) for o in operands)
                return Box(value, self.node(Kind.OPERATION, op, args, {}, value, place), place)
            return Box(value, self.lookup(value, place), place)
        if array and op in ("empty", "empty_like"):
            value[...] = 0  # Whatever lay in the memory; this way two runs, and a replay, have the same.
        if op in _PRODUCTS or (array and op in _OF_TWO and any(map(self._is_list_of_data, operands))):
            operands = [self.as_array(operand, place) for operand in operands]
        args = tuple([self.reference(o) for o in operands])
        kwargs = {k: self.reference(p, True) for k, p in parameters.items()} if parameters else {}
        if kind is None and self.strangers and (found := stranger((args, kwargs))):
            kind = Kind.OPAQUE
            self.notice(f"This step is not followed: one of its arguments is {found}, no number.", place)
        special = _special_type(value, operands)
        if kind is None and special is not None and hasattr(special, "mask"):
            kind = Kind.OPAQUE
            self.notice("What is computed with masked arrays is not followed.", place)
        parent = None
        if array and value.base is not None and operands and isinstance(operands[0], Box):
            first = operands[0].value
            if isinstance(first, np.ndarray) and ultimate(first) is ultimate(value):
                parent = first
        if kind is None:
            kind = Kind.VIEW if parent is not None else _OPERATION
        if special is np.matrix and (kind is _OPERATION or kind is Kind.VIEW):
            return self._of_matrix(op, args, kwargs, value, place)
        new = self.node(kind, op, args, kwargs, value, place)
        self.remember(value, new, parent)
        return Box(value, new, place)

    def _is_list_of_data(self, operand: Any) -> bool:
        """Whether an operand is a list that holds more than the numbers that are written there."""
        if type(operand) is not Box or type(operand.value) not in (list, tuple):
            return False
        written = operand.items is not None
        return not written or any(self.tape.nodes[k].kind is not Kind.LITERAL for k in references(self.reference(operand)))

    def as_array(self, operand: Any, place: Place) -> Any:
        """A list among such operands is an array to NumPy, and one on the tape."""
        if type(operand) is not Box or type(operand.value) not in (list, tuple) or not operand.value:
            return operand
        made = np.asarray(operand.value)
        return self.emit("array", [self.reference(operand, True)], {}, made, place) if is_number(made) else operand

    def computed(self, op: str, operands: list[Box], value: Any, place: Place) -> Box:
        """Record that ``op`` gave ``value``, where `is_arithmetic` says that it is a fresh array."""
        memory, args = self.memory, []
        records = memory.records
        for box in operands:
            node = box.node
            if node is None:
                args.append(self._reference_box(box, False))
                continue
            held = box.value
            if type(held) is np.ndarray:
                record = records.get(id(held))
                if record is None or record.node is not node or record.version != record.storage.version:
                    node = memory.present(held, node, box.place)
            args.append(Ref(node.id))
        return self.made(op, tuple(args), value, place)

    def made(self, op: str, args: tuple[Any, ...], value: Any, place: Place) -> Box:
        """The box of a fresh array that ``op`` made of operands which were read."""
        memory = self.memory
        if self.mode is _WINDOW:
            # What `node` does, for the one kind of node that there are most of.
            nodes = self.tape.nodes
            new = Node(
                len(nodes), _OPERATION, op, args, {}, value, value.shape, name_of(value.dtype), place.site,
                self.calls, [], self.window,
            )  # fmt: skip
            nodes.append(new)
            self.bytes += value.nbytes
            if not memory.lending.lend(value, new):
                new.value = snapshot(value)
        else:
            new = self.node(_OPERATION, op, args, {}, value, place)
        memory.made(value, new)
        return Box(value, new, place)

    def _of_matrix(self, op: str, args: Any, kwargs: Any, value: Any, place: Place) -> Box:
        """An operation of ``np.matrix``, which keeps two axes: the plain operation, then a reshape."""
        values = {k: self.tape.nodes[k].value for k in references((args, kwargs))}
        plain = value
        if all(v is not None for v in values.values()):
            plain = resolve(op)(*substitute(args, values), **substitute(kwargs, values))
        new = self.node(Kind.OPERATION, op, args, kwargs, plain, place)
        if np.shape(plain) != np.shape(value):
            new = self.node(
                Kind.OPERATION, "reshape", (Ref(new.id),), {"shape": np.shape(value)}, value, place
            )
        self.remember(value, new)
        return Box(value, new, place)


def _special_type(value: Any, operands: list[Any]) -> type | None:
    """The type of the first array, of a result and its operands, that is a matrix or masked; ``None`` if all are plain."""
    kind = type(value)
    if kind is not np.ndarray and issubclass(kind, np.ndarray):
        return kind
    for operand in operands:
        if type(operand) is Box:
            kind = type(operand.value)
            if kind is not np.ndarray and issubclass(kind, np.ndarray):
                return kind
    return None
