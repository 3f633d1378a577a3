"""How the losses that the field knows are written behind the end of a tape.

Comes in: nodes of outputs, targets and settings.  Goes out: for each loss what writes its entries; a setting may be a
node or a number.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracer.matching.losses.names import called
from tracer.matching.losses.written import TapeWriter
from tracer.tape.node import Node, Ref

Write = Callable[[TapeWriter], Ref]


def _operand(write: TapeWriter, operand: int | float) -> Ref:
    return Ref(operand) if isinstance(operand, int) else write.number(operand)


def of(op: str, inner: Write) -> Write:
    return lambda w: w.add(op, inner(w))


def minus(inner: Write) -> Write:
    return of("negative", inner)


def itself(node: int) -> Write:
    return lambda _: Ref(node)


def difference(output: int, target: int | float) -> Write:
    return lambda w: w.add("subtract", Ref(output), _operand(w, target))


def product(output: int, target: int) -> Write:
    return lambda w: w.add("multiply", Ref(target), Ref(output))


def binary(p: int, target: int | float) -> Write:
    def write(w: TapeWriter) -> Ref:
        hit = w.add("log", Ref(p))
        miss = w.add("log", w.add("subtract", w.number(1.0), Ref(p)))
        if target in (0.0, 1.0) and isinstance(target, float):
            return w.add("negative", hit if target else miss)
        rest = w.add("subtract", w.number(1.0), _operand(w, target))
        both = w.add("add", w.add("multiply", _operand(w, target), hit), w.add("multiply", rest, miss))
        return w.add("negative", both)

    return write


def _held(w: TapeWriter, node: Node) -> Ref:
    """A value that no gradient is passed through, under its name."""
    held = w.add("held", Ref(node.id))
    w.nodes[held.node].names.append(called(node))
    return held


def from_held(output: int, target: Node) -> Write:
    return lambda w: w.add("subtract", Ref(output), _held(w, target))


def weighted(entries: Write, weight: Node) -> Write:
    def write(w: TapeWriter) -> Ref:
        each = entries(w)
        held = w.add("reshape", _held(w, weight), shape=w.nodes[each.node].shape)
        return w.add("multiply", held, each)

    return write


def cross_entropy(p: int, target: int) -> Write:
    return lambda w: w.add("negative", w.add("multiply", Ref(target), w.add("log", Ref(p))))


def negative_log_at(p: int, place: Any) -> Write:
    return lambda w: w.add("negative", w.add("log", w.add("getitem", Ref(p), place)))


def class_hinge(scores: int, place: Any, rows: int, gap: int | float) -> Write:
    def write(w: TapeWriter) -> Ref:
        own = w.add("reshape", w.add("getitem", Ref(scores), place), shape=(rows, 1))
        margins = w.add("add", w.add("subtract", Ref(scores), own), _operand(w, gap))
        return w.add("maximum", w.number(0.0), margins)

    return write


def half_squares(error: Write) -> Write:
    return lambda w: w.add("multiply", w.number(0.5), w.add("square", error(w)))


def log_cosh(error: Write) -> Write:
    return lambda w: w.add("log", w.add("cosh", error(w)))


def cauchy(error: Write) -> Write:
    return lambda w: w.add("multiply", w.number(0.5), w.add("log", w.add("add", w.number(1.0), w.add("square", error(w)))))


def huber(error: Write, delta: int) -> Write:
    """r² / 2 within ±delta, and delta · (|r| − delta / 2) beyond: ½ c² + delta · (|r| − |c|), with r clipped to c."""

    def write(w: TapeWriter) -> Ref:
        r, bound = error(w), Ref(delta)
        size = w.add("absolute", r)
        inner = w.add("minimum", size, bound)
        square = w.add("multiply", w.number(0.5), w.add("square", inner))
        return w.add("add", square, w.add("multiply", bound, w.add("subtract", size, inner)))

    return write


def tilted(up: Write, down: Write, share: int, squared: bool) -> Write:
    """``share`` × what is positive of one side and (1 − share) × what is positive of the other, or half their squares."""

    def write(w: TapeWriter) -> Ref:
        parts = [w.add("maximum", w.number(0.0), side(w)) for side in (up, down)]
        if squared:
            parts = [w.add("multiply", w.number(0.5), w.add("square", part)) for part in parts]
        rest = w.add("subtract", w.number(1.0), Ref(share))
        return w.add("add", w.add("multiply", Ref(share), parts[0]), w.add("multiply", rest, parts[1]))

    return write


def hinge(margin: Write, gap: int | float) -> Write:
    return lambda w: w.add("maximum", w.number(0.0), w.add("subtract", _operand(w, gap), margin(w)))


def logistic(margin: Write) -> Write:
    return lambda w: w.add("log", w.add("add", w.number(1.0), w.add("exp", w.add("negative", margin(w)))))


def poisson(mean: int, output: int, counts: int) -> Write:
    return lambda w: w.add("subtract", Ref(mean), w.add("multiply", Ref(counts), Ref(output)))


def spread(output: int, times: float) -> Write:
    """½ (exp(t s) − t s): of the logarithm of a variance (t = 1) or of a standard deviation (t = 2)."""

    def write(w: TapeWriter) -> Ref:
        s = Ref(output) if times == 1 else w.add("multiply", w.number(times), Ref(output))
        return w.add("multiply", w.number(0.5), w.add("subtract", w.add("exp", s), s))

    return write
