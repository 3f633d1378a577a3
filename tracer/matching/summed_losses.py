"""Losses that a program computes apart and trains on together, such as a reconstruction and a divergence.

Many programs return the parts of their loss and never add them up; their backward pass is that of the sum.  Comes in: a
tape and its losses.  Goes out: the tape with the sum of the losses of each iteration at its end.  Whether that is meant is
decided by the updates that it explains; that the losses were added is always said.
"""

from __future__ import annotations

from collections.abc import Sequence

from tracer.gradients.adjoints import ancestors
from tracer.matching.candidates import Matcher
from tracer.matching.inference import Inferred
from tracer.matching.inference import _Writer as TapeWriter
from tracer.matching.roots import loss_name
from tracer.tape.node import Ref
from tracer.tape.tape import Tape

#: More losses than these are measurements rather than parts of one loss.
_MOST_PARTS = 4


def summed_losses(matcher: Matcher) -> Inferred | None:
    """The tape with the losses of each iteration added up; None if there are no two that rest on one parameter."""
    tape = matcher.graph.tape
    nodes = tape.nodes
    losses: dict[int, int] = {}
    says = ""
    for window in range(len(tape.windows)):
        roots = [r for r in matcher.roots if tape.nodes[r.node].window == window]
        parts = _parts(matcher, [r.node for r in roots if r.named] or [r.node for r in roots])
        if not 2 <= len(parts) <= _MOST_PARTS:
            continue
        says = " + ".join(_name(tape, part) for part in parts)
        writer = TapeWriter(Tape(nodes), tape.nodes[parts[-1]])
        total = Ref(parts[0])
        for part in parts[1:]:
            total = writer.add("add", total, Ref(part))
        writer.nodes[-1].names.append(says)
        losses[total.node] = parts[-1]
        nodes = writer.nodes
    if not losses:
        return None
    summed = Tape(nodes, tape.bindings, tape.windows, tape.notices)
    return Inferred(summed, losses, says, "added")


def _parts(matcher: Matcher, roots: Sequence[int]) -> list[int]:
    """The losses that are no part of one another and rest on a parameter that another one rests on too."""
    tape = matcher.graph.tape
    behind = {root: ancestors(tape, root, matcher.updates.keys()) for root in roots}
    apart = [r for r in roots if not any(r in behind[other] for other in roots if other != r)]
    parameters = {u.before for u in matcher.updates.values()}
    own = {root: parameters & matcher.adjoints[root][0].full.keys() for root in apart}
    return [r for r in apart if any(own[r] & own[other] for other in apart if other != r)]


def _name(tape: Tape, root: int) -> str:
    node = tape.nodes[root]
    return loss_name(tape, node) or (node.site.text if node.site else f"node {root}")
