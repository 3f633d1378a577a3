"""The errors that backward passes start from: differences of an output and its target, and labels taken from probabilities.

Comes in: a tape.  Goes out: for each iteration the line that computes an error, with every sample that it is
computed for, and what the errors are multiplied by before they are propagated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from tracer.gradients.adjoints import is_real
from tracer.matching.updates import Update, without_ones
from tracer.tape.node import Kind, Node, Ref
from tracer.tape.tape import Tape, references


class Error(Struct, frozen=True):
    """The nodes of a difference of an output and data.

    Attributes:
        place: where the output stands for the label, if 1 is taken from the output there; then there are no data.
        weight: what it is multiplied by before it is propagated; None for none.
        parts: the single errors that it was stacked from, with no weights; empty if it is one itself.
    """

    difference: int
    output: int
    data: int
    weight: int | None = None
    parts: tuple[Error, ...] = ()
    place: Any = None


def trained_nodes(tape: Tape, parameters: frozenset[int]) -> set[int]:
    """The nodes that some parameter goes into as a number; an action that was drawn is data."""
    trained: set[int] = set()
    for node in tape.window_nodes():
        made = node.kind is not Kind.RANDOM and any(
            k in trained and is_real(tape.nodes[k]) for k in tape.operands(node.id)
        )
        if node.id in parameters or made:
            trained.add(node.id)
    return trained


def error_of(tape: Tape, node: Node, live: frozenset[int], trained: set[int]) -> tuple[int, int] | None:
    """The output and the data that a node is the difference of; None if it is no such error."""
    if node.op != "subtract" or not is_real(node):
        return None
    sides = [a.node for a in node.args if isinstance(a, Ref)]
    if len(sides) != 2:
        return None
    for output, data in (sides, sides[::-1]):
        computed = output in live and output in trained and tape.nodes[output].kind is not Kind.LEAF
        label = tape.nodes[data]  # a number may be one by its name: action = 1 if u < p else 0
        computed = computed and not _is_a_decay(tape, output)
        given = data not in trained and (label.kind is not Kind.LITERAL or bool(label.names))
        one_each = without_ones(tape.nodes[data].shape) == without_ones(tape.nodes[output].shape)
        if computed and given and one_each and node.shape == tape.nodes[output].shape:
            return output, data
    return None


def broadcast_errors(tape: Tape, updates: Mapping[int, Update]) -> Iterator[int]:
    """The differences of outputs and data that take every output with every target: ``(n,)`` and ``(n, 1)``."""
    trained = trained_nodes(tape, frozenset(u.before for u in updates.values()))
    for node in tape.window_nodes():
        sides = tape.operands(node.id)
        if node.op != "subtract" or node.site is None or len(sides) != 2 or len(trained.intersection(sides)) != 1:
            continue
        shapes = [tape.nodes[k].shape or () for k in sides]
        count = max(map(len, shapes)) and max(shapes, key=len)[0]
        if count > 1 and sorted(shapes) == [(count,), (count, 1)]:
            yield node.id


def _is_a_decay(tape: Tape, output: int) -> bool:
    """Whether an array is a parameter times numbers, ``2 * lam * w``: a penalty's part of a step, and no output."""
    node = output
    while tape.nodes[node].op in ("multiply", "divide", "negative") and tape.nodes[node].shape:
        arrays = [k for k in tape.operands(node) if tape.nodes[k].shape]
        if len(arrays) != 1:
            return False
        [node] = arrays
    moved = tape.nodes[node].kind in (Kind.LEAF, Kind.MUTATION) or tape.nodes[node].window < tape.nodes[output].window
    return node != output and moved


def errors_of(
    tape: Tape, live: frozenset[int], parameters: frozenset[int], behind: frozenset[int]
) -> list[list[Error]]:
    """The first line of each window that computes an error, with every sample that it was computed for.

    Arguments:
        behind: the nodes that steps are computed from: what only goes into a measure starts no backward pass.  An error
            that the same line overwrites for the next sample counts: it was meant to.
    """
    lines = {(tape.nodes[n].site, tape.nodes[n].op) for n in behind}
    trained = trained_nodes(tape, parameters)
    found: dict[int, list[Error]] = {}
    for of_arrays in (True, False):
        known = set(found)
        for node in tape.window_nodes():
            able = bool(node.shape) is of_arrays and (node.id in behind or (node.site, node.op) in lines)
            error = _error_at(tape, node, live, trained) if able else None
            if error is None or node.window in known or _is_a_step(tape, node, parameters):
                continue
            errors = found.setdefault(node.window, [])
            if not errors or tape.nodes[errors[0].difference].site == node.site:
                errors.append(error)
    return list(found.values())


