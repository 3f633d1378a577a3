"""A tape as index formulas: what every recorded array is, entry by entry, in terms of its operands.

Comes in: a `Tape`.  Goes out: a `Definition` for each node whose operation has a row in the operation
table, with axes that are equal by provenance, and a reason for each node that has none.  Invariants: two
nodes that carry out the same operation on the same values have one name; an axis is known by who gave
its size, never by the size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from msgspec import Struct

from tracer.calculus import arrays_in, shown_axes
from tracer.calculus.algebra import make_term
from tracer.calculus.complex_values import CONJUGATE, MARK, is_weights, marked
from tracer.calculus.linearised import VALUE
from tracer.calculus.printing.names import Transform
from tracer.calculus.terms import Axes, Axis, Definition, Entry, Expr, Factor, Size, Term
from tracer.gradients.axis_names import AxisNames, name_axes
from tracer.gradients.lengths import ScalarLengths
from tracer.gradients.sizes import sizes_asked_for
from tracer.ops import AxisTable, NoFormula, auxiliary, code_of_weights, define, mirrored, transform_of
from tracer.ops.lengths import Bound
from tracer.tape.functions import Slice
from tracer.tape.node import UNTRACKED, Kind, Node, Ref
from tracer.tape.tape import Tape

#: Operations whose first operand is an array; NumPy makes one of a list, the table does not.
_OF_ARRAYS = frozenset(
    "sum mean prod max min std var dot matmul outer linalg.norm add subtract multiply divide power negative exp log sqrt "
    "square absolute tanh maximum minimum clip".split()
)
#: Operations whose formula depends on whether entries are finite.
_OF_FINITE = frozenset(("nan_to_num",))
_INDEXING = frozenset(("getitem", "setitem", "take_flat", "put_flat", "add_at", "take", "axis_size"))

#: Operations that divide by how many entries they take together.
MEANS = frozenset(("mean", "var", "std"))


class MeanCount(Struct, frozen=True):
    """How many entries a mean was taken over: the product of the sizes of these axes."""

    key: str
    axes: tuple[Axis, ...]
    count: int


@dataclass
class Graph:
    """The formulas of a tape.

    Attributes:
        definitions: node → its formula over arrays called ``v<node>``, with a mark if they are complex.
        reasons: node → why it has no formula.
        table: which axes are the same one.
        axis_names: how axes are called, for the reader.
    """

    tape: Tape
    table: AxisTable = field(default_factory=AxisTable)
    definitions: dict[int, Definition] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)
    aliases: dict[int, int] = field(default_factory=dict)
    size_sources: dict[Axis, int] = field(default_factory=dict)
    axis_names: AxisNames = field(default_factory=lambda: AxisNames({}))
    lengths: ScalarLengths = field(init=False)
    _recorded: dict[int, int] = field(default_factory=dict)
    _array_axes: tuple[int, Mapping[str, Axes]] = (-1, {})

    def representative(self, node: int) -> int:
        """The first node that has the value of this one by the same computation."""
        while node in self.aliases:
            node = self.aliases[node]
        return node

    def name(self, node: int) -> str:
        """The name of a node's value in formulas."""
        first = self.representative(node)
        return marked(f"v{first}", self.tape.nodes[first].dtype.startswith("complex"))

    def node_of(self, array: str) -> int | None:
        """The node behind a name in formulas; None for helpers such as the positions of a maximum."""
        number = array[1:].removesuffix(MARK)
        return int(number) if number.isdigit() else None

    def _set_up_value(self, node: int) -> Any:
        """The value of a scalar that is read in the set-up only: a number, or the size that it gave."""
        if self.tape.nodes[node].value is not None:
            return self.tape.nodes[node].value
        sized = (axis for axis, source in self.size_sources.items() if source == node)
        return next((self.table.size(axis) for axis in sized), None)

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
        """The first node whose formula mentions an array; asked for when all formulas are there."""
        makers: dict[str, int] = {}
        for node, definition in self.definitions.items():
            for array in arrays_in(definition.expr):
                makers.setdefault(array, node)
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

    def _helper(self, maker: int, array: str, values: list[Any]) -> Any:
        """The value of a look-up array that the formula of a node mentions, such as the positions of a maximum."""
        node = self.tape.nodes[maker]
        operands = tuple(_operand(self, node, a, values=values) for a in node.args)
        arguments = {k: _operand(self, node, v, plain=True, values=values) for k, v in node.kwargs.items()}
        return auxiliary(node.op, self.name(maker), operands, arguments)[array]

    def weights(self, array: str) -> tuple[Node, int] | None:
        """The Fourier transform whose weights an array holds, and which of its axes they are along."""
        if not is_weights(array):
            return None
        owner, _, what = array.removesuffix(CONJUGATE).partition(".")
        node = self.node_of(owner)
        return None if node is None else (self.tape.nodes[node], int(what.partition(MARK)[2] or 0))

    def transform(self, array: str) -> Transform | None:
        """What a sum with the weights of a Fourier transform is in NumPy."""
        found = self.weights(array)
        if found is None:
            return None
        told = transform_of(found[0].op, found[1], *self._given(found[0]))
        return mirrored(told) if told is not None and array.endswith(CONJUGATE) else told

    def code_of_weights(self, array: str, size: str) -> str | None:
        """NumPy code of such weights, along an axis of a size."""
        found = self.weights(array)
        return None if found is None else code_of_weights(found[0].op, found[1], *self._given(found[0]), size)

    def _given(self, node: Node) -> tuple[tuple[Any, ...], dict[str, Any]]:
        arguments = {k: _operand(self, node, v, plain=True) for k, v in node.kwargs.items()}
        return tuple(_operand(self, node, a) for a in node.args), arguments

    def weight_axes(self, array: str) -> Axes | None:
        """The axes of such weights: that of the input and that of the transform."""
        found = self.weights(array)
        definition = None if found is None else self.definitions.get(self.representative(found[0].id))
        return None if definition is None else shown_axes(definition.expr, array.removesuffix(CONJUGATE))

    def mean_counts(self, nodes: Iterable[int]) -> list[MeanCount]:
        """The counts that the means among ``nodes`` divide by."""
        found: dict[str, MeanCount] = {}
        for node in nodes:
            recorded = self.tape.nodes[node]
            definition = self.definitions.get(node)
            if recorded.op not in MEANS or definition is None:
                continue
            operand = recorded.args[0]
            if not isinstance(operand, Ref):
                continue
            kept = {a for a in self.axes(node) if a is not None}
            axes = tuple(a for a in self.axes(operand.node) if a is not None and a not in kept)
            if axes:
                key = "size:" + "|".join(a.name for a in axes)
                count = int(np.prod([self.table.size(a) for a in axes]))
                found.setdefault(key, MeanCount(key, axes, count))
        return list(found.values())

    def sizes_replaced(self, expr: Expr) -> Expr:
        """The expression with each size written as the scalar of the program that gave it, if there is one."""
        if not any(isinstance(f, Size) for t in expr for f, _ in t.factors):
            return expr
        result: list[Term] = []
        for term in expr:
            factors = [(self._size_entry(f) if isinstance(f, Size) else f, e) for f, e in term.factors]
            made = make_term(term.coefficient, term.bound, factors)
            if made is not None:
                result.append(made)
        return tuple(result)

    def counts(self) -> dict[Axis, Entry]:
        """The scalars of the program that hold the sizes of axes."""
        found = {axis: self._size_entry(Size(axis)) for axis in self.size_sources}
        return {axis: scalar for axis, scalar in found.items() if isinstance(scalar, Entry)}

    def _size_entry(self, size: Size) -> Factor:
        axis = self.table.find(size.axis)
        seen = {axis}
        while (source := self.size_sources.get(axis)) is not None:
            scalar = self.tape.nodes[source]
            if scalar.op != "axis_size" or not isinstance(scalar.args[0], Ref):
                return Entry(self.name(source))
            read = self.axes(scalar.args[0].node)[int(scalar.kwargs.get("axis", 0))]
            if read is None or read in seen:
                break
            seen.add(read)
            axis = read
        return Size(axis)

    def scale_expr(self, coefficient: Fraction, symbols: Iterable[tuple[str, int]]) -> Expr:
        """A factor that was named by scalars and counts, as an expression."""
        factors: list[tuple[Factor, Fraction]] = []
        for key, exponent in symbols:
            if key.startswith("size:"):
                factors += [(Size(self.table.find(Axis(a))), Fraction(exponent)) for a in key[5:].split("|")]
                continue
            node = self.node_of(key)
            size = None if node is None or self.tape.nodes[node].names else self.definitions.get(node)
            if size is not None and len(size.expr) == 1 and len(size.expr[0].factors) == 1:
                factors.append((size.expr[0].factors[0][0], Fraction(exponent)))  # a size that has no name
            else:
                factors.append((Entry(key), Fraction(exponent)))
        made = make_term(coefficient, (), factors)
        return self.sizes_replaced(() if made is None else (made,))


