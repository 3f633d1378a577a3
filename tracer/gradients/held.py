"""Values that an inferred loss holds constant, as what they are: for comparing a gradient with the code, not for taking it.

In: a graph.  Out: definitions by the name of the held value: the array that it was taken from.
"""

from __future__ import annotations

from tracer.calculus import entry
from tracer.calculus.algebra import fresh
from tracer.calculus.terms import Definition
from tracer.gradients.graph import Graph
from tracer.tape.node import Ref


def held(graph: Graph) -> dict[str, Definition]:
    """What each held value equals, entry by entry; no derivative may be taken through these definitions."""
    axes = graph.array_axes()
    found: dict[str, Definition] = {}
    for node in graph.tape.nodes:
        if node.op != "held" or node.id in graph.aliases or not isinstance(node.args[0], Ref):
            continue
        name, origin = graph.name(node.id), graph.name(node.args[0].node)
        if axes.get(name) is not None and axes.get(name) == axes.get(origin):
            free = tuple(fresh(axis) for axis in axes[name])
            found[name] = Definition(name, free, entry(origin, *free))
    return found
