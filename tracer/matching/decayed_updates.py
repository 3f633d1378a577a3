"""Updates with weight decay: the new version is a multiple of the old one, and a change.

Comes in: a node, and the updates before it.  Goes out: the `Update` that it is, if it is one.  Invariant: a parameter
was read before its step and is not read again after it; what else decays, as the means of an optimiser, is none.
"""

from __future__ import annotations

from collections.abc import Mapping

from tracer.gradients.adjoints import is_continuous
from tracer.matching.same_variable import is_same_variable
from tracer.matching.updates import Update, direct, sides
from tracer.tape.node import Kind, Node
from tracer.tape.tape import Tape

#: What a multiple of an array is made of.
_LINEAR = frozenset(("add", "subtract", "multiply", "divide", "negative", "copy"))


def decayed(tape: Tape, node: Node, updates: dict[int, Update]) -> Update | None:
    """``W = (1 - rate * reg) * W - …`` or ``W = W - … - rate * reg * W``, also in two statements: one update.

    So are the means of an optimiser, which are read by the step that follows; and what a network carries on from one
    iteration to the next, which it then computes its output from.  A parameter was read before, and is not again.
    """
    if node.window < 0 or not is_continuous(node) or not node.shape:
        return None
    for way in sides(node):
        side, step, sign = way.kept, way.change, way.sign
        before = _multiple_of(tape, side, updates)
        if before is None:
            inner = tape.nodes[side]
            if inner.op not in ("add", "subtract") or inner.names or inner.kind is Kind.MUTATION:
                continue
            before, *rest = [o for _, o in direct(inner)]
            if not rest or _multiple_of(tape, way.change, updates) != before:
                continue
            step, sign = rest[0], -1 if inner.op == "subtract" else 1
        if before is None or step == before or _multiple_of(tape, step, updates) == before:
            continue
        old = tape.nodes[before]
        same = node.kind is Kind.MUTATION or is_same_variable(node, old)
        own = {node.id, side}
        again = any(tape.nodes[u].window == node.window and u not in own for k in own for u in tape.users(k))
        read = any(u < side and _is_work(tape, u, before) for u in tape.users(before))
        if old.shape == node.shape and same and read and not again:
            updates.pop(side, None)
            return Update(node.id, before, step, sign, decays=True)
    return None


def _is_work(tape: Tape, user: int, array: int) -> bool:
    """Whether a value is computed from an array as from a parameter: a product with it, or it as a bias."""
    node = tape.nodes[user]
    if node.op not in _LINEAR:
        return True
    others = [tape.nodes[k] for k in tape.operands(user) if k != array]
    repeated = node.shape != tape.nodes[array].shape
    return node.op == "add" and (repeated or any(other.op in ("dot", "matmul") for other in others))


def _multiple_of(tape: Tape, node: int, updates: Mapping[int, Update]) -> int | None:
    """The old version of a variable that a value is a multiple of, but not the version itself; None if there is none."""
    found: set[int] = set()
    todo = [node]
    while todo:
        current = todo.pop()
        recorded = tape.nodes[current]
        if recorded.shape == ():
            continue
        old = recorded.kind is Kind.LEAF or (current in updates and current != node)
        if old:
            found.add(current)
        elif recorded.op in _LINEAR and recorded.window == tape.nodes[node].window:
            todo += tape.operands(current)
        else:
            return None
        if len(found) > 1 or (old and current == node):
            return None
    return found.pop() if found else None
