"""Updates of some entries of an array: ``W[i][j] -= …``, ``P[u] += …``, a new array filled entry by entry.

Comes in: a write to an array, and the updates before it.  Goes out: the `Update` that it is, if it is one; its
``part`` is the node that read these entries first in the iteration.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tracer.gradients.adjoints import is_continuous
from tracer.matching.earlier_reads import EarlierReads
from tracer.matching.entries import Versions
from tracer.matching.entry_steps import entry_step
from tracer.matching.same_variable import is_old_version
from tracer.matching.updates import Side, Update, sides
from tracer.tape.node import Kind, Node, Ref
from tracer.tape.tape import Tape


def replaced_entry(tape: Tape, node: Node, updates: Mapping[int, Update], versions: Versions) -> Update | None:
    """``W[i][j] -= …`` and ``W[i, j] = w - …``, where ``w`` is what this entry was before."""
    step = entry_step(tape, node.id, versions)
    before = tape.operands(node.id)[0] if step is not None else node.id
    if step is None or not _is_carried(tape, before, updates):
        return None
    return Update(node.id, before, step.change, step.sign, step.part, step.decays, step.written, step.beside)


def _is_carried(tape: Tape, array: int, updates: Mapping[int, Update]) -> bool:
    """Whether an array was there before the iteration, or is the next version of one; also one laid out anew, ``Q.T``."""
    while tape.nodes[array].kind is Kind.VIEW and tape.nodes[array].op in ("transpose", "reshape"):
        array = tape.operands(array)[0]
    return is_old_version(tape, array, updates)


def replaced_part(
    tape: Tape, node: Node, updates: Mapping[int, Update], earlier: EarlierReads
) -> Update | None:
    """``P[u] += …`` and ``P[u] = P[u] - …``: some entries get their old version and a change."""
    if node.op != "setitem" or node.window < 0 or len(node.args) != 3 or not is_continuous(node):
        return None
    old, index, new = node.args
    if not isinstance(old, Ref) or not isinstance(new, Ref):
        return None
    steps = [s for s in sides(tape.nodes[new.node]) if tape.nodes[s.change].kind not in (Kind.LEAF, Kind.LITERAL)]
    if is_old_version(tape, old.node, updates):
        reads = _reads(tape, old.node, index, node.id)
        step = next((s for s in steps if s.kept in reads), None)
        if step is not None:
            first = earlier.first(old.node, index, updates, node.window) or reads[0]
            return Update(node.id, old.node, step.change, step.sign, first)
    return _assembled(tape, node, index, steps, updates)


def added_at(tape: Tape, node: Node, updates: Mapping[int, Update], earlier: EarlierReads) -> Update | None:
    """``np.add.at(P, rows, …)``, of rows that were read before: some may be meant twice."""
    if node.op != "add_at" or node.window < 0 or len(node.args) != 3 or not is_continuous(node):
        return None
    old, index, new = node.args
    if not isinstance(old, Ref) or not isinstance(new, Ref) or tape.nodes[new.node].kind in (Kind.LEAF, Kind.LITERAL):
        return None
    if not is_old_version(tape, old.node, updates):
        return None
    first = earlier.first(old.node, index, updates, node.window) or next(iter(_reads(tape, old.node, index, node.id)), None)
    return None if first is None else Update(node.id, old.node, new.node, 1, first)


def _assembled(
    tape: Tape, node: Node, index: object, steps: Iterable[Side], updates: Mapping[int, Update]
) -> Update | None:
    """``new[j] = theta[j] - …`` for each entry, and then ``theta = new``: the old version stays in another array."""
    for step in steps:
        read = tape.nodes[step.kept]
        if read.op != "getitem" or not isinstance(read.args[0], Ref):
            continue
        before = tape.nodes[read.args[0].node]
        same_place = before.shape == node.shape and _is_at(read, Ref(before.id), index)
        if is_old_version(tape, before.id, updates) and same_place and set(before.names) & _names_to_come(tape, node):
            return Update(node.id, before.id, step.change, step.sign, step.kept)
    return None


def _names_to_come(tape: Tape, node: Node) -> set[str]:
    """What an array is called when all its entries are written."""
    found = set(node.names)
    while True:
        writes = [tape.nodes[user] for user in tape.users(node.id) if tape.nodes[user].op == "setitem"]
        following = next((write for write in writes if write.args[0] == Ref(node.id)), None)
        if following is None:
            return found
        node = following
        found |= set(node.names)


def _reads(tape: Tape, container: int, index: object, before: int) -> list[int]:
    """Where a version of an array was read at an index, in order."""
    found = (user for user in tape.users(container) if user < before and tape.nodes[user].op == "getitem")
    return [user for user in found if _is_at(tape.nodes[user], Ref(container), index)]


def _is_at(read: Node, container: Ref, index: object) -> bool:
    """Whether a node reads a container at this index."""
    try:
        return read.args == (container, index)
    except ValueError:  # an index that holds arrays of constants
        return False
