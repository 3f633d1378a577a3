"""The weights of Fourier transforms, which stand in formulas as arrays of their own.

Comes in: the name of such an array.  Goes out: its axes, its code, and what a sum with it is in NumPy.
"""

from __future__ import annotations

from typing import Any

from tracer import ops
from tracer.calculus import shown_axes
from tracer.calculus.complex_values import CONJUGATE, MARK, is_weights
from tracer.calculus.printing.names import Transform
from tracer.calculus.terms import Axes
from tracer.gradients.graph import Graph
from tracer.gradients.operands import operand
from tracer.tape.node import Node


def weights(graph: Graph, array: str) -> tuple[Node, int] | None:
    """The Fourier transform whose weights an array holds, and which of its axes they are along."""
    if not is_weights(array):
        return None
    owner, _, what = array.removesuffix(CONJUGATE).partition(".")
    node = graph.node_of(owner)
    return None if node is None else (graph.tape.nodes[node], int(what.partition(MARK)[2] or 0))


def transform(graph: Graph, array: str) -> Transform | None:
    """What a sum with the weights of a Fourier transform is in NumPy."""
    found = weights(graph, array)
    if found is None:
        return None
    told = ops.transform_of(found[0].op, found[1], *_given(graph, found[0]))
    return ops.mirrored(told) if told is not None and array.endswith(CONJUGATE) else told


def code_of_weights(graph: Graph, array: str, size: str) -> str | None:
    """NumPy code of such weights, along an axis of a size."""
    found = weights(graph, array)
    return None if found is None else ops.code_of_weights(found[0].op, found[1], *_given(graph, found[0]), size)


def weight_axes(graph: Graph, array: str) -> Axes | None:
    """The axes of such weights: that of the input and that of the transform."""
    found = weights(graph, array)
    definition = None if found is None else graph.definitions.get(graph.representative(found[0].id))
    return None if definition is None else shown_axes(definition.expr, array.removesuffix(CONJUGATE))


def _given(graph: Graph, node: Node) -> tuple[tuple[Any, ...], dict[str, Any]]:
    arguments = {k: operand(graph, node, v, plain=True) for k, v in node.kwargs.items()}
    return tuple(operand(graph, node, a) for a in node.args), arguments
