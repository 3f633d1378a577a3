"""The forward pass between a node and a root, at the width a reader thinks in: one formula a named value.

Temporaries that have no name (``np.dot(hidden, W2)`` inside ``np.dot(hidden, W2) + b2``) are unfolded into
the named value that they end in.  A temporary stays a station of its own where it cannot be unfolded: as
an argument of a scalar function, or where the formula would grow beyond a few terms.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from tracer.calculus import arrays_in
from tracer.calculus.adjoint import differentiable_operands
from tracer.calculus.complex_values import MARK, without_conjugates
from tracer.calculus.terms import Definition, Expr, Function
from tracer.gradients.adjoints import ancestors
from tracer.gradients.composition import NotElementwise, composed
from tracer.gradients.graph import Graph
from tracer.gradients.inlining import inline

_MOST_TERMS = 5


class Cone(Struct, frozen=True):
    """The named values between ``wrt`` and ``root``.

    Attributes:
        stations: array → its formula over other stations and over arrays outside the cone, in program order.
        consumers: array → the stations whose formula holds it, those that lead to the root only.
    """

    root: str
    wrt: str
    stations: Mapping[str, Definition]
    consumers: Mapping[str, tuple[str, ...]]


def find_cone(graph: Graph, root: int, wrt: int, cuts: Iterable[int], named: frozenset[int]) -> Cone:
    """The stations between ``wrt`` and ``root``.

    Arguments:
        named: nodes the reader has a name for; they are never unfolded.
    """
    cut = frozenset(cuts)
    order = sorted({graph.representative(n) for n in ancestors(graph.tape, root, cut)})
    start, end = graph.representative(wrt), graph.representative(root)
    operands = _reached(graph, order, start, cut)
    leading = _leading(graph, operands, end)
    temporaries = _temporaries(graph, order, {start, *cut, *named}, operands.keys())
    stations = _stations(graph, [n for n in operands if n in leading], temporaries, {end, *named}, named)
    consumers: dict[str, tuple[str, ...]] = {}
    for array, definition in stations.items():
        for operand in differentiable_operands(definition):
            consumers[operand] = (*consumers.get(operand, ()), array)
    return Cone(graph.name(root), graph.name(wrt), dict(sorted(stations.items(), key=_by_node)), consumers)


def _reached(graph: Graph, order: Iterable[int], start: int, cut: Collection[int]) -> dict[int, tuple[str, ...]]:
    """The nodes that are computed from ``start``, with their operands, in order."""
    reached = {start}
    operands: dict[int, tuple[str, ...]] = {}
    for node in order:
        definition = graph.definitions.get(node)
        if node == start or definition is None or node in cut:
            continue
        used = differentiable_operands(definition)
        if any(graph.node_of(a) in reached for a in used):
            reached.add(node)
            operands[node] = used
    return operands


def _leading(graph: Graph, operands: Mapping[int, tuple[str, ...]], end: int) -> set[int]:
    """The nodes among them that lead to ``end``."""
    leading = {end}
    for node in sorted(operands, reverse=True):
        if node in leading:
            leading |= {n for a in operands[node] if (n := graph.node_of(a)) is not None and n in operands}
    return leading


def _temporaries(
    graph: Graph, order: Iterable[int], kept: Collection[int], inside: Collection[int]
) -> dict[str, Definition]:
    """What may be written out where it is used: all that comes from the variable and is not ``kept``, and what is simple."""
    known = ((node, graph.definitions[node]) for node in order if node in graph.definitions and node not in kept)
    return {d.array: d for node, d in known if node in inside or _is_plain(d)}


def _stations(
    graph: Graph,
    inside: Iterable[int],
    temporaries: Mapping[str, Definition],
    ends: Collection[int],
    named: Collection[int],
) -> dict[str, Definition]:
    """The formulas of the values at which something ends, in order of need.

    Arguments:
        inside: the nodes of the cone, in order.
        ends: those that are never unfolded.
    """
    stations: dict[str, Definition] = {}
    folded: dict[str, Definition] = {}
    for node in inside:
        definition = graph.definitions[node]
        inner = {a: d for a, d in temporaries.items() if a != definition.array and a not in stations} | folded
        expr = inline(definition.expr, inner)
        if node in named and without_conjugates(arrays_in(expr)) & set(inner):
            expr = _as_function(definition, inner) or expr
        reduced = Definition(definition.array, definition.free, expr)
        if node not in ends and len(expr) <= _MOST_TERMS:
            folded[definition.array] = reduced
            continue
        waiting = [reduced]
        while waiting:  # what could not be written out is a station of its own
            station = waiting.pop()
            stations[station.array] = station
            left = [a for a in without_conjugates(arrays_in(station.expr)) if a in folded]
            waiting += [folded.pop(a) for a in left]
    return stations


def _as_function(definition: Definition, temporaries: Mapping[str, Definition]) -> Expr | None:
    """The value as a scalar function of one entry, of several if need be, or None.

    A sum of several arrays, such as ``X @ W + b`` within a sigmoid, is what the function is of.
    """
    sums = {a for a, d in temporaries.items() if len(arrays_in(d.expr)) > 1}
    several: Expr | None = None
    for between in (temporaries.keys(), temporaries.keys() - sums):
        try:
            function = composed(definition, temporaries, between)
        except NotElementwise:
            continue
        if len(arrays_in(function.expr)) == 1:
            return function.expr
        several = several or function.expr
    return several


def _by_node(item: tuple[str, Definition]) -> int:
    return int(item[0][1:].removesuffix(MARK))


def _is_plain(definition: Definition) -> bool:
    """Whether a value outside the cone is simple enough to be written out where it is used."""
    return len(definition.expr) == 1 and not definition.expr[0].bound and not _holds_function(definition.expr)


def _holds_function(expr: Expr) -> bool:
    return any(isinstance(f, Function) for t in expr for f, _ in t.factors)


def only_through(graph: Graph, cone: Cone, via: int) -> tuple[Cone, str]:
    """The cone in which the variable reaches the root through one operation only, and the station that ends in.

    Raises:
        ValueError: if the operation ends in no station, or in several.
    """
    ends: set[str] = set()
    todo = [graph.representative(via)]
    seen: set[int] = set()
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        name = graph.name(node)
        if name in cone.stations:
            ends.add(name)
        else:
            todo += [graph.representative(user) for user in graph.tape.users(node)]
    if len(ends) != 1:
        raise ValueError("the operation does not end in one named value")
    (station,) = ends
    if cone.consumers.get(cone.wrt, ()).count(station) != 1:
        raise ValueError("the operation is not what the variable goes into")
    return Cone(cone.root, cone.wrt, cone.stations, {**cone.consumers, cone.wrt: (station,)}), station
