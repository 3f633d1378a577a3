"""How the formulas of a tape are found: values are numbered, axes are united by provenance, then each node is defined.

Comes in: a `Tape`.  Goes out: its `Graph`.  Invariant: an axis is known by who gave its size, never by the size.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tracer.calculus import arrays_in
from tracer.calculus.linearised import VALUE
from tracer.calculus.terms import Axes, Definition
from tracer.gradients.adjoints import is_continuous
from tracer.gradients.axis_names import name_axes
from tracer.gradients.graph import Graph
from tracer.gradients.lengths import ScalarLengths
from tracer.gradients.named_sizes import sizes_replaced
from tracer.gradients.numbering import repeated_computations
from tracer.gradients.operands import operand
from tracer.gradients.sizes import sizes_asked_for
from tracer.ops import NoFormula, define
from tracer.tape.node import UNTRACKED, Kind, Node, Ref
from tracer.tape.tape import Tape, references

#: Operations whose first operand is an array; NumPy makes one of a list, the table does not.
_OF_ARRAYS = frozenset(
    "sum mean prod max min std var dot matmul outer linalg.norm add subtract multiply divide power negative exp log sqrt "
    "square absolute tanh maximum minimum clip".split()
)


def build_graph(tape: Tape, cuts: Iterable[int] = ()) -> Graph:
    """Derive the formula of every node of a tape.

    Arguments:
        cuts: update nodes: they have no formula, because what follows is another version; only their axes
            are those of what they update.
    """
    cut = frozenset(cuts)
    graph = Graph(tape, aliases=repeated_computations(tape, cut))
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
            definition.array, definition.free, sizes_replaced(graph, definition.expr)
        )
    graph.axis_names = name_axes(graph.tape, graph.table, graph.name, graph.representative)
    return graph


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
    try:
        definition, unfollowed = _defined(graph, node, final)
    except NoFormula as reason:
        graph.reasons[node.id] = str(reason)
        return
    if unfollowed:
        graph.unfollowed[node.id] = unfollowed
    if final and node.kind is not Kind.LEAF:  # a leaf that was made by an operation has its axes only
        graph.reasons.pop(node.id, None)
        graph.definitions[node.id] = definition


def _defined(graph: Graph, node: Node, final: bool) -> tuple[Definition, frozenset[int]]:
    """The formula of a node, and the numbers given by keyword that it says nothing of: it holds for their values only.

    Raises:
        NoFormula: if there is none.
    """
    operands = tuple(operand(graph, node, a) for a in node.args)
    plain = {k: operand(graph, node, v, plain=True) for k, v in node.kwargs.items()}

    def made(arguments: dict[str, Any]) -> Definition:
        return define(
            node.op, graph.name(node.id), operands, arguments, graph.table, node.shape or (), node.dtype, not final
        )

    moving = {k: found for k, v in node.kwargs.items() if (found := _moving_numbers(graph, v))}
    if not moving:
        return made(plain), frozenset()
    if final:
        try:
            definition = made({**plain, **{k: operand(graph, node, node.kwargs[k]) for k in moving}})
        except NoFormula:
            pass
        else:
            mentioned = {graph.node_of(array.removesuffix(VALUE)) for array in arrays_in(definition.expr)}
            if all(n in mentioned for numbers in moving.values() for n in numbers):
                return definition, frozenset()
    return made(plain), frozenset().union(*moving.values())


def _moving_numbers(graph: Graph, argument: Any) -> frozenset[int]:
    """The single real numbers in an argument that are more than written in the program."""
    nodes = (graph.tape.nodes[number] for number in references(argument))
    moving = (n.id for n in nodes if n.shape == () and is_continuous(n) and n.kind is not Kind.LITERAL)
    return frozenset(map(graph.representative, moving))


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
