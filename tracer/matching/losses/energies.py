"""The difference of free energies that a restricted Boltzmann machine goes down: contrastive divergence.

With F(v) = −a·v − Σ log(1 + exp(v W + b)) it is F(data) − F(sample), in which the sample is held constant, though it was
drawn with the same parameters (G. Hinton, *Training Products of Experts by Minimizing Contrastive Divergence*, 2002).
Comes in: a matcher that has run.  Goes out: the tape with such a loss for each iteration.  Invariant: both values of the
hidden units are the logistic function of what two products with the same parameter gave, looked up on every replay.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from tracer.gradients.adjoints import is_real
from tracer.matching.linear import descendants
from tracer.matching.losses.written import INFERRED, Inferred, TapeWriter
from tracer.matching.matcher import Matcher
from tracer.tape.node import Ref
from tracer.tape.tape import Tape, substitute

_SAYS = "a difference of free energies, -log(1 + exp(z)), of data and of a sample that is held constant"
#: By how many operations a unit follows from the product.
_MOST_STEPS = 12


class _Half(Struct, frozen=True):
    """The visible units, the probability of the hidden ones that they give, and how many visible units there are."""

    visible: int
    hidden: int
    units: int


def losses_of_energies(matcher: Matcher) -> Inferred | None:
    """The tape with the difference of free energies of each iteration; None if one has no two such halves."""
    nodes = matcher.graph.tape.nodes
    losses: dict[int, int] = {}
    for window in sorted({nodes[u].window for u in matcher.updates}):
        halves = next(_halves(matcher, window), None)
        if halves is None:
            return None
        tape = Tape(nodes)
        writer = TapeWriter(tape, nodes[halves[1].hidden])
        root = _difference(writer, tape, matcher, *halves)
        writer.nodes[root].names.append(INFERRED)
        losses[root] = halves[1].hidden
        nodes = writer.nodes
    return Inferred(matcher.graph.tape.with_nodes(nodes), losses, _SAYS) if losses else None


def _halves(matcher: Matcher, window: int) -> Iterator[tuple[_Half, _Half]]:
    """The two times that an iteration computes the hidden units with one parameter: of the data, and of the sample."""
    nodes, same = matcher.graph.tape.nodes, matcher.graph.representative
    own = [u for u in matcher.updates.values() if nodes[u.node].window == window and len(nodes[u.wrt].shape or ()) == 2]
    for update in own:
        found: dict[int, _Half] = {}
        for user in matcher.graph.tape.users(update.wrt):
            sides = matcher.graph.tape.operands(user)
            other = [k for k in sides if k != update.wrt]
            if nodes[user].op in ("dot", "matmul") and len(other) == 1:
                hidden = _logistic(matcher, user)
                if hidden is not None:
                    units = (nodes[update.wrt].shape or (0,))[0 if sides[0] == other[0] else 1]
                    found.setdefault(same(hidden), _Half(other[0], hidden, units))
        if len(found) == 2:
            first, second = sorted(found.values(), key=lambda half: half.hidden)
            if first.visible not in matcher.moving and first.hidden in matcher.all_ancestors(second.visible):
                yield first, second


def _logistic(matcher: Matcher, product: int) -> int | None:
    """What is the logistic function of a product, or of one with a bias; what only looks like it says nothing."""
    tape = matcher.graph.tape
    todo, scores = [product], [product]
    for _ in range(_MOST_STEPS):
        todo = [u for k in todo for u in tape.users(k) if tape.nodes[u].shape == tape.nodes[product].shape]
        for node in todo:
            if tape.nodes[node].op == "add" and node not in scores and not set(tape.operands(node)).isdisjoint(scores):
                scores.append(node)
            if any(_is_logistic_of(matcher, node, score) for score in scores):
                return node
    return None


def _is_logistic_of(matcher: Matcher, node: int, score: int) -> bool:
    if node == score or not is_real(matcher.graph.tape.nodes[node]) or node not in matcher.live:
        return False
    pairs = zip(matcher.replays.of(node), matcher.replays.of(score), strict=True)
    with np.errstate(over="ignore"):
        return all(np.allclose(h, 1 / (1 + np.exp(-np.asarray(z))), rtol=1e-9, atol=1e-300) for h, z in pairs)


def _difference(writer: TapeWriter, tape: Tape, matcher: Matcher, data: _Half, sample: _Half) -> int:
    """F(data) − F(sample), summed over all samples."""
    held = writer.add("held", Ref(sample.visible))
    writer.nodes[held.node].names += tape.nodes[sample.visible].names[-1:]
    new = {sample.visible: held}
    after = descendants(tape, sample.visible, matcher.updates.keys())
    for node in sorted((matcher.all_ancestors(sample.hidden) | {sample.hidden}) & after - {sample.visible}):
        made = tape.nodes[node]
        args, kwargs = ({k: new.get(k, Ref(k)) for k in tape.operands(node)} for _ in range(2))
        new[node] = writer.add(made.op, *substitute(made.args, args), **substitute(made.kwargs, kwargs))
    total = writer.add("subtract", _logs(writer, Ref(data.hidden)), _logs(writer, new[sample.hidden]))
    bias = _visible_bias(matcher, tape, sample)
    if bias is not None:
        apart = writer.add("subtract", held, Ref(data.visible))
        total = writer.add("add", total, _sum(writer, writer.add("multiply", apart, Ref(bias))))
    return total.node


def _logs(writer: TapeWriter, hidden: Ref) -> Ref:
    """Σ log(1 − h) = −Σ log(1 + exp(z))"""
    return _sum(writer, writer.add("log", writer.add("subtract", writer.number(1.0), hidden)))


def _sum(writer: TapeWriter, entries: Ref) -> Ref:
    return writer.add("sum", entries, axis=None, keepdims=False)


def _visible_bias(matcher: Matcher, tape: Tape, sample: _Half) -> int | None:
    """The parameter that is added to what the hidden units give the visible ones back."""
    nodes, window = tape.nodes, tape.nodes[sample.hidden].window
    own = {u.wrt for u in matcher.updates.values() if nodes[u.node].window == window}
    behind = matcher.all_ancestors(sample.visible)

    sums = (nodes[k] for k in sorted(behind) if nodes[k].op == "add" and nodes[k].window == window)
    added = (k for node in sums for k in tape.operands(node.id) if k in own)
    return next((k for k in added if np.size(nodes[k].value) == sample.units), None)
