"""Parameter updates, found by structure alone.

Comes in: a tape.  Goes out: the nodes at which a loop-carried value gets its next version by adding or
subtracting something.  Names of variables are not looked at, except to see that both versions are
the same variable.  Everything after an update belongs to the next version, so the reverse pass is cut
there, and a replay draws the new version afresh (otherwise stale operands would look right, and
random weights would run away).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Hashable, Mapping
from contextlib import suppress
from functools import cache

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from tracer.gradients.adjoints import is_continuous
from tracer.matching.carried import carried_on
from tracer.matching.entries import Versions
from tracer.matching.entry_steps import entry_step
from tracer.tape.functions import Slice
from tracer.tape.node import Kind, Node, Ref, Site
from tracer.tape.tape import Tape

#: What makes another version of the new value of a parameter before anything reads it: it is converted, kept within
#: bounds, scaled to a norm.
_ADJUSTING = frozenset(
    "copy astype float reshape into copyto clip maximum minimum multiply divide where setitem".split()
)
#: Where in its container a value stands: ``['W1']``, ``[0]``, ``.weights[0]``.
_PLACE = re.compile(r"^\w+(?P<place>(\[[^\]]+\]|\.\w+)+)$")


class Update(Struct, frozen=True):
    """``node`` = ``before`` + sign · ``change``, or so at the entries that were first read as ``part``.

    Attributes:
        part: what only some entries are the new version of, such as the row ``P[u]``; None if it is the whole.
        decays: whether the node is this for a multiple of ``before``, as with weight decay.
        written: the number that is written, if it is a single entry that changes.
        beside: what else is added to it, and was left behind by an earlier iteration; None if nothing is.
    """

    node: int
    before: int
    change: int
    sign: int
    part: int | None = None
    decays: bool = False
    written: int | None = None
    beside: int | None = None

    @property
    def wrt(self) -> int:
        """What the step is a step of: the old version, or the part of it that changes."""
        return self.before if self.part is None else self.part


def direct(node: Node) -> list[tuple[int, int]]:
    """The positions among the arguments that are nodes, with the node."""
    return [
        (position, argument.node) for position, argument in enumerate(node.args) if isinstance(argument, Ref)
    ]


def find_updates(tape: Tape) -> dict[int, Update]:
    """The update nodes of the recorded windows, in order.

    A candidate adds to or subtracts from a leaf or the result of an earlier update, keeps the shape, and
    is bound to the name of the old version or replaces it in place; or it was made where another one was made that
    is (the entries of a list have no names before the next iteration reads them, or other ones).

    A scalar counts only if its old version is used for something else too: a running total of the losses is no
    parameter.
    """
    places, versions = _rebound_places(tape), Versions(tape)
    made: dict[tuple[Site | None, str], bool] = {
        (s, n.op): u.before == tape.operands(n.id)[0]
        for u in _updates(tape, places, versions, None).values()
        if (s := (n := tape.nodes[u.node]).site) is not None
    }
    return carried_on(tape, _updates(tape, places, versions, made))


def _rebound_places(tape: Tape) -> dict[int, set[str]]:
    """The places of containers that a value was stored in, as the program writes them: ``w[j]``, ``self.b``."""
    found: dict[int, set[str]] = {}
    for binding in tape.bindings:
        found.setdefault(binding.node, set()).update(_targets(binding.site.text))
    return found


@cache
def _targets(statement: str) -> tuple[str, ...]:
    try:
        [parsed] = ast.parse(statement.strip()).body
    except (SyntaxError, ValueError):
        return ()
    match parsed:
        case ast.Assign(targets=targets):
            pass
        case ast.AugAssign(target=target):
            targets = [target]
        case _:
            return ()
    return tuple(ast.unparse(t) for t in targets if isinstance(t, ast.Subscript | ast.Attribute))


def _updates(
    tape: Tape,
    rebound: dict[int, set[str]],
    versions: Versions,
    made: Mapping[tuple[Site | None, str], bool] | None,
) -> dict[int, Update]:
    """The updates that names or structure tell.

    Arguments:
        rebound: the places that each node was stored in.
        made: where updates are made, and whether their old version is the first operand; None while that is not known.
            Then what an earlier iteration made is an old version too.
    """
    updates: dict[int, Update] = {}
    reads = EarlierReads(tape)
    for node in tape.nodes:
        replaced = (
            _replaced_whole(tape, node, updates)
            or _replaced_entry(tape, node, updates, versions)
            or _replaced_part(tape, node, updates, reads)
        )
        if replaced is not None:
            updates[node.id] = replaced
            updates.pop(tape.operands(node.id)[-1], None)  # what it is filled with is no version of its own
        else:
            _adjust(tape, node, updates)
            decayed = _decayed(tape, node, updates)
            if decayed is not None:
                updates[node.id] = decayed
        if node.window < 0 or node.op not in ("add", "subtract") or not is_continuous(node):
            continue
        for position, before in direct(node):
            if node.op == "subtract" and position != 0:
                continue
            old = tape.nodes[before]
            earlier = made is None and 0 <= old.window < node.window
            carried = old.kind is Kind.LEAF or before in updates or earlier
            alike = made is not None and made.get((node.site, node.op)) == (position == 0)
            same = (
                node.kind is Kind.MUTATION
                or alike
                or _is_same_variable(node, old)
                or bool(rebound.get(node.id, set()) & set(old.names))
                or (position == 0 and _augments_a_place(node))
            )
            fits = old.shape == node.shape or (_is_same_variable(node, old) and is_repeated(old.shape, node.shape))
            if not carried or not same or not fits or not is_continuous(old):
                continue
            rest = [other for place, other in direct(node) if place != position]
            if not rest or tape.nodes[rest[0]].kind in (Kind.LEAF, Kind.LITERAL):
                continue
            if node.shape == () and _is_running_total(tape, before, node.id):
                continue
            updates[node.id] = Update(node.id, before, rest[0], -1 if node.op == "subtract" else 1)
            break
    return updates


def _augments_a_place(node: Node) -> bool:
    """Whether a number was made by ``w[j] += …``, which stores it where its left operand was read."""
    if node.site is None or node.kind is not Kind.OPERATION:
        return False
    return len(_targets(node.site.text)) == 1


def without_ones(shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """A shape without axes of length 1: a number, and an array of one number, are the same gradient."""
    return None if shape is None else tuple(n for n in shape if n != 1)


def is_repeated(shape: tuple[int, ...] | None, to: tuple[int, ...] | None) -> bool:
    """Whether NumPy repeats an array of several axes or entries to give it another shape, as it does with a bias."""
    return bool(shape) and shape != to and fits_into(shape, to)


def fits_into(shape: tuple[int, ...] | None, to: tuple[int, ...] | None) -> bool:
    """Whether NumPy adds an array to one of another shape without a word, and keeps the other's shape."""
    if shape is None or to is None:
        return False
    try:
        return np.broadcast_shapes(shape, to) == to
    except ValueError:
        return False


