"""Scalars of the program as sizes of axes: ``2 * H`` in ``a[:, H:2 * H]`` is twice the size of an axis.

Comes in: a tape, and which scalar gave which axis its size.  Goes out: the `Length` of a scalar; sizes that
are sums of others are told to the table of axes.  Invariant: a `Length` holds in every run of the program, for
loop counters and what else has no known source it is the number of this run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tracer.calculus.terms import Axes, Axis
from tracer.ops.axes import AxisTable
from tracer.ops.lengths import Length
from tracer.tape.functions import Slice
from tracer.tape.node import Node, Ref
from tracer.tape.tape import Tape

_MOST_OPERATIONS = 12


class ScalarLengths:
    """What the whole numbers of a program are, in sizes of axes."""

    def __init__(
        self,
        tape: Tape,
        table: AxisTable,
        axes: Callable[[int], Axes],
        representative: Callable[[int], int],
    ) -> None:
        self._tape, self._table, self._axes, self._representative = tape, table, axes, representative
        self._axis_of: dict[int, Axis] = {}
        #: The nodes with a slice that has a bound that is no plain number.
        self.asking = [node for node in tape.nodes if any(_has_bound(a) for a in node.args)]

    def learn(self, sources: Mapping[Axis, int]) -> None:
        """Take in which scalar gave which axis its size: axes with one source are one."""
        for axis, scalar in sources.items():
            first = self._axis_of.setdefault(scalar, axis)
            if self._table.size(first) == self._table.size(axis):
                self._table.unite(first, axis)
        if not self.asking:
            return
        for axis, scalar in sources.items():
            node = self._tape.nodes[scalar]
            if node.op in ("add", "subtract", "multiply"):
                composed = self._composed(node, 0)
                if composed is not None and composed.counts and composed.sizes is not None:
                    self._table.say_length(axis, composed)

    def of(self, node: int, depth: int = 0) -> Length:
        """What a whole number is, for all sizes where that is known."""
        scalar = self._tape.nodes[self._representative(node)]
        axis = self._axis_of.get(scalar.id)
        if axis is not None:
            return self._table.length(axis)
        composed = self._composed(scalar, depth)
        if composed is not None:
            return composed
        value = self._tape.nodes[node].value
        return Length((), int(value if value is not None else scalar.value))

    def _composed(self, scalar: Node, depth: int) -> Length | None:
        """A sum, difference or multiple of other numbers, or the size of an axis that was read."""
        if depth > _MOST_OPERATIONS:
            return None
        if scalar.op == "axis_size" and isinstance(scalar.args[0], Ref):
            axis = self._axes(scalar.args[0].node)[int(scalar.kwargs.get("axis", 0))]
            return self._table.length(axis)
        if scalar.op not in ("add", "subtract", "multiply") or len(scalar.args) != 2:
            return None
        sides = [self._side(a, depth) for a in scalar.args]
        left, right = sides
        if left is None or right is None:
            return None
        if scalar.op == "multiply":
            if left.counts and right.counts:
                return None
            return right.times(left.constant) if not left.counts else left.times(right.constant)
        return left.plus(right, 1 if scalar.op == "add" else -1)

    def _side(self, argument: object, depth: int) -> Length | None:
        if isinstance(argument, Ref):
            node = self._tape.nodes[argument.node]
            value = node.value if node.value is not None else self._tape.nodes[self._representative(node.id)].value
            whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
            return self.of(argument.node, depth + 1) if whole else None
        return Length((), argument) if isinstance(argument, int) and not isinstance(argument, bool) else None


def _has_bound(argument: object) -> bool:
    if isinstance(argument, Slice):
        return any(isinstance(p, Ref) for p in (argument.start, argument.stop))
    return isinstance(argument, tuple | list) and any(_has_bound(item) for item in argument)
