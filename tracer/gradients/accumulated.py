"""Arrays that parts are added to: ``dx[:, p:q] += g`` as X + g there, in the place of X with a part written anew.

Comes in: a graph.  Goes out: for the writes that add, out[f] = X[f] + Σ_s δ(f, e(s)) g[s], which mentions X once, so that
many of them one after the other can be unfolded.  Invariant: the value is that of the definition of the graph.
"""

from __future__ import annotations

from tracer.calculus.terms import Definition, Entry
from tracer.gradients.graph import Graph
from tracer.gradients.inlining import inline
from tracer.tape.node import Ref


def accumulated(graph: Graph) -> dict[str, Definition]:
    """The definitions of the writes that add to what was there."""
    found: dict[str, Definition] = {}
    for number, definition in graph.definitions.items():
        node = graph.tape.nodes[number]
        if node.op != "setitem" or number in graph.aliases or len(node.args) < 3:
            continue
        before, value = node.args[0], node.args[2]
        if not isinstance(before, Ref) or not isinstance(value, Ref):
            continue
        made = graph.tape.nodes[graph.representative(value.node)]
        if made.op not in ("add", "subtract"):
            continue
        inner = {made.id, *(graph.representative(a.node) for a in made.args if isinstance(a, Ref))}
        written = {
            d.array: d
            for n in inner
            if (d := graph.definitions.get(n)) is not None
            and (n == made.id or graph.tape.nodes[n].op == "getitem")
        }
        name = graph.name(before.node)
        expr = inline(definition.expr, written)
        mentions = [t for t in expr if any(isinstance(f, Entry) and f.array == name for f, _ in t.factors)]
        if len(mentions) == 1 and not mentions[0].bound:
            found[definition.array] = Definition(definition.array, definition.free, expr)
    return found
