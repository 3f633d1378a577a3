"""The derived formula beside the one that the program has written: the shorter one is shown, if both are equal.

Comes in: a derivation and the node that holds the gradient.  Goes out: the derivation, with the expression of the
program as its last form where that is shorter to read, such as (p − y) / m with the program's own p.  Invariant:
the two are proved equal, for all sizes; nothing is taken over from what the program only claims to be a gradient.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from tracer.calculus import NotRepresentable, arrays_in, prove_equal, substitute
from tracer.calculus.closed_form import Cost, cost
from tracer.calculus.definitions import only_factor
from tracer.calculus.linearised import is_linearised, value_equation
from tracer.calculus.patterns import Lemma
from tracer.calculus.terms import Definition, Entry, Expr, Index
from tracer.gradients.derived import DerivationStep, Derived, Free
from tracer.gradients.graph import Graph
from tracer.gradients.inlining import inline
from tracer.gradients.named_sizes import counts, sizes_replaced

#: A proof takes no longer than this.
_SECONDS = 0.6


def in_own_words(
    graph: Graph, derived: Derived, node: int, readable: set[str], gradients: set[str], lemmas: Iterable[Lemma] = ()
) -> Derived:
    """The derivation with the program's own expression as its last form, if that is shorter and proved equal.

    Arguments:
        node: what holds the gradient.
        readable: arrays that the reader has a name for.
        gradients: arrays that hold gradients themselves: they are written out.
    """
    named = frozenset(readable - gradients)
    own = _written(graph, node, derived.free, named)
    if own is None or not _shorter(cost(own, named), cost(derived.result, frozenset(readable))):
        return derived
    if derived.steps[-1].quantity.kind == "scaled":
        return derived  # a factor may be the size of an axis only in this program
    written = graph.named_definitions()
    definitions = {**written, **{n: d for n, d in derived.computed.items() if n not in written}}
    proof = prove_equal(
        derived.result, own, definitions, lemmas=lemmas, counts=counts(graph), budget_seconds=_SECONDS
    )
    if not proof.proved:
        return derived
    *before, last = derived.steps
    names = sorted(arrays_in(own) - arrays_in(derived.result))
    step = DerivationStep(last.quantity, "own words", last.free, own, own, arguments={"names": names})
    steps = (*before, step, replace(last, shown=own, expr=own))
    computed = {**derived.computed, **_behind(own, derived, written)}
    return replace(derived, steps=steps, result=own, computed=computed, held={})


def _shorter(own: Cost, other: Cost) -> bool:
    """Whether an expression is shorter, and not only in that it has fewer names without a meaning."""
    return own < other and all(mine <= its for mine, its in zip(own[:4], other[:4], strict=True))


def _behind(own: Expr, derived: Derived, definitions: Mapping[str, Definition]) -> dict[str, Definition]:
    """What the program's expression is computed from, back to what the derivation mentions already."""
    mentioned = set(derived.computed).union(*(arrays_in(s.expr) for s in derived.steps))
    mentioned = mentioned.union(*(arrays_in(d.expr) for d in derived.computed.values()))
    needed: set[str] = set()
    waiting = set(arrays_in(own)) - mentioned
    while waiting:
        name = waiting.pop()
        needed.add(name)
        definition = definitions.get(name)
        if definition is not None:
            waiting |= set(arrays_in(definition.expr)) - mentioned - needed
    values = {n: value_equation(d) for n, d in definitions.items() if n in needed}
    return {n: d for n, d in values.items() if d is not None}


def _written(graph: Graph, node: int, free: Free, named: frozenset[str]) -> Expr | None:
    """What the program writes, in arrays with a name; ``None`` if it writes something else too."""
    definition = graph.definitions.get(graph.representative(node))
    if definition is None or is_linearised(definition) or len(definition.free) != len(free):
        return None
    definitions = graph.named_definitions()
    hidden = {n: d for n, d in definitions.items() if n not in named or isinstance(only_factor(d.expr), Entry)}
    own = inline(definition.expr, hidden)
    if not arrays_in(own) <= named:
        return None
    at = {one: other for one, other in zip(definition.free, free, strict=True) if isinstance(one, Index)}
    if any(not isinstance(one, Index) and one != other for one, other in zip(definition.free, free, strict=True)):
        return None
    try:
        return sizes_replaced(graph, substitute(own, at))
    except NotRepresentable:
        return None
