"""How arrays of formulas are called in code that is run on the values of a replay."""

from __future__ import annotations

from collections.abc import Mapping

from tracer.calculus import shown_axes
from tracer.calculus.complex_values import CONJUGATE
from tracer.calculus.printing import Names
from tracer.calculus.printing.names import Transform
from tracer.calculus.terms import Axes, Axis, Expr
from tracer.gradients.graph import Graph
from tracer.gradients.transform_weights import transform


class PlainNames(Names):
    """Every array is called by its name in the formulas, with dots made underscores.

    Arguments:
        like: arrays that are no nodes, and the node whose axes they have (the adjoint has those of its node).
        used: the arrays at hand; the size of an axis is read off one of them.
        expr: what is to be printed; it shows the axes of arrays that no node holds.
    """

    def __init__(self, graph: Graph, like: Mapping[str, int], used: set[str], expr: Expr = ()) -> None:
        self._graph = graph
        self._expr = expr
        self._like = dict(like)
        self._used = sorted(used)

    def array(self, name: str) -> str:
        return name.replace(".", "_")

    def axes(self, name: str) -> Axes | None:
        node = self._like.get(name, self._graph.node_of(name.removesuffix(CONJUGATE)))
        return shown_axes(self._expr, name) if node is None else self._graph.axes(node)

    def size(self, axis: Axis) -> str:
        for name in self._used:
            axes = self.axes(name)
            if axes is not None and axis in axes:
                return f"{self.array(name)}.shape[{axes.index(axis)}]"
        return str(self._graph.table.size(axis))  # the code is run on arrays of these sizes only

    def transform(self, name: str) -> Transform | None:
        return transform(self._graph, name)

    def is_integer(self, name: str) -> bool:
        node = self._graph.node_of(name)
        return node is None or self._graph.tape.nodes[node].dtype.startswith(("int", "uint"))

    def is_boolean(self, name: str) -> bool:
        node = self._graph.node_of(name)
        return node is not None and self._graph.tape.nodes[node].dtype == "bool"