def build_graph(tape: Tape, cuts: Iterable[int] = ()) -> Graph:
    """Derive the formula of every node of a tape.

    Arguments:
        cuts: update nodes: they have no formula, because what follows is another version; only their axes
            are those of what they update.
    """
    graph = Graph(tape)
    cut = frozenset(cuts)
    _number_values(graph, cut)
    graph.lengths = ScalarLengths(tape, graph.table, graph.axes, graph.representative)
    # Slices need sizes, and say in turn which axes are the same, so that more is known of sizes.
    for nodes in (tape.nodes, graph.lengths.asking):
        _find_size_sources(graph)
        graph.lengths.learn(graph.size_sources)
        for node in nodes:
            _define(graph, node, cut, False)
        graph.size_sources.clear()
    _find_size_sources(graph)
    graph.lengths.learn(graph.size_sources)
    graph.table.compose()
    for node in tape.nodes:
        _define(graph, node, cut, True)
    graph.size_sources = {graph.table.find(a): s for a, s in graph.size_sources.items()}
    for number, definition in graph.definitions.items():
        graph.definitions[number] = Definition(
            definition.array, definition.free, graph.sizes_replaced(definition.expr)
        )
    graph.axis_names = name_axes(graph.tape, graph.table, graph.name, graph.representative)
    return graph


