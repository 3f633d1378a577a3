"""The loss of a program that computes none: inferred from the error that its backward pass starts with.

Many programs write ``error = y - out`` and never add it up; where that line runs for one sample after the other
(also for single numbers), the loss is the sum over the samples.  Comes in: such a tape.  Goes out: for each usual
loss the tape with that loss added at its end.  Which of them is meant is decided by how many updates it explains;
that it was inferred is always said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from tracer.matching.losses.errors import LAYOUT, Error, errors_of, products
from tracer.matching.losses.names import called
from tracer.matching.losses.written import INFERRED, How, Inferred, TapeWriter
from tracer.tape.node import Ref
from tracer.tape.tape import Tape, references, substitute


def inferred_losses(
    tape: Tape, live: frozenset[int], parameters: frozenset[int], behind: frozenset[int]
) -> Iterator[Inferred]:
    """The tape with each usual loss of an output and its target.

    Arguments:
        live: the nodes that depend smoothly on a leaf.
        parameters: the nodes that updates change.
        behind: the nodes that the changes are computed from.
    """
    errors = errors_of(tape, live, parameters, behind)
    if not errors:
        return
    if any(e.place is not None for e in errors[0]):
        yield from _of_labels(tape, errors, live, parameters)
        return
    yield half_squares(tape, errors, "fits")
    yield _with(tape, errors, _binary_cross_entropy, "binary cross-entropy")
    yield _with(tape, errors, _cross_entropy, "cross-entropy")
    weighted = [p for p in (products(tape, e, live, parameters) for e in errors) if p]
    if len(weighted) == len(errors):
        # As of a policy: the gradient of log p, weighted by what an action was worth.
        says = _weighted_by(tape, weighted[0][0].weight)
        yield _with(tape, weighted, _binary_cross_entropy, f"binary cross-entropy {says}")
        yield _with(tape, weighted, _cross_entropy, f"cross-entropy {says}")
        yield _with(tape, weighted, _half_squares, f"half the sum of squared errors {says}")


def half_squares(tape: Tape, errors: list[list[Error]], how: How) -> Inferred:
    """The tape with half the sum of the squares of these errors."""
    return replace(_with(tape, errors, _half_squares, "half the sum of squared errors"), how=how)


def _weighted_by(tape: Tape, weight: int | None) -> str:
    return f"weighted by {'1' if weight is None else called(tape.nodes[weight])}, which is held constant"


def _of_labels(
    tape: Tape, errors: list[list[Error]], live: frozenset[int], parameters: frozenset[int]
) -> Iterator[Inferred]:
    """The cross-entropy of probabilities and labels, from ``probs[range(N), y] -= 1``."""
    yield _with(tape, errors, _cross_entropy, "cross-entropy")
    weighted = [p for p in (products(tape, e, live, parameters) for e in errors) if p]
    if len(weighted) == len(errors):
        says = _weighted_by(tape, weighted[0][0].weight)
        yield _with(tape, weighted, _cross_entropy, f"cross-entropy {says}")


def _laid_out(write: TapeWriter, error: Error) -> Error:
    """A stacked error with its outputs and its data stacked in the same way."""
    if not error.parts:
        return error

    def stacked(node: int, sides: dict[int, int]) -> Ref:
        if node in sides:
            return Ref(sides[node])
        recorded = write.nodes[node]
        if recorded.op not in LAYOUT:
            return Ref(node)
        operands = {k: stacked(k, sides) for k in references((recorded.args, recorded.kwargs))}
        return write.add(
            recorded.op, *substitute(recorded.args, operands), **substitute(recorded.kwargs, operands)
        )

    output = stacked(error.difference, {e.difference: e.output for e in error.parts})
    data = stacked(error.difference, {e.difference: e.data for e in error.parts})
    return Error(error.difference, output.node, data.node, error.weight)


def _half_squares(write: TapeWriter, error: Error) -> Ref:
    total = _summed(write, write.add("square", Ref(error.difference)), error.weight)
    return write.add("multiply", write.number(0.5), total)


def _binary_cross_entropy(write: TapeWriter, error: Error) -> Ref:
    output, data = error.output, error.data
    one = write.number(1.0)
    hit = write.add("multiply", Ref(data), write.add("log", Ref(output)))
    rest = write.add("subtract", one, Ref(output))
    miss = write.add("multiply", write.add("subtract", one, Ref(data)), write.add("log", rest))
    return write.add("negative", _summed(write, write.add("add", hit, miss), error.weight))


def _cross_entropy(write: TapeWriter, error: Error) -> Ref:
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
    tape: Tape, windows: list[list[Error]], write_loss: Callable[[TapeWriter, Error], Ref], says: str
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
    return Inferred(tape.with_nodes(nodes), losses, says)