def _is_same_variable(new: Node, old: Node) -> bool:
    """Whether two values were bound to one name, or to one place of a container that goes by several names.

    ``p['W']`` inside of a function is ``params['W']`` outside of it.
    """
    if set(new.names) & set(old.names):
        return True
    places = [{m["place"] for name in node.names if (m := _PLACE.search(name))} for node in (new, old)]
    return bool(places[0] & places[1])


def is_everything(index: object) -> bool:
    """Whether an index is ``...`` or ``:``."""
    return index is Ellipsis or (isinstance(index, Slice) and index == Slice())


def _replaced_whole(tape: Tape, node: Node, updates: dict[int, Update]) -> Update | None:
    """``W[:] = W - …`` and ``W[...] = W - …``: the array is filled with its old version and a change.

    So is one of single precision by ``W -= …`` of double precision.
    """
    if node.op not in ("setitem", "into") or node.window < 0 or len(node.args) < 2 or not is_continuous(node):
        return None
    old, *index, new = node.args
    everything = not index or is_everything(index[0])
    if not everything or not isinstance(old, Ref) or not isinstance(new, Ref):
        return None
    made = tape.nodes[new.node]
    before = tape.nodes[old.node]
    if made.op not in ("add", "subtract") or not (before.kind is Kind.LEAF or before.id in updates):
        return None
    sides = direct(made)
    for position, side in sides:
        rest = [other for place, other in sides if place != position]
        if side == before.id and rest and (made.op == "add" or position == 0):
            return Update(node.id, before.id, rest[0], -1 if made.op == "subtract" else 1)
    return None


