"""The log-probability of what was chosen, where its gradient is written out: ``grad = -np.outer(x, p); grad[:, a] += x``.

No error ``p - onehot(a)`` is computed there that a usual loss could be inferred from.  Comes in: a matcher that has run.
Goes out: for probabilities and the place of a choice among them the tape with −log p[a] at its end.  Invariant: the
probabilities sum to 1 whatever the numbers are, and the place is one that the backward pass reads or writes at.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from tracer.gradients.adjoints import is_real
from tracer.matching.losses.names import called
from tracer.matching.losses.written import INFERRED, Inferred, TapeWriter
from tracer.matching.matcher import Matcher
from tracer.tape.node import Kind, Ref
from tracer.tape.tape import Tape

#: How many pairs are tried.
_MOST = 6


def losses_of_choices(matcher: Matcher) -> Iterator[Inferred]:
    """The tape with minus the log-probability of what was chosen in each iteration, for each pair that may be meant."""
    tape = matcher.graph.tape
    windows = sorted({tape.nodes[u].window for u in matcher.updates})
    pairs = [list(product(_probabilities(matcher, w), _places(matcher, w))) for w in windows]
    for turn in range(min(_MOST, *map(len, pairs)) if pairs else 0):
        nodes = tape.nodes
        losses: dict[int, int] = {}
        for p, place in (of_window[turn] for of_window in pairs):
            writer = TapeWriter(Tape(nodes), nodes[p])
            root = writer.add("negative", writer.add("log", writer.add("getitem", Ref(p), Ref(place))))
            writer.nodes[root.node].names.append(INFERRED)
            losses[root.node] = p
            nodes = writer.nodes
        last, chosen = (tape.nodes[n] for n in pairs[-1][turn])
        says = f"minus the logarithm of {called(last)}[{called(chosen)}], the probability of what was chosen"
        yield Inferred(tape.with_nodes(nodes), losses, says)


def _probabilities(matcher: Matcher, window: int) -> list[int]:
    """Vectors that rest on parameters, are positive and sum to 1; the last ones first, those with a name before others."""
    found, able = [], matcher.moving & matcher.live
    for node in matcher.graph.tape.window_nodes():
        if node.window != window or node.id not in able or len(node.shape or ()) != 1:
            continue
        values = matcher.replays.of(node.id) if is_real(node) and node.kind is Kind.OPERATION else [np.zeros(1)]
        if all(np.size(v) > 1 and np.all(v > 0) and np.isclose(np.sum(v), 1.0, rtol=1e-9, atol=0) for v in values):
            found.append(node.id)
    return sorted(found, key=lambda n: (not matcher.graph.tape.nodes[n].names, -n))


def _places(matcher: Matcher, window: int) -> list[int]:
    """Whole numbers that an array of the backward pass is read or written at."""
    tape = matcher.graph.tape
    behind = map(tape.nodes.__getitem__, sorted(matcher.behind_steps, reverse=True))
    indexed = (n for n in behind if n.window == window and n.op in ("getitem", "setitem"))
    places = (k for n in indexed for k in tape.operands(n.id)[1:])
    whole = (k for k in places if tape.nodes[k].shape == () and tape.nodes[k].dtype.startswith("int"))
    return [k for k in dict.fromkeys(whole) if tape.nodes[k].kind is not Kind.LITERAL]
