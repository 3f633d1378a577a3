"""Numeric vector-Jacobian products, made from the derived formulas.

Comes in: the `Graph` of a tape.  Goes out: for an edge node → operand, a function of the adjoint.  It is
the printed matrix form of the derived product, compiled: what the reader is shown is what is run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracer.calculus import arrays_in, vector_jacobian
from tracer.calculus.printing import Names, NoForm, matrix_code, open_code, statements
from tracer.calculus.terms import Expr, Index
from tracer.gradients.graph import Graph
from tracer.gradients.naming import PlainNames
from tracer.gradients.selection import moved_entries

ADJOINT = "G"
_Product = Callable[[list[Any], Any], Any]


def product_code(expr: Expr, free: tuple[Index | int, ...], names: Names) -> str:
    """Statements that leave an expression in ``result``: in matrix form, else in several steps, else entry by entry.

    Raises:
        NoForm: NumPy lacks a scalar function, or a size has no name.
    """
    try:
        return "result = " + matrix_code(expr, free, names)
    except NoForm:
        try:
            return statements(expr, free, names, "result")
        except NoForm:
            return open_code(expr, free, names)


class NumericRules:
    """The products of all edges of a graph, each derived when it is first asked for."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._products: dict[tuple[int, int], _Product | None] = {}

    def value(self, node: int) -> int:
        """The node whose value this one has: the first that carried out the same operation on the same values."""
        return self._graph.representative(node)

    def product(self, node: int, operand: int, values: list[Any], adjoint: Any) -> NDArray[Any] | None:
        """∂root/∂operand as far as it passes through ``node``; None if the edge cannot be differentiated."""
        key = (node, operand)
        if key not in self._products:
            self._products[key] = self._derive(node, operand)
        compiled = self._products[key]
        result = None if compiled is None else compiled(values, adjoint)
        if result is None:
            result = moved_entries(self._graph.tape.nodes[node], operand, values, adjoint)
        if result is None:
            return None
        return np.broadcast_to(np.asarray(result, dtype=float), np.shape(values[operand]))

    def _derive(self, node: int, operand: int) -> _Product | None:
        graph = self._graph
        definition = graph.definitions.get(graph.representative(node))
        if definition is None:
            return None
        array = graph.name(operand)
        derived = vector_jacobian(definition, array, ADJOINT, graph.axes(operand))
        used = set().union(arrays_in(derived.result), {ADJOINT, array, definition.array})
        names = PlainNames(graph, {ADJOINT: node}, used, derived.result)
        try:
            code = product_code(derived.result, derived.free, names)
        except NoForm:  # a scalar function that NumPy lacks
            return None
        compiled = compile(code, f"<derived: node {node} to {operand}>", "exec")
        sources = {names.array(a): graph.source(a) for a in used if a != ADJOINT}

        def run(values: list[Any], adjoint: Any) -> Any:
            space: dict[str, Any] = {"np": np, ADJOINT: np.asarray(adjoint)}
            for text, read in sources.items():
                space[text] = read(values)
            exec(compiled, space)  # code made by the calculus, from a formula
            return space["result"]

        return run
