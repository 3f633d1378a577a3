"""The sum of losses that a program trains on together and never adds up, such as the two terms of an autoencoder's bound.

Comes in: a tape.  Goes out: the tape with their sum at its end.  Whether the sum
is meant is decided by how many updates it explains; that it was added up is always said.
"""

from __future__ import annotations

from collections.abc import Mapping

from tracer.gradients.adjoints import ancestors
from tracer.gradients.selection import MOVES_ENTRIES
from tracer.matching.losses.names import loss_name
from tracer.matching.losses.roots import find_roots
from tracer.matching.losses.written import Inferred, TapeWriter
from tracer.matching.updates import Update
from tracer.tape.node import Ref
from tracer.tape.tape import Tape

#: A program with more scalars than these in an iteration computes with single numbers; few of them are losses.
_MOST_SCALARS = 12


def sum_of_losses(tape: Tape, updates: Mapping[int, Update], live: frozenset[int]) -> Inferred | None:
    """The tape with the sum of the losses of each iteration that go into no other scalar; None if there are no two.

    Arguments:
        live: the nodes that depend smoothly on a leaf.
    """
    named, others = find_roots(tape, updates, live)
    roots = {r.node for r in named} if len(named) > len(tape.windows) else {r.node for r in (*named, *others)}
    # An entry that is read is no loss, nor is one of several results, such as the sign of a determinant.
    roots = {r for r in roots if tape.nodes[r].op not in MOVES_ENTRIES | {"part_of"}}
    if len(roots) > _MOST_SCALARS * len(tape.windows):
        return None
    parameters = {u.before for u in updates.values()}
    behind = {r: ancestors(tape, r, updates.keys()) for r in roots}
    roots = {r for r in roots if not parameters.isdisjoint(behind[r])}
    inner = frozenset().union(*(behind[r] - {r} for r in roots))
    by_window: dict[int, list[int]] = {}
    for root in sorted(roots - inner):
        by_window.setdefault(tape.nodes[root].window, []).append(root)
    if max(map(len, by_window.values()), default=0) < 2:
        return None
    nodes = tape.nodes
    losses: dict[int, int] = {}
    told: dict[str, None] = {}
    for together in by_window.values():
        writer = TapeWriter(Tape(nodes), nodes[together[-1]])
        whole = Ref(together[0])
        for root in together[1:]:
            whole = writer.add("add", whole, Ref(root))
        if len(together) > 1:
            names = [_name(tape, root) for root in together]
            told.update(dict.fromkeys(names))
            writer.nodes[whole.node].names.append(" + ".join(names))
        losses[whole.node] = together[-1]
        nodes = writer.nodes
    made = tape.with_nodes(nodes)
    return Inferred(made, losses, " and ".join(told), "added")


def are_computed_together(summed: Tape, tape: Tape, updates: Mapping[int, Update]) -> bool:
    """Whether no step lies between losses that were added up: else each may have a step of its own."""
    parts: dict[int, list[int]] = {}
    for node in summed.nodes[len(tape) :]:
        for part in summed.operands(node.id):
            if part < len(tape):
                parts.setdefault(node.window, []).append(part)
    return not any(min(p) < update < max(p) for p in parts.values() for update in updates)


def _name(tape: Tape, root: int) -> str:
    node = tape.nodes[root]
    return loss_name(tape, node) or (node.names or [node.site.text if node.site else "a loss"])[0]
