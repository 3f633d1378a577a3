"""The scalars ⟨dout, out⟩ = Σ dout ⊙ out of layers that are called by hand, with no loss behind them.

``affine_backward(dout, cache)`` computes the gradient of whatever loss has the gradient ``dout`` by the layer's output;
which loss that is does not matter, and ⟨dout, out⟩ is one.  Comes in: a matcher that has run, and has explained no update.
Goes out: the tape with such a scalar for every backward pass that starts from data.  Which values can be
gradients of it goes out too: those that are computed from its ``dout``, and from nothing of another forward pass.
"""

from __future__ import annotations

from msgspec.structs import replace

from tracer.gradients.adjoints import is_real
from tracer.matching.linear import descendants
from tracer.matching.losses.pairing import Backward, Pair, Pairing
from tracer.matching.losses.written import Inferred, TapeWriter
from tracer.matching.matcher import Matcher
from tracer.tape.node import Kind, Node, Ref
from tracer.tape.tape import Tape

_ZEROS = frozenset(("zeros", "zeros_like"))


def layer_losses(matcher: Matcher) -> Inferred | None:
    """The tape with ⟨dout, out⟩ of each backward pass that is run by hand; None if there is none."""
    tape = matcher.graph.tape
    found = [_without_zeros(tape, backward) for backward in Pairing(matcher).found()]
    if not found:
        return None
    chosen = {k for backward in found for pair in backward.pairs for k in matcher.all_ancestors(pair.output)}
    nodes = [_constant(node, chosen | matcher.forward) for node in tape.nodes]
    losses = {r.node: r.node for r in matcher.roots if r.named}
    reach: dict[int, frozenset[int]] = {}
    told: dict[str, None] = {}
    for backward in found:
        writer = TapeWriter(Tape(nodes), nodes[backward.pairs[0].upstream])
        root = _written(writer, backward.pairs)
        name = " + ".join(f"⟨{_called(tape, p.upstream)}, {_called(tape, p.output)}⟩" for p in backward.pairs)
        writer.nodes[root].names.append(name)
        told[name] = None
        losses[root] = max(k for pair in backward.pairs for k in (pair.upstream, pair.output))
        reach[root] = _reach(matcher, backward, found)
        nodes = writer.nodes
    made = tape.with_nodes(nodes)
    return Inferred(made, losses, ", ".join(told), "layer", reach=reach)


def _written(writer: TapeWriter, pairs: tuple[Pair, ...]) -> int:
    whole: Ref | None = None
    for pair in pairs:
        weighted = writer.add("multiply", Ref(pair.upstream), Ref(pair.output))
        term = writer.add("sum", weighted, axis=None, keepdims=False)
        whole = term if whole is None else writer.add("add", whole, term)
    assert whole is not None
    return whole.node


def _reach(matcher: Matcher, backward: Backward, others: list[Backward]) -> frozenset[int]:
    """What is computed from the arrays that come in, and from no forward pass that is another one's alone."""
    tape, cuts = matcher.graph.tape, matcher.updates.keys()
    own = frozenset().union(*(matcher.all_ancestors(p.output) for p in backward.pairs))
    upstream = {p.upstream for p in backward.pairs}
    same = [b for b in others if b is not backward and any(p.upstream in upstream for p in b.pairs)]
    foreign = frozenset().union(*(matcher.all_ancestors(p.output) for b in same for p in b.pairs)) - own
    foreign = frozenset(n for n in foreign if is_real(tape.nodes[n]))
    reached = frozenset().union(*(descendants(tape, u, cuts) for u in upstream))
    return (
        frozenset(n for n in reached if foreign.isdisjoint(matcher.all_ancestors(n))) if foreign else reached
    )


def _without_zeros(tape: Tape, backward: Backward) -> Backward:
    """A backward pass without the zeros that it starts from beside the gradient that comes in."""
    pairs = tuple(p for p in backward.pairs if tape.nodes[p.upstream].op not in _ZEROS)
    return Backward(pairs or backward.pairs, backward.explained)


def _constant(node: Node, forward: set[int] | frozenset[int]) -> Node:
    """An array of zeros that only a backward pass reads is where a sum starts, and no variable."""
    is_start = node.kind is Kind.LEAF and node.op in _ZEROS and node.id not in forward
    return replace(node, kind=Kind.OPERATION) if is_start else node


def _called(tape: Tape, node: int) -> str:
    recorded = tape.nodes[node]
    names = [n for n in recorded.names if n.strip("_")]
    return names[0] if names else recorded.site.text if recorded.site else f"node {node}"
