"""The loss of a program that computes none: inferred from the error that its backward pass starts with.

Many programs write ``error = y - out`` and never add it up.  Comes in: such a tape.  Goes out: for each
usual loss the tape with that loss added at its end.  Which of them is meant is decided by how many updates
it explains; that it was inferred is always said.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from msgspec import Struct

from tracer.gradients.adjoints import is_real
from tracer.tape.node import Kind, Node, Ref
from tracer.tape.tape import Tape, evaluate

INFERRED = "inferred loss"


class Inferred(Struct, frozen=True):
    """A tape with an inferred loss.

    Attributes:
        tape: the tape with the loss's operations at its end.
        losses: node of each loss → the node of the error that it was inferred from.
        says: the loss in words; for one of the program's own, its name.
        own: whether the program computes it, at other values.
    """

    tape: Tape
    losses: dict[int, int]
    says: str
    own: bool = False


def inferred_losses(tape: Tape, live: frozenset[int], parameters: frozenset[int]) -> Iterator[Inferred]:
    """The tape with each usual loss of an output and its target.

    Arguments:
        live: the nodes that depend smoothly on a leaf.
        parameters: the nodes that updates change.
    """
    errors = list(_errors(tape, live, parameters))
    if not errors:
        return
    yield _with(tape, errors, _half_squares, "half the sum of squared errors")
    yield _with(tape, errors, _binary_cross_entropy, "binary cross-entropy")
    yield _with(tape, errors, _cross_entropy, "cross-entropy")


def _errors(tape: Tape, live: frozenset[int], parameters: frozenset[int]) -> Iterator[tuple[int, int, int]]:
    """Differences of an output and data: (difference, output, data), the first of each window."""
    done: set[int] = set()
    trained: set[int] = set()
    for node in tape.window_nodes():
        if node.id in parameters or not trained.isdisjoint(tape.operands(node.id)):
            trained.add(node.id)
    for node in tape.window_nodes():
        if node.op != "subtract" or node.window in done or not node.shape or not is_real(node):
            continue
        sides = [a.node for a in node.args if isinstance(a, Ref)]
        if len(sides) != 2:
            continue
        for output, data in (sides, sides[::-1]):
            computed = output in live and output in trained and tape.nodes[output].kind is not Kind.LEAF
            if computed and data not in trained and tape.nodes[data].shape == tape.nodes[output].shape:
                done.add(node.window)
                yield node.id, output, data
                break


class _Writer:
    """Appends operations to a copy of a tape."""

    def __init__(self, tape: Tape, like: Node) -> None:
        self.nodes = list(tape.nodes)
        self.like = like
        self.values: dict[int, Any] = {}

    def add(
        self, op: str, *args: Any, kind: Kind = Kind.OPERATION, names: tuple[str, ...] = (), **kwargs: Any
    ) -> Ref:
        node = Node(
            len(self.nodes), kind, op, args, kwargs, None, (), "float64", self.like.site, (), list(names)
        )
        node.window = self.like.window
        values = {n.id: n.value for n in self.nodes}
        with np.errstate(all="ignore"):
            node.value = evaluate(node, values) if kind is Kind.OPERATION else args[0]
        if kind is Kind.LITERAL:
            node.args, node.dtype = (), "float"
        node.shape = np.shape(node.value)
        self.nodes.append(node)
        return Ref(node.id)

    def number(self, value: float) -> Ref:
        return self.add("", value, kind=Kind.LITERAL)


def _half_squares(write: _Writer, difference: int, output: int, data: int) -> Ref:
    total = write.add("sum", write.add("square", Ref(difference)), axis=None, keepdims=False)
    return write.add("multiply", write.number(0.5), total, names=(INFERRED,))


def _binary_cross_entropy(write: _Writer, difference: int, output: int, data: int) -> Ref:
    one = write.number(1.0)
    hit = write.add("multiply", Ref(data), write.add("log", Ref(output)))
    rest = write.add("subtract", one, Ref(output))
    miss = write.add("multiply", write.add("subtract", one, Ref(data)), write.add("log", rest))
    total = write.add("sum", write.add("add", hit, miss), axis=None, keepdims=False)
    return write.add("negative", total, names=(INFERRED,))


def _cross_entropy(write: _Writer, difference: int, output: int, data: int) -> Ref:
    hit = write.add("multiply", Ref(data), write.add("log", Ref(output)))
    return write.add("negative", write.add("sum", hit, axis=None, keepdims=False), names=(INFERRED,))


def _with(tape: Tape, errors: list[tuple[int, int, int]], write_loss: Any, says: str) -> Inferred:
    nodes = tape.nodes
    losses: dict[int, int] = {}
    for difference, output, data in errors:
        writer = _Writer(Tape(nodes), nodes[difference])
        losses[write_loss(writer, difference, output, data).node] = difference
        nodes = writer.nodes
    return Inferred(Tape(nodes, tape.bindings, tape.windows, tape.notices), losses, says)
