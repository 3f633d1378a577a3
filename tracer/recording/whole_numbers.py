"""Parameters that start as whole numbers, ``m = b = 0``: there is no derivative by one; later they are real.

In: the windows of two iterations.  Out: whether the first starts from whole numbers that it makes into others.
"""

from __future__ import annotations

from tracer.tape.node import Kind, Node, Site
from tracer.tape.tape import Tape


def starts_from_whole_numbers(tape: Tape, line: int, iteration: int) -> bool:
    """Whether something is read as a whole number in the iteration before this one, and in this one as what that made of it.

    Arguments:
        line: of the loop.
        iteration: the last of the two that were recorded.
    """
    windows = {w.iteration: at for at, w in enumerate(tape.windows) if w.loop_line == line}
    before, after = windows.get(iteration - 1), windows.get(iteration)
    if before is None or after is None:
        return False
    first: dict[tuple[Site, str], Node] = {}
    second: dict[tuple[Site, str], Node] = {}
    for node in tape.nodes:
        if node.site is not None and node.window in (before, after):
            (first if node.window == before else second).setdefault((node.site, node.op), node)
    for place, node in first.items():
        if place in second:
            for old, new in zip(tape.operands(node.id), tape.operands(second[place].id), strict=False):
                made = tape.nodes[new]
                total = made.site == node.site  # of which nothing is read but to add to it
                if not total and _is_whole_leaf(tape.nodes[old]) and _is_made_of(made, before):
                    return True
    return False


def _is_whole_leaf(node: Node) -> bool:
    return node.kind is Kind.LEAF and node.dtype.startswith("int")


def _is_made_of(node: Node, window: int) -> bool:
    """Whether a real number or array was computed in a window."""
    return node.window == window and node.kind is not Kind.LEAF and node.dtype.startswith("float")
