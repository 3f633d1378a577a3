"""An argument of a recorded operation, as the operation table wants it: an array with its axes, a number, a slice.

Comes in: a node, one of its arguments, and perhaps the values of a replay.  Goes out: the operand.  Invariant:
numbers that are reckoned with are exact fractions; those that select entries stay integers.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Protocol

import numpy as np

from tracer.gradients.lengths import ScalarLengths
from tracer.ops import AxisTable
from tracer.ops.lengths import Bound
from tracer.tape.functions import Slice
from tracer.tape.node import Kind, Node, Ref
from tracer.tape.tape import Tape

#: Operations whose formula depends on whether entries are finite.
_OF_FINITE = frozenset(("nan_to_num",))
_INDEXING = frozenset(("getitem", "setitem", "take_flat", "put_flat", "add_at", "take", "axis_size"))


class Formulas(Protocol):
    """What is known of the arrays of a tape."""

    tape: Tape
    table: AxisTable
    lengths: ScalarLengths

    def name(self, node: int) -> str: ...
    def representative(self, node: int) -> int: ...


def operand(
    formulas: Formulas, user: Node, argument: Any, plain: bool = False, values: list[Any] | None = None
) -> Any:
    """An argument as the operation table wants it; with the values of a replay if they are given."""
    if isinstance(argument, Ref):
        node = formulas.tape.nodes[argument.node]
        indexing = plain or user.op in _INDEXING
        if node.kind is Kind.LITERAL and not node.names:
            if isinstance(node.value, bool) or not isinstance(node.value, int | float):
                return node.value
            if isinstance(node.value, int):
                return node.value if indexing else Fraction(node.value)
            return Fraction(repr(node.value)) if np.isfinite(node.value) else node.value
        if node.shape is None:
            return node.value
        if plain and node.shape == () and node.value is not None:
            return node.value if values is None else values[argument.node]
        known = node.dtype.startswith(("int", "uint", "bool")) or user.op in _OF_FINITE
        return formulas.table.operand(
            formulas.name(node.id),
            node.shape,
            dtype=node.dtype,
            value=values[argument.node] if values is not None else node.value if known else None,
            source=formulas.tape.nodes[formulas.representative(node.id)].op,
        )
    if isinstance(argument, tuple | list):
        items = [operand(formulas, user, item, plain, values) for item in argument]
        return items if isinstance(argument, list) and user.op in _INDEXING else tuple(items)
    if isinstance(argument, Slice):
        start, stop = (_bound(formulas, user, p, values) for p in (argument.start, argument.stop))
        return slice(start, stop, operand(formulas, user, argument.step, True, values))
    if isinstance(argument, float) and not plain and user.op not in _INDEXING:
        return Fraction(repr(argument)) if np.isfinite(argument) else argument
    if (
        isinstance(argument, int)
        and not isinstance(argument, bool)
        and not plain
        and user.op not in _INDEXING
    ):
        return Fraction(argument)
    return argument


def _bound(formulas: Formulas, user: Node, argument: Any, values: list[Any] | None) -> Any:
    """A bound of a slice: a number, and what it is in sizes of axes."""
    value = operand(formulas, user, argument, True, values)
    if not isinstance(argument, Ref) or isinstance(value, bool) or not isinstance(value, int | np.integer):
        return value
    return Bound(int(value), formulas.lengths.of(argument.node))