def _number_values(graph: Graph, cuts: frozenset[int]) -> None:
    """Give nodes that repeat a computation the name of the first one; leaves that of their origin."""
    seen: dict[Any, int] = {}
    changing = changing_places(graph.tape)
    for node in graph.tape.nodes:
        if node.kind is Kind.LEAF and node.origin is not None and node.shape == () and node.origin not in changing:
            graph.aliases[node.id] = node.origin
            continue
        if (
            node.kind in (Kind.LEAF, Kind.LITERAL, Kind.RANDOM, Kind.OPAQUE)
            or node.id in cuts
            or node.shape is None
        ):
            continue
        if not node.op or node.window < 0:
            continue
        try:
            key = (node.op, node.shape, node.dtype, _key(graph, node.args), _key(graph, node.kwargs))
            first = seen.setdefault(key, node.id)
        except TypeError:
            continue
        if first != node.id:
            graph.aliases[node.id] = first


def changing_places(tape: Tape) -> frozenset[int]:
    """Origins of scalars that are read with several values: the variable of a loop that was run before in the set-up too.

    Their leaves are values of their own, although they were read at one place.
    """
    first: dict[int, Any] = {}
    found: set[int] = set()
    for node in tape.nodes:
        if node.kind is Kind.LEAF and node.origin is not None and node.shape == ():
            before = first.setdefault(node.origin, node.value)
            if not (before == node.value or (before != before and node.value != node.value)):
                found.add(node.origin)
    return frozenset(found)


def _key(graph: Graph, argument: Any) -> Any:
    if isinstance(argument, Ref):
        node = graph.tape.nodes[argument.node]
        if node.kind is Kind.LITERAL and not node.names:
            return ("literal", repr(node.value))
        return graph.representative(argument.node)
    if isinstance(argument, tuple | list):
        return tuple(_key(graph, item) for item in argument)
    if isinstance(argument, dict):
        return tuple(sorted((k, _key(graph, v)) for k, v in argument.items()))
    if isinstance(argument, Slice):
        return ("slice", _key(graph, (argument.start, argument.stop, argument.step)))
    if isinstance(argument, np.ndarray):
        return ("array", argument.shape, argument.tobytes())
    return (type(argument).__name__, repr(argument))