def _adjust(tape: Tape, node: Node, updates: dict[int, Update]) -> None:
    """``W = np.clip(W - …, -1, 1)``, ``W = (W - …).astype(…)``, ``W -= …`` and then ``W /= norm(W)``: one update.

    It ends with the last version of the variable before something else reads it.
    """
    if node.window < 0 or node.op not in _ADJUSTING or not is_continuous(node):
        return
    for operand in tape.operands(node.id):
        made = tape.nodes[operand]
        if made.shape != node.shape or made.window != node.window or tape.users(operand)[-1] > node.id:
            continue
        known = updates.get(operand)
        if known is not None:
            if known.part is None and (node.kind is Kind.MUTATION or _is_same_variable(node, made)):
                del updates[operand]
                updates[node.id] = replace(known, node=node.id)
                return
        elif made.op in ("add", "subtract") and not made.names:
            for position, before in direct(made):
                old = tape.nodes[before]
                rest = [other for place, other in direct(made) if place != position]
                carried = old.kind is Kind.LEAF or before in updates
                if (
                    carried
                    and rest
                    and old.shape == node.shape
                    and (made.op == "add" or position == 0)
                    and _is_same_variable(node, old)
                ):
                    updates[node.id] = Update(node.id, before, rest[0], -1 if made.op == "subtract" else 1)
                    return


def _decayed(tape: Tape, node: Node, updates: dict[int, Update]) -> Update | None:
    """``W = (1 - rate * reg) * W - …`` or ``W = W - … - rate * reg * W``, also in two statements: one update.

    So are the means of an optimiser, which are read by the step that follows; and what a network carries on from one
    iteration to the next, which it then computes its output from.  A parameter was read before, and is not again.
    """
    if node.window < 0 or node.op not in ("add", "subtract") or not is_continuous(node) or not node.shape:
        return None
    for position, side in direct(node):
        other = next((o for place, o in direct(node) if place != position), None)
        if other is None or (node.op == "subtract" and position != 0):
            continue
        sign = -1 if node.op == "subtract" else 1
        before = _multiple_of(tape, side, updates)
        step = other
        if before is None:
            inner = tape.nodes[side]
            if inner.op not in ("add", "subtract") or inner.names or inner.kind is Kind.MUTATION:
                continue
            before, *rest = [o for _, o in direct(inner)]
            if not rest or _multiple_of(tape, other, updates) != before:
                continue
            step, sign = rest[0], -1 if inner.op == "subtract" else 1
        if before is None or step == before or _multiple_of(tape, step, updates) == before:
            continue
        old = tape.nodes[before]
        same = node.kind is Kind.MUTATION or _is_same_variable(node, old)
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


#: What a multiple of an array is made of.
_LINEAR = frozenset(("add", "subtract", "multiply", "divide", "negative", "copy"))


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


def _replaced_entry(tape: Tape, node: Node, updates: dict[int, Update], versions: Versions) -> Update | None:
    """``W[i][j] -= …`` and ``W[i, j] = w - …``, where ``w`` is what this entry was before."""
    step = entry_step(tape, node.id, versions)
    before = tape.operands(node.id)[0] if step is not None else node.id
    if step is None or not _is_carried(tape, before, updates):
        return None
    return Update(node.id, before, step.change, step.sign, step.part, step.decays, step.written, step.beside)


def _is_carried(tape: Tape, array: int, updates: dict[int, Update]) -> bool:
    """Whether an array was there before the iteration, or is the next version of one; also one laid out anew, ``Q.T``."""
    while tape.nodes[array].kind is Kind.VIEW and tape.nodes[array].op in ("transpose", "reshape"):
        array = tape.operands(array)[0]
    return tape.nodes[array].kind is Kind.LEAF or array in updates


