"""Measures that are only told to the reader: absolute errors beside a step along the gradient of squared ones, late losses.

Comes in: the losses that a program names.  Goes out: whether all of them add up or average ``|y - out|`` and no more.
Such a sum says how far off the outputs are; nobody's error at the output, ``y - out``, is its gradient.
"""

from __future__ import annotations

from collections.abc import Iterable

from tracer.matching.losses.errors import LAYOUT
from tracer.matching.losses.written import Inferred
from tracer.tape.node import Kind
from tracer.tape.tape import Tape

#: What picks values or lays them out, and what adds them up or averages them.
_PICKING = LAYOUT | {"getitem", "ravel", "astype", "float"}
_COLLECTING = _PICKING | {"add", "sum", "mean", "divide", "multiply"}


def only_tell_absolute_errors(tape: Tape, losses: Iterable[int], error: int) -> bool:
    """Whether these losses are made of the absolute values of certain errors, and of constants.

    Arguments:
        error: a node that is such an error; so is what its line computes at other times, and what another one computes
            of the same two values.
    """
    roots = list(losses)
    line = tape.nodes[error].site
    errors = {n.id for n in tape.window_nodes() if n.site == line}
    differences = {frozenset(tape.operands(k)) for k in errors if tape.nodes[k].op == "subtract"}
    errors |= {n.id for n in tape.window_nodes() if n.op == "subtract" and frozenset(tape.operands(n.id)) in differences}
    return bool(roots) and all(_tells(tape, root, errors) for root in roots)


def are_alike(one: Inferred, other: Inferred) -> bool:
    """Whether two losses take the logarithms of the outputs, or neither does and both take their squares."""
    kinds = [{_kind(found.tape, root) for root in found.losses} for found in (one, other)]
    return kinds[0] == kinds[1] and len(kinds[0]) == 1


def _kind(tape: Tape, loss: int) -> str:
    """What the last steps before a loss are, as far as they only collect: logarithms, squares, or others."""
    todo, seen, found = [loss], {loss}, set[str]()
    while todo:
        node = tape.nodes[todo.pop()]
        below = tape.operands(node.id)
        squared = node.op in ("square", "power") or (node.op in ("multiply", "dot", "matmul") and len(set(below)) == 1)
        if node.op.startswith("log"):
            found.add("log")
        elif squared or node.op in ("linalg.norm", "absolute"):
            found.add("square" if squared else node.op)
        elif node.op in _COLLECTING or node.op in ("subtract", "negative", "stack", "copy"):
            todo += set(below) - seen
            seen |= set(below)
    return "log" if "log" in found else "".join(sorted(found))


def _tells(tape: Tape, root: int, errors: set[int]) -> bool:
    """Whether one loss collects absolute errors, and no other value that was computed in its iteration."""
    todo, seen, absolute = [root], {root}, False
    while todo:
        node = tape.nodes[todo.pop()]
        if node.kind in (Kind.LITERAL, Kind.LEAF):
            continue
        below = tape.operands(node.id)
        if node.op in ("absolute", "fabs", "abs") and len(below) == 1:
            measured = below[0]
            while tape.nodes[measured].op in _PICKING:
                measured = tape.operands(measured)[0]
            if measured not in errors:
                return False
            absolute = True
        elif node.op in _COLLECTING:
            todo += set(below) - seen
            seen |= set(below)
        else:
            return False
    return absolute
