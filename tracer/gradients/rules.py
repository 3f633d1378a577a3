"""Numeric vector-Jacobian products, made from the derived formulas.

Comes in: the `Graph` of a tape.  Goes out: for an edge node → operand, a function of the adjoint.  It is
the printed matrix form of the derived product, compiled: what the reader is shown is what is run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from textwrap import indent
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracer.calculus import arrays_in, vector_jacobian
from tracer.calculus.complex_values import conjugate_of, is_complex, is_weights, marked
from tracer.calculus.printing import Names, NoForm, matrix_code, open_code, statements
from tracer.calculus.terms import Axes, Definition, Expr, Index
from tracer.gradients.graph import Graph
from tracer.gradients.likeness import Likeness, likeness
from tracer.gradients.naming import PlainNames
from tracer.gradients.selection import moved_entries
from tracer.gradients.transform_weights import transform

ADJOINT = "G"
_Product = Callable[[list[Any], Any], Any]
_WORD = re.compile(r"\w+")


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
        self._likenesses: dict[int, Likeness] = {}
        self._shared: dict[Hashable, tuple[Callable[..., Any], tuple[int, ...]] | None] = {}

    def value(self, node: int) -> int:
        """The node whose value this one has: the first that carried out the same operation on the same values."""
        return self._graph.representative(node)

    def product(self, node: int, operand: int, values: list[Any], adjoint: Any) -> NDArray[Any] | None:
        """∂root/∂operand as far as it passes through ``node``; None if the edge cannot be differentiated."""
        if not self.follows(node, operand):
            return None
        key = (node, operand)
        if key not in self._products:
            self._products[key] = self._derive(node, operand)
        compiled = self._products[key]
        result = None if compiled is None else compiled(values, adjoint)
        if result is None:
            result = moved_entries(self._graph.tape.nodes[node], operand, values, adjoint)
        if result is None:
            return None
        return np.broadcast_to(_number_like(result, values[operand]), np.shape(values[operand]))

    def _derive(self, node: int, operand: int) -> _Product | None:
        """The product of one edge; edges that differ in names only share their code."""
        graph = self._graph
        first = graph.representative(node)
        definition = graph.definitions.get(first)
        if definition is None:
            return None
        alike = self._likenesses.get(first)
        if alike is None:
            alike = self._likenesses[first] = likeness(definition, self._axes, graph.table.size, self._kind)
        array = graph.name(operand)
        key = alike.key, alike.arrays.index(array) if array in alike.arrays else array
        if key in self._shared:
            shared = self._shared[key]
            return None if shared is None else self._reading(shared[0], [alike.arrays[n] for n in shared[1]])
        code = _code(graph, definition, node, operand)
        if code is None:
            self._shared[key] = None
            return None
        function, reads = code
        if all(a in alike.arrays for a in reads):
            self._shared[key] = function, tuple(alike.arrays.index(a) for a in reads)
        return self._reading(function, reads)

    def _axes(self, array: str) -> Axes | None:
        node = self._graph.node_of(array)
        return None if node is None else self._graph.axes(node)

    def _kind(self, array: str) -> str:
        """What an array is besides its axes: the type of its entries, or which Fourier transform it holds the weights of."""
        node = self._graph.node_of(array)
        if node is not None:
            return self._graph.tape.nodes[node].dtype
        return repr(transform(self._graph, array)) if is_weights(array) else ""

    def follows(self, node: int, operand: int) -> bool:
        """Whether the formula of a node says what it owes to an operand."""
        unfollowed = self._graph.unfollowed.get(self._graph.representative(node), ())
        return self._graph.representative(operand) not in unfollowed

    def _reading(self, function: Callable[..., Any], arrays: Sequence[str]) -> _Product:
        """A function of the adjoint and of arrays as one of the adjoint and of the values of a replay."""
        sources = tuple(self._graph.source(array) for array in arrays)
        return lambda values, adjoint: function(np.asarray(adjoint), *[read(values) for read in sources])


def _number_like(result: Any, value: Any) -> NDArray[Any]:
    """A product as complex numbers if it is by complex ones; by real ones it is real, but for rounding."""
    found = np.asarray(result)
    if np.asarray(value).dtype.kind == "c":
        return found.astype(complex)
    return np.asarray(found.real, dtype=float)


def _code(
    graph: Graph, definition: Definition, node: int, operand: int
) -> tuple[Callable[..., Any], tuple[str, ...]] | None:
    """The product of an edge, compiled, and the arrays that it takes; None if NumPy lacks a function."""
    array = graph.name(operand)
    adjoint = marked(ADJOINT, is_complex(definition.array))
    derived = vector_jacobian(definition, array, adjoint, graph.axes(operand))
    mirrored = conjugate_of(adjoint)
    used = set().union(arrays_in(derived.result), {adjoint, mirrored, array, definition.array})
    names = PlainNames(graph, {adjoint: node, mirrored: node}, used, derived.result)
    try:
        code = product_code(derived.result, derived.free, names)
    except NoForm:  # a scalar function that NumPy lacks
        return None
    words = set(_WORD.findall(code))
    reads = tuple(a for a in sorted(used - {adjoint, mirrored}) if names.array(a) in words)
    head = f"def product({', '.join((adjoint, *map(names.array, reads)))}):"
    if names.array(mirrored) in words:
        head += f"\n    {names.array(mirrored)} = np.conj({adjoint})"
    text = f"{head}\n{indent(code, '    ')}\n    return result\n"
    space: dict[str, Any] = {"np": np}
    exec(compile(text, f"<derived: node {node} to {operand}>", "exec"), space)  # made by the calculus, from a formula
    function: Callable[..., Any] = space["product"]
    return function, reads
