"""Several trainings in one program, each of which has a loss of its own.

Comes in: a tape with the windows of several loops that update parameters.  Goes out: the same tape with only one of these
trainings in its windows, in which a loss can be looked for; and what was found for each of them as one `Inferred`.
Invariant: a node keeps its number, so what is written behind the end for one training can be put to what others have there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec.structs import replace

from tracer.gradients.adjoints import is_real
from tracer.matching.losses.written import Inferred
from tracer.matching.updates import Update
from tracer.tape.node import Kind, Node
from tracer.tape.tape import GIVEN, Tape

#: Which way in which a loss was found out stands for all of them, the first that is among them.
_LOOSEST = ("fits", "meant", "begun", "layer", "moved", "restored", "added")


def trainings(tape: Tape, updates: Mapping[int, Update]) -> list[frozenset[int]]:
    """The windows of each loop that updates something, in program order."""
    windows: dict[int, set[int]] = defaultdict(set)
    for number, window in enumerate(tape.windows):
        windows[window.loop_line].add(number)
    moving = {tape.nodes[u].window for u in updates}
    return [frozenset(own) for own in windows.values() if not moving.isdisjoint(own)]


def alone(tape: Tape, windows: Collection[int]) -> Tape:
    """The tape with these windows only: what else was recorded is set-up, and data where it is read."""
    read = {k for n in tape.nodes if n.window in windows for k in tape.operands(n.id)}
    first = min(windows)
    return tape.with_nodes([n if n.window in windows else _outside(n, first if n.id in read else -1) for n in tape.nodes])


def _outside(node: Node, window: int) -> Node:
    """A node of another training, or of the set-up; one that a window reads becomes data of it."""
    if node.window < 0:
        return node
    if window < 0 or node.kind in GIVEN:
        return replace(node, window=window)
    kind = Kind.LEAF if is_real(node) else Kind.OPAQUE
    return replace(node, window=window, kind=kind, op="", args=(), kwargs={}, read_from=None)


def with_others(tape: Tape, own: Tape, found: Tape) -> Tape:
    """A tape with what was changed in, and written behind, one that held a single training.

    Arguments:
        own: that tape before a loss was looked for.
        found: the same with it.
    """
    nodes = [new if new is not old else node for node, old, new in zip(tape.nodes, own.nodes, found.nodes, strict=False)]
    return tape.with_nodes([*nodes, *found.nodes[len(nodes) :]])


def together(tape: Tape, found: Sequence[Inferred], own: Iterable[tuple[int, bool]]) -> Inferred:
    """What was found for several trainings, on a tape with all that was written.

    Arguments:
        own: the scalars that the program computes and other trainings go by, each with whether it is called a loss.
    """
    ways = {each.how: each for each in reversed(found)}
    first = next(ways[how] for how in _LOOSEST if how in ways)
    others = {root: root for root, _ in own}
    losses, reach = dict[int, int](others), dict[int, frozenset[int]]()
    for each in found:
        losses.update(each.losses)
        reach.update(each.reach)
    return replace(
        first,
        tape=tape,
        losses=dict(sorted(losses.items())),
        reach=reach,
        starts=frozenset().union(*(each.starts for each in found)),
        behind=frozenset().union(*(each.behind for each in found)),
        minimised=all(each.minimised for each in found) and not others,
        unnamed=frozenset(root for root, named in own if not named),
        parts=tuple(found),
    )
