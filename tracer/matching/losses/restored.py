"""A loss that is computed from an array which the backward pass has changed in place by then, with the array as it was.

``dscores = probs`` gives an array a second name; after ``dscores[rows, y] -= 1`` the line that takes the logarithm of
``probs`` computes no loss.  Comes in: a matcher.  Goes out: for each loss of the program that reads such an array the tape
with its operations once more at the end, reading the values from before the change.  Invariant: only what the steps go back
through is taken to be changed, and the first values of the array are those that an operation computed.
"""

from __future__ import annotations

from collections.abc import Iterator

from tracer.matching.losses.copied import copied, told_by_copies
from tracer.matching.losses.written import Inferred
from tracer.matching.matcher import Matcher
from tracer.tape.node import Kind
from tracer.tape.tape import Tape

#: How many losses are tried, the last ones first.
_MOST_LOSSES = 4


def restored_losses(matcher: Matcher) -> Iterator[Inferred]:
    """The tape with each named loss that reads arrays changed by the backward pass, reading them as they were."""
    tape, updates = matcher.graph.tape, matcher.updates
    backward = matcher.behind_steps
    named = [r.node for r in (*matcher.roots, *matcher.unmoved) if r.named]
    for root in sorted(named, reverse=True)[:_MOST_LOSSES]:
        inside = sorted(matcher.all_ancestors(root))
        step = next((u for u in updates.values() if tape.nodes[u.node].window == tape.nodes[root].window), None)
        changed = (n for n in inside if not backward.isdisjoint((n, *tape.operands(n)[1:])))  # a view is changed in its base
        instead = {n: before for n in changed if (before := _before_changes(tape, n)) is not None}
        if step is None or not instead:
            continue
        copies = copied(tape, inside, instead, {}, root, step)
        if copies is not None:
            yield told_by_copies(tape, root, copies, max(instead.values()), "restored")


def _before_changes(tape: Tape, node: int) -> int | None:
    """What an operation computed, where a node is that array after changes in place; None if there was no change."""
    first = node
    while tape.nodes[first].kind is Kind.MUTATION:
        first = tape.operands(first)[0]
    return first if first != node and tape.nodes[first].kind is Kind.OPERATION else None