def _define(graph: Graph, node: Node, cuts: frozenset[int], final: bool) -> None:
    if node.shape is None or node.id in graph.aliases:
        return
    if node.origin is not None and node.kind is Kind.LEAF:
        origin = graph.tape.nodes[node.origin]
        if origin.shape == node.shape:
            _unite_all(graph, graph.axes(node.id), graph.axes(node.origin))
        return
    if node.kind in (Kind.LITERAL, Kind.OPAQUE, Kind.RANDOM) or node.op in ("", UNTRACKED):
        return
    if node.id in cuts:
        for argument in node.args:
            if isinstance(argument, Ref) and graph.tape.nodes[argument.node].shape == node.shape:
                _unite_all(graph, graph.axes(node.id), graph.axes(argument.node))
        return
    if node.kind is Kind.MUTATION and node.args and isinstance(node.args[0], Ref):
        before = graph.tape.nodes[node.args[0].node]
        if before.shape == node.shape:  # the same array, changed in place
            _unite_all(graph, graph.axes(node.id), graph.axes(before.id))
    if node.op == "reshape":
        _unite_asked(graph, node)
    if node.op in _OF_ARRAYS and any(isinstance(a, tuple | list) for a in node.args[:1]):
        graph.reasons[node.id] = f"{node.op} of a list of values, which is no array"
        return
    operands = tuple(_operand(graph, node, a) for a in node.args)
    arguments = {k: _operand(graph, node, v, plain=True) for k, v in node.kwargs.items()}
    try:
        definition = define(
            node.op, graph.name(node.id), operands, arguments, graph.table, node.shape, node.dtype, axes_only=not final
        )
    except NoFormula as reason:
        graph.reasons[node.id] = str(reason)
        return
    if final and node.kind is not Kind.LEAF:  # a leaf that was made by an operation has its axes only
        graph.reasons.pop(node.id, None)
        graph.definitions[node.id] = definition


def _unite_all(graph: Graph, ones: Axes, others: Axes) -> None:
    for one, other in zip(ones, others, strict=True):
        if one is not None and other is not None:
            graph.table.unite(one, other)


def _unite_asked(graph: Graph, node: Node) -> None:
    """``X.reshape(Y.shape)`` has the axes of Y."""
    for own, asked in zip(graph.axes(node.id), sizes_asked_for(node), strict=False):
        size = graph.tape.nodes[graph.representative(asked.node)] if isinstance(asked, Ref) else None
        if own is None or size is None or size.op != "axis_size" or not isinstance(size.args[0], Ref):
            continue
        other = graph.axes(size.args[0].node)[int(size.kwargs.get("axis", 0))]
        if other is not None:
            graph.table.unite(own, other)


def _operand(
    graph: Graph, user: Node, argument: Any, plain: bool = False, values: list[Any] | None = None
) -> Any:
    """An argument as the operation table wants it; with the values of a replay if they are given."""
    if isinstance(argument, Ref):
        node = graph.tape.nodes[argument.node]
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
            return node.value
        known = node.dtype.startswith(("int", "uint", "bool")) or user.op in _OF_FINITE
        return graph.table.operand(
            graph.name(node.id),
            node.shape,
            dtype=node.dtype,
            value=values[argument.node] if values is not None else node.value if known else None,
            source=graph.tape.nodes[graph.representative(node.id)].op,
        )
    if isinstance(argument, tuple | list):
        return tuple(_operand(graph, user, item, plain, values) for item in argument)
    if isinstance(argument, Slice):
        start, stop = (_bound(graph, user, p, values) for p in (argument.start, argument.stop))
        return slice(start, stop, _operand(graph, user, argument.step, True, values))
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


def _bound(graph: Graph, user: Node, argument: Any, values: list[Any] | None) -> Any:
    """A bound of a slice: a number, and what it is in sizes of axes."""
    value = _operand(graph, user, argument, True, values)
    if not isinstance(argument, Ref) or isinstance(value, bool) or not isinstance(value, int | np.integer):
        return value
    return Bound(int(value), graph.lengths.of(argument.node))


def _find_size_sources(graph: Graph) -> None:
    """Which scalar of the program gave which axis its size."""
    for node in graph.tape.nodes:
        for position, asked in enumerate(sizes_asked_for(node)):
            axis = graph.axes(node.id)[position]
            if not isinstance(asked, Ref) or axis is None:
                continue
            scalar = graph.tape.nodes[graph.representative(asked.node)]
            if (
                node.op in ("range", "arange")
                or scalar.op == "size"
                or scalar.kind is Kind.LITERAL
                and not scalar.names
            ):
                continue
            graph.size_sources.setdefault(graph.table.find(axis), scalar.id)
