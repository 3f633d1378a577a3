"""Measures that are only told to the reader: the absolute errors beside a step along the gradient of the squared ones.

Comes in: the losses that a program names.  Goes out: whether all of them add up or average ``|y - out|`` and no more.
Such a sum says how far off the outputs are; nobody's error at the output, ``y - out``, is its gradient.
"""

from __future__ import annotations

from collections.abc import Iterable

from tracer.matching.losses.errors import LAYOUT
from tracer.tape.node import Kind
from tracer.tape.tape import Tape

#: What adds up or averages values, and what picks or lays them out.
_COLLECTING = LAYOUT | {"add", "sum", "mean", "divide", "multiply", "getitem", "ravel", "astype", "float"}


def only_tell_absolute_errors(tape: Tape, losses: Iterable[int], error: int) -> bool:
    """Whether these losses are made of the absolute values of errors that one line computes, and of constants.

    Arguments:
        error: a node that is such an error.
    """
    roots = list(losses)
    return bool(roots) and all(_tells(tape, root, error) for root in roots)


def _tells(tape: Tape, root: int, error: int) -> bool:
    """Whether one loss collects absolute errors, and no other value that was computed in its iteration."""
    line = tape.nodes[error].site
    todo, seen, absolute = [root], {root}, False
    while todo:
        node = tape.nodes[todo.pop()]
        if node.kind in (Kind.LITERAL, Kind.LEAF):
            continue
        below = tape.operands(node.id)
        if node.op in ("absolute", "fabs", "abs") and len(below) == 1:
            measured = below[0]
            while tape.nodes[measured].op in _COLLECTING - {"add", "sum", "mean", "divide", "multiply"}:
                measured = tape.operands(measured)[0]
            if tape.nodes[measured].site != line:
                return False
            absolute = True
        elif node.op in _COLLECTING:
            todo += set(below) - seen
            seen |= set(below)
        else:
            return False
    return absolute
