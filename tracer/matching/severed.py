"""Values that came back from where nobody could follow them: through text, a file, another process.

``m = float(str(h.mean()))`` is a number like any other for the tape, but the loss depends on ``h`` through it.  Comes in: a
tape.  Goes out: the tape in which such a value is known to depend on the recorded values that it equals, so that nothing is
claimed of what lies behind it; and the values for which nothing was found, by which no gradient can be called wrong.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from msgspec.structs import replace

from tracer.gradients.adjoints import is_real
from tracer.tape.node import UNTRACKED, Kind, Node, Ref
from tracer.tape.tape import Tape, operands


def is_severed(node: Node) -> bool:
    """Whether a value was computed within a window, and not one of its operands is known."""
    lost = node.kind is Kind.OPAQUE or (node.kind is Kind.LEAF and node.op == UNTRACKED)
    return node.window >= 0 and lost and is_real(node) and not operands(node)


def is_unknown(tape: Tape, node: int) -> bool:
    """Whether a replay at other numbers keeps a value of a window that depends on them, nobody knows how."""
    value = tape.nodes[node]
    if is_severed(value):
        return True
    opaque = value.kind is Kind.OPAQUE and value.window >= 0 and is_real(value)
    return opaque and any(is_real(tape.nodes[k]) for k in operands(value))


def with_links(tape: Tape) -> Tape:
    """The tape in which severed values depend on the recorded values that they equal."""
    if not any(map(is_severed, tape.nodes)):
        return tape
    nodes = [_linked(tape, node) if is_severed(node) else node for node in tape.nodes]
    return tape.with_nodes(nodes)


def _linked(tape: Tape, severed: Node) -> Node:
    whole = _is_whole(severed)  # whole numbers are often equal by chance, but not to what was just computed
    earlier = (n for n in _earlier(tape, severed) if not whole or n.kind is Kind.OPERATION)
    same = tuple(Ref(n.id) for n in earlier if _is_alike(severed.value, n.value))
    return replace(severed, kind=Kind.OPAQUE, op=UNTRACKED, args=same, kwargs={}) if same else severed


def _earlier(tape: Tape, node: Node) -> Iterator[Node]:
    return (
        n
        for n in tape.nodes[: node.id]
        if n.window == node.window
        and n.kind not in (Kind.LITERAL, Kind.OPAQUE)
        and is_real(n)
        and np.size(n.value) == np.size(node.value)
    )


def _is_whole(node: Node) -> bool:
    value = np.asarray(node.value, dtype=float)
    return bool(np.all(value == np.round(value)))


def _is_alike(value: object, other: object) -> bool:
    """Whether two values are equal, up to the digits with which a number was written."""
    one, two = np.ravel(np.asarray(value, dtype=float)), np.ravel(np.asarray(other, dtype=float))
    if not np.all(np.isfinite(one)):
        return False
    decimals = max(len(repr(float(v)).partition(".")[2].partition("e")[0]) for v in one[:100])
    return bool(np.all(np.abs(one - two) <= 0.51 * 10.0 ** -min(decimals, 15) * np.maximum(1.0, np.abs(one))))
