"""Which loop trains, as a recording of the whole program shows it, where its text does not.

In: the tape of a program in which no training loop was recognised.  Out: the loops that compute its loss again and again,
and whether two iterations of one of them are steps of a descent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

import numpy as np

from tracer.program.loops import Loop, all_loops, names_a_gradient
from tracer.program.program import Program
from tracer.recording.cost import is_loss_name
from tracer.recording.plans import LoopEntry
from tracer.tape.node import Kind, Node, Site
from tracer.tape.tape import Tape

#: A loss that is computed so many times is computed in a loop.
_OFTEN = 3
#: A loop of so many operations is too long to be explained whole.
_LONG = 500
_SUMS = ("add", "subtract", "into")
_PARTS = ("getitem", "item", "reshape", "copy", "astype", "transpose")


def repeated_losses(tape: Tape) -> list[Node]:
    """The last value of each loss that one statement, or one function, computes again and again; the latest first."""
    found: dict[tuple[str, Site], list[int]] = {}
    for name, site, node in _losses(tape):
        found.setdefault((name, site), []).append(node)
    return [tape.nodes[nodes[-1]] for nodes in reversed(found.values()) if len(nodes) >= _OFTEN]


def midst_of_the_longest(tape: Tape, entries: Sequence[LoopEntry]) -> Node | None:
    """What was computed halfway through the loop that takes up most of a long program; None if there is none."""
    long = [e for e in entries if (e.stop or len(tape.nodes)) - e.start > max(_LONG, len(tape.nodes) // 2)]
    if not long:
        return None
    start, stop = long[0].start, long[0].stop or len(tape.nodes)
    return tape.nodes[(start + stop) // 2]


def _losses(tape: Tape) -> Iterator[tuple[str, Site, int]]:
    """Whatever is called a loss; where nothing is, the last step of every call of a function that is."""
    named = False
    for binding in tape.bindings:
        node = tape.nodes[binding.node]
        # A whole number counts something: the `j` of a loop is no objective.
        if is_loss_name(binding.name) and node.window >= 0 and node.dtype.startswith("float"):
            named = True
            yield binding.name, binding.site, binding.node
    if named:
        return
    window = list(tape.window_nodes())
    for node, after in zip_longest(window, window[1:]):
        inside = node.calls[-1] if node.calls else None
        ends = after is None or after.calls[: len(node.calls)] != node.calls
        if inside is not None and ends and node.site is not None and is_loss_name(inside.function):
            yield inside.function, inside.site, node.id


def hands_gradients_on(tape: Tape) -> bool:
    """Whether the loss of one iteration depends on gradients of the one before it.

    The state of a recurrent net is handed on too, but the earlier loss depends on that as well.  Where nothing is called
    a loss: whether something is handed on that a difference moved which was computed from it.
    """
    losses = [node for _, _, node in _losses(tape)]
    if not losses:
        return _is_corrected(tape)
    before = [node for node in losses if tape.nodes[node].window == 0]
    earlier, later = (_behind(tape, of) for of in (before, [n for n in losses if tape.nodes[n].window == 1]))
    carried = {node for node in later - earlier if tape.nodes[node].window == 0}
    return any(_is_of_a_gradient(tape.nodes[node]) for node in carried) or _descends(tape, carried, earlier)


def _is_of_a_gradient(node: Node) -> bool:
    """Whether it is called a gradient, or computed by a function that is."""
    functions = (call.function.rpartition(".")[2] for call in node.calls)
    return any(map(names_a_gradient, (*node.names, *functions)))


def _descends(tape: Tape, carried: Iterable[int], earlier: set[int]) -> bool:
    """Whether something that the earlier loss was computed from is moved by what shares a result with that loss.

    The step of a gradient rests on the errors that the loss rests on, that of a differential equation on its state.
    A result that is computed twice, as by a property, is shared too.
    """
    results = {_result(tape.nodes[k]) for k in earlier if tape.nodes[k].kind is Kind.OPERATION}
    for node in carried:
        if tape.nodes[node].op not in _SUMS:
            continue
        terms = tape.operands(node)
        for term in terms:
            start = _part_of(tape, term)
            if start not in earlier or tape.nodes[term].shape != tape.nodes[node].shape:
                continue
            for step in _behind(tape, [k for k in terms if k != term]):
                shared = tape.nodes[step].window >= 0 and _result(tape.nodes[step]) in results
                if shared and step != start and start in _behind(tape, [step]):
                    return True
    return False


def _is_corrected(tape: Tape) -> bool:
    """Whether the second iteration goes on from a value of the first to which an error was added that rests on it."""
    later = _behind(tape, [n.id for n in tape.window_nodes() if n.window == 1])
    for node in (tape.nodes[k] for k in sorted(later) if tape.nodes[k].window == 0 and tape.nodes[k].op in _SUMS):
        terms = tape.operands(node.id)
        for start in terms:
            rest = _behind(tape, [k for k in terms if k != start]) if tape.nodes[start].shape == node.shape else set()
            errors = (k for k in rest if tape.nodes[k].op == "subtract" and tape.nodes[k].window == 0)
            if start in rest and any(start in _behind(tape, [k]) for k in errors):
                return True
    return False


def _part_of(tape: Tape, node: int) -> int:
    """What a value is an entry, a row or another form of."""
    while tape.nodes[node].op in _PARTS and tape.operands(node):
        node = tape.operands(node)[0]
    return node


def _result(node: Node) -> tuple[str, bytes]:
    """The operation and what it gave."""
    return node.op, np.asarray(node.value).tobytes()


def _behind(tape: Tape, todo: list[int]) -> set[int]:
    found: set[int] = set()
    while todo:
        node = todo.pop()
        if node not in found:
            found.add(node)
            todo += tape.operands(node)
            origin = tape.nodes[node].origin
            todo += [] if origin is None else [origin]
    return found


def loops_around(
    node: Node, entries: Sequence[LoopEntry], program: Program, own: Sequence[Program]
) -> Iterator[Loop]:
    """The loops that were under way when a node was made, the outermost first.

    They need not stand around its place in the text: a callback, a generator's body is run by the loop that asks for it.
    """
    loops = [loop for each in (program, *own) for loop in all_loops(each)]
    for entry in sorted((e for e in entries if e.holds(node.id)), key=lambda e: e.start):
        path, header = entry.header.path or program.path, entry.header.span
        around = [loop for loop in loops if loop.path == path and loop.span.contains(header)]
        yield from around[-1:]  # in the order of the file: the last one is the innermost