def _is_a_step(tape: Tape, node: Node, parameters: frozenset[int]) -> bool:
    """Whether a parameter is moved by a value, ``W + velocity``: that is no error of an output."""
    moved = (u for u in tape.users(node.id) if tape.nodes[u].op in ("add", "subtract"))
    return any(k in parameters and tape.nodes[k].shape == node.shape for u in moved for k in tape.operands(u))


def _error_at(tape: Tape, node: Node, live: frozenset[int], trained: set[int]) -> Error | None:
    sides = error_of(tape, node, live, trained)
    if sides is not None:
        return Error(node.id, *sides)
    found = _label_error(tape, node, live, trained)
    return None if found is None else Error(node.id, found[0], found[0], place=found[1])


def _label_error(tape: Tape, node: Node, live: frozenset[int], trained: set[int]) -> tuple[int, Any] | None:
    """The probabilities and the place of the labels in them, for ``probs[range(N), y] -= 1`` and for ``+= 1`` in −probs."""
    if node.op != "setitem" or len(node.args) != 3 or not (isinstance(node.args[0], Ref) and isinstance(node.args[2], Ref)):
        return None
    base, place, new = node.args
    changed = tape.nodes[new.node]
    if changed.op not in ("add", "subtract") or len(tape.operands(changed.id)) != 2:
        return None
    read, one = (tape.nodes[k] for k in tape.operands(changed.id))
    is_read = read.op == "getitem" and read.args[0] == base and repr(read.args[1]) == repr(place)
    if not is_read or one.kind is not Kind.LITERAL or one.value != 1:
        return None
    output, sign = base.node, 1
    while tape.nodes[output].op in ("copy", "negative"):
        sign = -sign if tape.nodes[output].op == "negative" else sign
        output = tape.operands(output)[0]
    computed = output in live and output in trained and tape.nodes[output].kind is not Kind.LEAF
    given = trained.isdisjoint(references(place))
    return (output, place) if computed and given and (changed.op == "subtract") == (sign > 0) else None


#: Operations that only lay errors out in another way.
LAYOUT = frozenset(
    {"array", "vstack", "hstack", "stack", "concatenate", "column_stack", "reshape", "transpose", "copy"}
)


def products(
    tape: Tape, errors: list[Error], live: frozenset[int], parameters: frozenset[int]
) -> list[Error]:
    """The errors of a window with the data that they are multiplied by, each alone or stacked before."""
    smooth: set[int] = set()
    for node in tape.window_nodes():
        if node.id in parameters or (node.id in live and not smooth.isdisjoint(tape.operands(node.id))):
            smooth.add(node.id)
    single = {e.difference: e for e in errors}
    carrying = {e.difference: frozenset({e.difference}) for e in errors}
    found: list[Error] = []
    covered: set[int] = set()
    for node in tape.window_nodes():
        read = tape.operands(node.id)
        if node.op in LAYOUT and any(k in carrying for k in read):
            if all(k in carrying or tape.nodes[k].kind is Kind.LITERAL for k in read):
                carrying[node.id] = frozenset().union(*(carrying.get(k, frozenset()) for k in read))
        elif node.op == "multiply" and len(read) == 2:
            for error, weight in (read, read[::-1]):
                given = weight not in smooth and tape.nodes[weight].kind is not Kind.LITERAL
                if error in carrying and given and covered.isdisjoint(carrying[error]):
                    covered |= carrying[error]
                    parts = tuple(single[k] for k in sorted(carrying[error])) if error not in single else ()
                    one = single.get(error, parts[0] if parts else None)
                    if one is not None:
                        found.append(Error(error, one.output, one.data, weight, parts, one.place))
    return found if covered == set(single) else []
