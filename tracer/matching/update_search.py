"""Parameter updates, found by structure alone.

Comes in: a tape.  Goes out: the nodes at which a loop-carried value gets its next version by adding or subtracting
something. Names of variables are not looked at, except to see that both versions are the same variable.  Everything
after an update belongs to the next version, so the reverse pass is cut there, and a replay draws the new version
afresh (otherwise stale operands would look right, and random weights would run away).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from itertools import permutations

from msgspec.structs import replace

from tracer.gradients.adjoints import ancestors, is_continuous
from tracer.matching.carried import carried_on
from tracer.matching.decayed_updates import decayed
from tracer.matching.earlier_reads import EarlierReads
from tracer.matching.entries import Versions
from tracer.matching.partial_updates import added_at, replaced_entry, replaced_part
from tracer.matching.same_variable import is_named_alike, is_old_version, is_same_variable, names_of
from tracer.matching.updates import Side, Update, is_everything, is_repeated, sides
from tracer.tape.node import Kind, Node, Ref, Site
from tracer.tape.tape import Tape

#: What makes another version of the new value of a parameter before anything reads it: it is converted, kept within
#: bounds, scaled to a norm.
_ADJUSTING = frozenset(
    "copy astype float reshape into copyto clip maximum minimum multiply divide where setitem".split()
)
_PRODUCTS = frozenset(("multiply", "dot", "matmul", "inner"))


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
    rebound: Mapping[int, set[str]],
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
    earlier = EarlierReads(tape)
    for node in tape.nodes:
        replaced = (
            _replaced_whole(tape, node, updates)
            or replaced_entry(tape, node, updates, versions)
            or replaced_part(tape, node, updates, earlier)
            or added_at(tape, node, updates, earlier)
        )
        if replaced is not None:
            updates[node.id] = replaced
            if node.op != "add_at":
                updates.pop(tape.operands(node.id)[-1], None)  # what it is filled with is no version of its own
        else:
            _adjust(tape, node, updates)
            found = decayed(tape, node, updates)
            if found is not None:
                updates[node.id] = found
        if node.window < 0 or not is_continuous(node):
            continue
        for side in sides(node):
            if _is_step(tape, node, side, updates, rebound, made):
                updates[node.id] = Update(node.id, side.kept, side.change, side.sign)
                break
    return updates


def _is_step(
    tape: Tape,
    node: Node,
    side: Side,
    updates: Mapping[int, Update],
    rebound: Mapping[int, set[str]],
    made: Mapping[tuple[Site | None, str], bool] | None,
) -> bool:
    """Whether a sum is the next version of what it keeps: that is an old version of the same variable, and fits."""
    old = tape.nodes[side.kept]
    earlier = made is None and 0 <= old.window < node.window
    if not (is_old_version(tape, old.id, updates) or earlier) or not is_continuous(old):
        return False
    named_alike = is_same_variable(node, old)
    same = (
        node.kind is Kind.MUTATION
        or (made is not None and made.get((node.site, node.op)) == side.first)
        or named_alike
        or bool(rebound.get(node.id, set()) & names_of(old))
        or (side.first and _augments_a_place(node))
    )
    fits = old.shape == node.shape or (named_alike and is_repeated(old.shape, node.shape))
    if not same or not fits or tape.nodes[side.change].kind in (Kind.LEAF, Kind.LITERAL):
        return False
    if node.shape == () and _is_running_total(tape, old.id, node.id):
        return False
    return not _is_drawn(tape, old.id, side.change)


def _is_drawn(tape: Tape, before: int, change: int) -> bool:
    """Whether a change is made of what the program draws and of numbers: so a state wanders, and no parameter.

    What is drawn and multiplied by what rests on the former value is a sample that a model reads.
    """
    behind = ancestors(tape, change, ())
    nodes = [tape.nodes[k] for k in behind]
    starts = [n for n in nodes if not any(is_continuous(tape.nodes[k]) for k in tape.operands(n.id))]
    drawn = {n.id for n in starts if n.kind is Kind.RANDOM and n.op}  # what stands for a class has no operation
    if not drawn or not all(
        n.id in drawn or n.kind is Kind.LITERAL or (n.kind is Kind.LEAF and n.shape == ()) for n in starts
    ):
        return False
    if before not in behind:
        return True
    products = (n for n in nodes if n.op in _PRODUCTS)
    factors = ([ancestors(tape, k, ()) for k in tape.operands(n.id)] for n in products)
    return not any(before in one and drawn & other for pair in factors for one, other in permutations(pair, 2))


def _augments_a_place(node: Node) -> bool:
    """Whether a number was made by ``w[j] += …``, which stores it where its left operand was read."""
    if node.site is None or node.kind is not Kind.OPERATION:
        return False
    return len(_targets(node.site.text)) == 1


def _replaced_whole(tape: Tape, node: Node, updates: Mapping[int, Update]) -> Update | None:
    """``W[:] = W - …`` and ``W[...] = W - …``: the array is filled with its old version and a change.

    So is one of single precision by ``W -= …`` of double precision.
    """
    if node.op not in ("setitem", "into") or node.window < 0 or len(node.args) < 2 or not is_continuous(node):
        return None
    old, *index, new = node.args
    everything = not index or is_everything(index[0])
    if not everything or not isinstance(old, Ref) or not isinstance(new, Ref):
        return None
    if not is_old_version(tape, old.node, updates):
        return None
    found = (side for side in sides(tape.nodes[new.node]) if side.kept == old.node)
    return next((Update(node.id, old.node, side.change, side.sign) for side in found), None)


def _adjust(tape: Tape, node: Node, updates: dict[int, Update]) -> None:
    """``W = np.clip(W - …, -1, 1)``, ``W = (W - …).astype(…)``, ``W -= …`` and then ``W /= norm(W)``: one update.

    It ends with the last version of the variable before something else reads it.
    """
    if node.window < 0 or node.op not in _ADJUSTING or not is_continuous(node):
        return
    for operand in (_without_adjustments(tape, k, updates) for k in tape.operands(node.id)):
        made = tape.nodes[operand]
        if made.shape != node.shape or made.window != node.window or tape.users(operand)[-1] > node.id:
            continue
        known = updates.get(operand)
        if known is not None:
            alike = is_named_alike if node.op == "copy" else is_same_variable  # what is kept aside goes by another name
            if known.part is None and (node.kind is Kind.MUTATION or alike(node, made)):
                del updates[operand]
                updates[node.id] = replace(known, node=node.id)
                return
        elif not made.names:
            for side in sides(made):
                old = tape.nodes[side.kept]
                same = old.shape == node.shape and is_same_variable(node, old)
                if same and is_old_version(tape, old.id, updates) and not _is_drawn(tape, old.id, side.change):
                    updates[node.id] = Update(node.id, old.id, side.change, side.sign)
                    return


def _without_adjustments(tape: Tape, node: int, updates: Mapping[int, Update]) -> int:
    """What a nameless value was adjusted from: ``W - …`` of ``np.matrix(np.maximum(np.asarray(W - …), 0))``."""
    while node not in updates and not tape.nodes[node].names and tape.nodes[node].op in _ADJUSTING - {"multiply", "divide"}:
        made = [k for k in tape.operands(node) if tape.nodes[k].kind is not Kind.LITERAL]
        if len(made) != 1 or tape.users(made[0])[-1] > node:
            break
        node = made[0]
    return node


def _is_running_total(tape: Tape, before: int, update: int) -> bool:
    return all(user == update for user in tape.users(before))
