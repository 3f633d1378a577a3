"""The loss of a program that computes none: inferred from the error that its backward pass starts with.

Many programs write ``error = y - out`` and never add it up; where that line runs for one sample after the other
(also for single numbers), the loss is the sum over the samples.  Comes in: such a tape.  Goes out: for each usual
loss the tape with that loss added at its end.  Which of them is meant is decided by how many updates it explains;
that it was inferred is always said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

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
        how: whether the backward pass fits it, it is one of the program's own moved to other values, or several of
            them added up.
    """

    tape: Tape
    losses: dict[int, int]
    says: str
    how: Literal["fits", "moved", "added"] = "fits"


def inferred_losses(tape: Tape, live: frozenset[int], parameters: frozenset[int]) -> Iterator[Inferred]:
    """The tape with each usual loss of an output and its target.

    Arguments:
        live: the nodes that depend smoothly on a leaf.
        parameters: the nodes that updates change.
    """
    errors = _errors(tape, live, parameters)
    if not errors:
        return
    yield _with(tape, errors, _half_squares, "half the sum of squared errors")
    yield _with(tape, errors, _binary_cross_entropy, "binary cross-entropy")
    yield _with(tape, errors, _cross_entropy, "cross-entropy")


class _Error(Struct, frozen=True):
    """The nodes of a difference of an output and data."""

    difference: int
    output: int
    data: int


def trained_nodes(tape: Tape, parameters: frozenset[int]) -> set[int]:
    """The nodes that some parameter goes into."""
    trained: set[int] = set()
    for node in tape.window_nodes():
        if node.id in parameters or not trained.isdisjoint(tape.operands(node.id)):
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
        given = data not in trained and tape.nodes[data].kind is not Kind.LITERAL
        if computed and given and tape.nodes[data].shape == tape.nodes[output].shape:
            return output, data
    return None


def _errors(tape: Tape, live: frozenset[int], parameters: frozenset[int]) -> list[list[_Error]]:
    """The first line of each window that computes an error, with every sample that it was computed for."""
    trained = trained_nodes(tape, parameters)
    found: dict[int, list[_Error]] = {}
    for of_arrays in (True, False):
        known = set(found)
        for node in tape.window_nodes():
            sides = error_of(tape, node, live, trained) if bool(node.shape) is of_arrays else None
            if sides is None or node.window in known:
                continue
            errors = found.setdefault(node.window, [])
            if not errors or tape.nodes[errors[0].difference].site == node.site:
                errors.append(_Error(node.id, *sides))
    return list(found.values())


class _Writer:
    """Appends operations to a copy of a tape."""

    def __init__(self, tape: Tape, like: Node) -> None:
        self.nodes = list(tape.nodes)
        self.like = like
        self.values = [n.value for n in tape.nodes]

    def add(self, op: str, *args: Any, kind: Kind = Kind.OPERATION, **kwargs: Any) -> Ref:
        node = Node(len(self.nodes), kind, op, args, kwargs, None, (), "float64", self.like.site)
        node.window = self.like.window
        with np.errstate(all="ignore"):
            node.value = evaluate(node, self.values) if kind is Kind.OPERATION else args[0]
        if kind is Kind.LITERAL:
            node.args, node.dtype = (), "float"
        node.shape = np.shape(node.value)
        self.nodes.append(node)
        self.values.append(node.value)
        return Ref(node.id)

    def number(self, value: float) -> Ref:
        return self.add("", value, kind=Kind.LITERAL)


def _half_squares(write: _Writer, error: _Error) -> Ref:
    total = _summed(write, write.add("square", Ref(error.difference)))
    return write.add("multiply", write.number(0.5), total)


def _binary_cross_entropy(write: _Writer, error: _Error) -> Ref:
    output, data = error.output, error.data
    one = write.number(1.0)
    hit = write.add("multiply", Ref(data), write.add("log", Ref(output)))
    rest = write.add("subtract", one, Ref(output))
    miss = write.add("multiply", write.add("subtract", one, Ref(data)), write.add("log", rest))
    return write.add("negative", _summed(write, write.add("add", hit, miss)))


def _cross_entropy(write: _Writer, error: _Error) -> Ref:
    hit = write.add("multiply", Ref(error.data), write.add("log", Ref(error.output)))
    return write.add("negative", _summed(write, hit))


def _summed(write: _Writer, entries: Ref) -> Ref:
    if write.nodes[entries.node].shape == ():
        return entries
    return write.add("sum", entries, axis=None, keepdims=False)


def _with(
    tape: Tape, windows: list[list[_Error]], write_loss: Callable[[_Writer, _Error], Ref], says: str
) -> Inferred:
    nodes = tape.nodes
    losses: dict[int, int] = {}
    for errors in windows:
        first = errors[0].difference
        writer = _Writer(Tape(nodes), nodes[first])
        whole, *others = [write_loss(writer, error) for error in errors]
        for other in others:
            whole = writer.add("add", whole, other)
        writer.nodes[whole.node].names.append(INFERRED)
        losses[whole.node] = first
        nodes = writer.nodes
    return Inferred(Tape(nodes, tape.bindings, tape.windows, tape.notices), losses, says)
