"""A tape as index formulas: what every recorded array is, entry by entry, in terms of its operands.

Plain knowledge, made by `tracer.gradients.graph_building`: a `Definition` for each node whose operation has a row in
the operation table, with axes that are equal by provenance, and a reason for each node that has none.  Invariant: two
nodes that carry out the same operation on the same values have one name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from tracer.calculus import arrays_in
from tracer.calculus.complex_values import CONJUGATE, MARK, marked
from tracer.calculus.linearised import VALUE
from tracer.calculus.terms import Axes, Axis, Definition
from tracer.gradients.axis_names import AxisNames
from tracer.gradients.lengths import ScalarLengths
from tracer.gradients.numbering import first_of
from tracer.gradients.operands import operand
from tracer.ops import AxisTable, auxiliary
from tracer.tape.tape import Tape


@dataclass
class Graph:
    """The formulas of a tape.

    Attributes:
        definitions: node → its formula over arrays called ``v<node>``, with a mark if they are complex.
        reasons: node → why it has no formula.
        unfollowed: node → the numbers that are given to it by keyword, and that its formula says nothing of.
        table: which axes are the same one.
        axis_names: how axes are called, for the reader.
    """

    tape: Tape
    table: AxisTable = field(default_factory=AxisTable)
    definitions: dict[int, Definition] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)
    unfollowed: dict[int, frozenset[int]] = field(default_factory=dict)
    aliases: dict[int, int] = field(default_factory=dict)
    size_sources: dict[Axis, int] = field(default_factory=dict)
    axis_names: AxisNames = field(default_factory=lambda: AxisNames({}))
    lengths: ScalarLengths = field(init=False)
    _recorded: dict[int, int] = field(default_factory=dict)
    _array_axes: tuple[int, Mapping[str, Axes]] = (-1, {})

    def representative(self, node: int) -> int:
        """The first node that has the value of this one by the same computation."""
        return first_of(self.aliases, node)

    def name(self, node: int) -> str:
        """The name of a node's value in formulas."""
        first = self.representative(node)
        return marked(f"v{first}", self.tape.nodes[first].dtype.startswith("complex"))

    def node_of(self, array: str) -> int | None:
        """The node behind a name in formulas; None for helpers such as the positions of a maximum."""
        number = array[1:].removesuffix(MARK)
        return int(number) if number.isdigit() else None

    def recorded(self, node: int) -> int:
        """A node with a value for this one: a scalar of the set-up has its value where it was read later."""
        if self.tape.nodes[node].window >= 0:
            return node
        if node not in self._recorded:
            later = (
                n for n in self.aliases if self.representative(n) == node and self.tape.nodes[n].window >= 0
            )
            self._recorded[node] = next(later, node)
        return self._recorded[node]

    def axes(self, node: int) -> Axes:
        """The axes of a node's value."""
        recorded = self.tape.nodes[node]
        return tuple(self.table.axes(self.name(node), recorded.shape or ()))

    def axis_text(self, axis: Axis | None) -> str:
        """What the reader calls an axis; ``"1"`` for one of size one."""
        return "1" if axis is None else self.axis_names[self.table.find(axis)]

    def named_definitions(self) -> dict[str, Definition]:
        """The definitions by array name, in program order, one for each name."""
        return {d.array: d for node, d in self.definitions.items() if node not in self.aliases}

    def array_axes(self) -> Mapping[str, Axes]:
        """The axes of every array that may stand in a formula."""
        if self._array_axes[0] != self.table.unions:
            known = {}
            for node in self.tape.nodes:
                if node.shape is not None and node.id not in self.aliases:
                    known[self.name(node.id)] = self.table.axes(self.name(node.id), node.shape)
            self._array_axes = self.table.unions, known
        return self._array_axes[1]

    @cached_property
    def _makers(self) -> dict[str, int]:
        """The first node whose formula mentions an array, or its conjugate; asked for when all formulas are there."""
        makers: dict[str, int] = {}
        for node, definition in self.definitions.items():
            for array in arrays_in(definition.expr):
                makers.setdefault(array.removesuffix(CONJUGATE), node)
        return makers

    def source(self, array: str) -> Callable[[list[Any]], Any]:
        """How to read the value of an array of a formula from the values of a replay."""
        node = self.node_of(array)
        if node is not None:
            recorded = self.recorded(node)
            if self.tape.nodes[recorded].window < 0:
                constant = self._set_up_value(recorded)
                return lambda values: constant
            return lambda values: values[recorded]
        if array.endswith(VALUE):
            return self.source(array.removesuffix(VALUE))
        if array.endswith(CONJUGATE):
            plain = self.source(array.removesuffix(CONJUGATE))
            return lambda values: np.conj(plain(values))
        maker = self._makers[array]
        return lambda values: self._helper(maker, array, values)

    def _set_up_value(self, node: int) -> Any:
        """The value of a scalar that is read in the set-up only: a number, or the size that it gave."""
        if self.tape.nodes[node].value is not None:
            return self.tape.nodes[node].value
        sized = (axis for axis, source in self.size_sources.items() if source == node)
        return next((self.table.size(axis) for axis in sized), None)

    def _helper(self, maker: int, array: str, values: list[Any]) -> Any:
        """The value of a look-up array that the formula of a node mentions, such as the positions of a maximum."""
        node = self.tape.nodes[maker]
        operands = tuple(operand(self, node, a, values=values) for a in node.args)
        arguments = {k: operand(self, node, v, plain=True, values=values) for k, v in node.kwargs.items()}
        return auxiliary(node.op, self.name(maker), operands, arguments)[array]
