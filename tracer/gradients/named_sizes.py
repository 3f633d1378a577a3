"""Sizes and counts as the scalars of the program that hold them: ``N`` for how many rows there are.

Comes in: the formulas of a tape, of which it is known who gave which axis its size.  Goes out: formulas over the
program's own scalars, and factors that were named by them.  Invariant: a size is known by who gave it, never by the
number.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np
from msgspec import Struct

from tracer.calculus.algebra import make_term
from tracer.calculus.terms import Axis, Entry, Expr, Factor, Size, Term
from tracer.gradients.graph import Graph
from tracer.tape.node import Ref

#: Operations that divide by how many entries they take together.
MEANS = frozenset(("mean", "var", "std"))


class MeanCount(Struct, frozen=True):
    """How many entries a mean was taken over: the product of the sizes of these axes."""

    key: str
    axes: tuple[Axis, ...]
    count: int


def mean_counts(graph: Graph, nodes: Iterable[int]) -> list[MeanCount]:
    """The counts that the means among ``nodes`` divide by."""
    found: dict[str, MeanCount] = {}
    for node in nodes:
        recorded = graph.tape.nodes[node]
        definition = graph.definitions.get(node)
        if recorded.op not in MEANS or definition is None:
            continue
        operand = recorded.args[0]
        if not isinstance(operand, Ref):
            continue
        kept = {a for a in graph.axes(node) if a is not None}
        axes = tuple(a for a in graph.axes(operand.node) if a is not None and a not in kept)
        if axes:
            key = "size:" + "|".join(a.name for a in axes)
            count = int(np.prod([graph.table.size(a) for a in axes]))
            found.setdefault(key, MeanCount(key, axes, count))
    return list(found.values())


def sizes_replaced(graph: Graph, expr: Expr) -> Expr:
    """The expression with each size written as the scalar of the program that gave it, if there is one."""
    if not any(isinstance(f, Size) for t in expr for f, _ in t.factors):
        return expr
    result: list[Term] = []
    for term in expr:
        factors = [(_size_entry(graph, f) if isinstance(f, Size) else f, e) for f, e in term.factors]
        made = make_term(term.coefficient, term.bound, factors)
        if made is not None:
            result.append(made)
    return tuple(result)


def counts(graph: Graph) -> dict[Axis, Entry]:
    """The scalars of the program that hold the sizes of axes."""
    found = {axis: _size_entry(graph, Size(axis)) for axis in graph.size_sources}
    return {axis: scalar for axis, scalar in found.items() if isinstance(scalar, Entry)}


def _size_entry(graph: Graph, size: Size) -> Factor:
    axis = graph.table.find(size.axis)
    seen = {axis}
    while (source := graph.size_sources.get(axis)) is not None:
        scalar = graph.tape.nodes[source]
        if scalar.op != "axis_size" or not isinstance(scalar.args[0], Ref):
            return Entry(graph.name(source))
        read = graph.axes(scalar.args[0].node)[int(scalar.kwargs.get("axis", 0))]
        if read is None or read in seen:
            break
        seen.add(read)
        axis = read
    return Size(axis)


def scale_expr(graph: Graph, coefficient: Fraction, symbols: Iterable[tuple[str, int]]) -> Expr:
    """A factor that was named by scalars and counts, as an expression."""
    factors: list[tuple[Factor, Fraction]] = []
    for key, exponent in symbols:
        if key.startswith("size:"):
            factors += [(Size(graph.table.find(Axis(a))), Fraction(exponent)) for a in key[5:].split("|")]
            continue
        node = graph.node_of(key)
        size = None if node is None or graph.tape.nodes[node].names else graph.definitions.get(node)
        if size is not None and len(size.expr) == 1 and len(size.expr[0].factors) == 1:
            factors.append((size.expr[0].factors[0][0], Fraction(exponent)))  # a size that has no name
        else:
            factors.append((Entry(key), Fraction(exponent)))
    made = make_term(coefficient, (), factors)
    return sizes_replaced(graph, () if made is None else (made,))