def _replaced_part(tape: Tape, node: Node, updates: dict[int, Update], earlier: EarlierReads) -> Update | None:
    """``P[u] += …`` and ``P[u] = P[u] - …``: some entries get their old version and a change."""
    if node.op != "setitem" or node.window < 0 or len(node.args) != 3 or not is_continuous(node):
        return None
    old, index, new = node.args
    if not isinstance(old, Ref) or not isinstance(new, Ref):
        return None
    made = tape.nodes[new.node]
    if made.op not in ("add", "subtract"):
        return None
    if not (tape.nodes[old.node].kind is Kind.LEAF or old.node in updates):
        return _assembled(tape, node, updates)
    reads = _reads(tape, old.node, index, node.id)
    sides = direct(made)
    for position, side in sides:
        rest = [other for place, other in sides if place != position]
        known = rest and tape.nodes[rest[0]].kind not in (Kind.LEAF, Kind.LITERAL)
        if side in reads and known and (made.op == "add" or position == 0):
            first = earlier.first(old.node, index, updates) or reads[0]
            return Update(node.id, old.node, rest[0], -1 if made.op == "subtract" else 1, first)
    return _assembled(tape, node, updates)


def _assembled(tape: Tape, node: Node, updates: dict[int, Update]) -> Update | None:
    """``new[j] = theta[j] - …`` for each entry, and then ``theta = new``: the old version stays in another array."""
    _, index, new = node.args
    made = tape.nodes[new.node]
    sides = direct(made)
    for position, side in sides:
        read = tape.nodes[side]
        rest = [other for place, other in sides if place != position]
        if read.op != "getitem" or not isinstance(read.args[0], Ref) or not rest or (made.op == "subtract" and position):
            continue
        before = tape.nodes[read.args[0].node]
        carried = before.kind is Kind.LEAF or before.id in updates
        known = tape.nodes[rest[0]].kind not in (Kind.LEAF, Kind.LITERAL)
        same_place = before.shape == node.shape and _is_at(read, Ref(before.id), index)
        if carried and known and same_place and set(before.names) & _names_to_come(tape, node):
            return Update(node.id, before.id, rest[0], -1 if made.op == "subtract" else 1, side)
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


class EarlierReads:
    """Where an iteration read the entries of an array first, before it changed others of them.

    All versions that one iteration makes of an array share what was read of the earlier ones, so that thousands of
    rows can be written one after the other.
    """

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._before: dict[int, dict[Hashable, int]] = {}

    def first(self, version: int, index: object, updates: Mapping[int, Update]) -> int | None:
        """The first read at an index before a version was made: ``b[i] -= …`` comes before ``b[j] -= …``."""
        try:
            return self._earlier(version, updates).get(_hashable(index))
        except TypeError:
            return None

    def _earlier(self, version: int, updates: Mapping[int, Update]) -> dict[Hashable, int]:
        nodes, path = self._tape.nodes, []
        found: dict[Hashable, int] = {}
        while (made := updates.get(version)) is not None and made.part is not None:
            if version in self._before:
                found = self._before[version]
                break
            path.append(made)
            if nodes[made.before].window != nodes[version].window:
                break
            version = made.before
        for made in reversed(path):
            window = nodes[made.node].window
            for read in map(nodes.__getitem__, self._tape.users(made.before)):
                if read.op != "getitem" or read.window != window or read.args[0] != Ref(made.before):
                    continue
                with suppress(TypeError):
                    found.setdefault(_hashable(read.args[1]), read.id)
            self._before[made.node] = found
        return found


def _hashable(index: object) -> Hashable:
    """An index to look things up by; a `TypeError` if it holds arrays of constants."""
    if isinstance(index, list | tuple):
        return (type(index), tuple(map(_hashable, index)))
    hash(index)
    return index


def _is_at(read: Node, container: Ref, index: object) -> bool:
    """Whether a node reads a container at this index."""
    try:
        return read.args == (container, index)
    except ValueError:  # an index that holds arrays of constants
        return False


def _is_running_total(tape: Tape, before: int, update: int) -> bool:
    return all(user == update for user in tape.users(before))
