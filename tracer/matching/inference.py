"""The loss of a program that computes none: inferred from the error that its backward pass starts with.

Many programs write ``error = y - out`` and never add it up; where that line runs for one sample after the other
(also for single numbers), the loss is the sum over the samples.  Comes in: such a tape.  Goes out: for each usual
loss the tape with that loss added at its end.  Which of them is meant is decided by how many updates it explains;
that it was inferred is always said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import numpy as np
from msgspec import Struct

from tracer.gradients.adjoints import is_real
from tracer.tape.node import Kind, Node, Ref
from tracer.tape.tape import Tape, evaluate, references, substitute

INFERRED = "inferred loss"


class Inferred(Struct, frozen=True):
    """A tape with an inferred loss.

    Attributes:
        tape: the tape with the loss's operations at its end.
        losses: node of each loss → the node of the error that it was inferred from.
        says: the loss in words; for one of the program's own, its name.
        how: whether the backward pass fits it, it is one of the program's own moved to other values, several of
            them added up, or what stands for the loss behind a layer that is called by hand.
        reach: losses that only some values can be gradients of → those values.
    """

    tape: Tape
    losses: dict[int, int]
    says: str
    how: Literal["fits", "moved", "added", "layer"] = "fits"
    reach: Mapping[int, frozenset[int]] = {}


def inferred_losses(tape: Tape, live: frozenset[int], parameters: frozenset[int]) -> Iterator[Inferred]:
    """The tape with each usual loss of an output and its target.

    Arguments:
        live: the nodes that depend smoothly on a leaf.
        parameters: the nodes that updates change.
    """
    errors = _errors(tape, live, parameters)
    if not errors:
        return
    if any(e.place is not None for e in errors[0]):
        yield from _of_labels(tape, errors, live, parameters)
        return
    yield _with(tape, errors, _half_squares, "half the sum of squared errors")
    yield _with(tape, errors, _binary_cross_entropy, "binary cross-entropy")
    yield _with(tape, errors, _cross_entropy, "cross-entropy")
    products = [p for p in (_products(tape, e, live, parameters) for e in errors) if p]
    if len(products) == len(errors):
        # As of a policy: the gradient of log p, weighted by what an action was worth.
        says = f"weighted by {_called(tape, products[0][0].weight)}, which is held constant"
        yield _with(tape, products, _binary_cross_entropy, f"binary cross-entropy {says}")
        yield _with(tape, products, _cross_entropy, f"cross-entropy {says}")
        yield _with(tape, products, _half_squares, f"half the sum of squared errors {says}")


def _of_labels(
    tape: Tape, errors: list[list[_Error]], live: frozenset[int], parameters: frozenset[int]
) -> Iterator[Inferred]:
    """The cross-entropy of probabilities and labels, from ``probs[range(N), y] -= 1``."""
    yield _with(tape, errors, _cross_entropy, "cross-entropy")
    products = [p for p in (_products(tape, e, live, parameters) for e in errors) if p]
    if len(products) == len(errors):
        says = f"weighted by {_called(tape, products[0][0].weight)}, which is held constant"
        yield _with(tape, products, _cross_entropy, f"cross-entropy {says}")


class _Error(Struct, frozen=True):
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
    parts: tuple[_Error, ...] = ()
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
        given = data not in trained and (label.kind is not Kind.LITERAL or bool(label.names))
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
            error = _error_at(tape, node, live, trained) if bool(node.shape) is of_arrays else None
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


def _error_at(tape: Tape, node: Node, live: frozenset[int], trained: set[int]) -> _Error | None:
    sides = error_of(tape, node, live, trained)
    if sides is not None:
        return _Error(node.id, *sides)
    found = _label_error(tape, node, live, trained)
    return None if found is None else _Error(node.id, found[0], found[0], place=found[1])


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
_LAYOUT = frozenset(
    {"array", "vstack", "hstack", "stack", "concatenate", "column_stack", "reshape", "transpose", "copy"}
)


def _products(
    tape: Tape, errors: list[_Error], live: frozenset[int], parameters: frozenset[int]
) -> list[_Error]:
    """The errors of a window with the data that they are multiplied by, each alone or stacked before."""
    smooth: set[int] = set()
    for node in tape.window_nodes():
        if node.id in parameters or (node.id in live and not smooth.isdisjoint(tape.operands(node.id))):
            smooth.add(node.id)
    single = {e.difference: e for e in errors}
    carrying = {e.difference: frozenset({e.difference}) for e in errors}
    found: list[_Error] = []
    covered: set[int] = set()
    for node in tape.window_nodes():
        read = tape.operands(node.id)
        if node.op in _LAYOUT and any(k in carrying for k in read):
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
                        found.append(_Error(error, one.output, one.data, weight, parts, one.place))
    return found if covered == set(single) else []


def _called(tape: Tape, node: int | None) -> str:
    """What a reader calls a value: its name, or how it is written."""
    if node is None:
        return "1"
    recorded = tape.nodes[node]
    return recorded.names[-1] if recorded.names else recorded.site.text if recorded.site else "data"


def _laid_out(write: TapeWriter, error: _Error) -> _Error:
    """A stacked error with its outputs and its data stacked in the same way."""
    if not error.parts:
        return error

    def stacked(node: int, sides: dict[int, int]) -> Ref:
        if node in sides:
            return Ref(sides[node])
        recorded = write.nodes[node]
        if recorded.op not in _LAYOUT:
            return Ref(node)
        operands = {k: stacked(k, sides) for k in references((recorded.args, recorded.kwargs))}
        return write.add(
            recorded.op, *substitute(recorded.args, operands), **substitute(recorded.kwargs, operands)
        )

    output = stacked(error.difference, {e.difference: e.output for e in error.parts})
    data = stacked(error.difference, {e.difference: e.data for e in error.parts})
    return _Error(error.difference, output.node, data.node, error.weight)


class TapeWriter:
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


def _half_squares(write: TapeWriter, error: _Error) -> Ref:
    total = _summed(write, write.add("square", Ref(error.difference)), error.weight)
    return write.add("multiply", write.number(0.5), total)


def _binary_cross_entropy(write: TapeWriter, error: _Error) -> Ref:
    output, data = error.output, error.data
    one = write.number(1.0)
    hit = write.add("multiply", Ref(data), write.add("log", Ref(output)))
    rest = write.add("subtract", one, Ref(output))
    miss = write.add("multiply", write.add("subtract", one, Ref(data)), write.add("log", rest))
    return write.add("negative", _summed(write, write.add("add", hit, miss), error.weight))


def _cross_entropy(write: TapeWriter, error: _Error) -> Ref:
    if error.place is not None:
        chosen = write.add("log", write.add("getitem", Ref(error.output), error.place))
        return write.add("negative", _summed(write, chosen, _of_rows(write, error.weight, chosen)))
    hit = write.add("multiply", Ref(error.data), write.add("log", Ref(error.output)))
    return write.add("negative", _summed(write, hit, error.weight))


def _of_rows(write: TapeWriter, weight: int | None, entries: Ref) -> int | None:
    """A column of weights, one for each row, as weights of what was chosen in each row."""
    if weight is None or (shape := write.nodes[weight].shape) is None or len(shape) < 2 or shape[-1] != 1:
        return weight
    return write.add("reshape", Ref(weight), shape=write.nodes[entries.node].shape).node


def _summed(write: TapeWriter, entries: Ref, weight: int | None) -> Ref:
    if weight is not None:
        entries = write.add("multiply", Ref(weight), entries)
    if write.nodes[entries.node].shape == ():
        return entries
    return write.add("sum", entries, axis=None, keepdims=False)


def _with(
    tape: Tape, windows: list[list[_Error]], write_loss: Callable[[TapeWriter, _Error], Ref], says: str
) -> Inferred:
    nodes = tape.nodes
    losses: dict[int, int] = {}
    for errors in windows:
        first = errors[0].difference
        writer = TapeWriter(Tape(nodes), nodes[first])
        whole, *others = [write_loss(writer, _laid_out(writer, error)) for error in errors]
        for other in others:
            whole = writer.add("add", whole, other)
        writer.nodes[whole.node].names.append(INFERRED)
        losses[whole.node] = first
        nodes = writer.nodes
    return Inferred(Tape(nodes, tape.bindings, tape.windows, tape.notices), losses, says)
