"""Edits of the operation itself: its sign, its axis, a transpose, a factor, an accumulation.

Comes in: the backward nodes behind a wrong gradient.  Goes out: edits of one place in the source each; what ran
several times at that place is changed every time.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tracer.diagnosis.finding import Kind
from tracer.diagnosis.rewrites import (
    Accumulate,
    AddAt,
    Drop,
    Negate,
    Operator,
    Overwrite,
    Reduction,
    Scale,
    ScaleOperand,
    Transposed,
)
from tracer.diagnosis.trials import Change, Edit, Trials
from tracer.gradients.adjoints import is_real
from tracer.tape.functions import resolve
from tracer.tape.node import Kind as NodeKind
from tracer.tape.node import Node, Ref
from tracer.tape.tape import evaluate, references, substitute

_FLIPPED = {"add": "subtract", "subtract": "add"}
_INVERSE = {"multiply": "divide", "divide": "multiply"}
#: The opposite, and what only differs where both sides are equal, as all that a rectifier cut off.
_OTHER_COMPARISONS = {
    "greater": ("less_equal", "greater_equal"),
    "less_equal": ("greater", "less"),
    "less": ("greater_equal", "less_equal"),
    "greater_equal": ("less", "greater"),
}
_REDUCTIONS = ("sum", "mean")


def computed_otherwise(trials: Trials) -> Iterator[Edit]:
    """Every place behind the targets, computed in another way."""
    for first, nodes in trials.places:
        assert first.site is not None
        span = first.site.span
        if first.op in _FLIPPED:
            other = _FLIPPED[first.op]
            yield Edit(Kind.SIGN, 1.0, nodes, _as(trials, other), text=Operator(span, other))
        if first.op == "negative":
            yield Edit(Kind.SIGN, 0.9, nodes, _operand(trials, 0), text=Drop(span, 0))
        elif is_real(first) and first.kind is NodeKind.OPERATION:
            level = 0.95 if first.op == "subtract" else 1.1
            yield Edit(Kind.SIGN, level, nodes, negated(trials), text=Negate(span))
        for other in _OTHER_COMPARISONS.get(first.op, ()):
            yield Edit(Kind.MISSING_MASK, 1.5, nodes, _as(trials, other), text=Operator(span, other))
        if first.op in _REDUCTIONS:
            yield from _other_axes(trials, first, nodes)
        if first.op in ("dot", "matmul") and len(first.args) == 2:
            yield from _transposes(trials, first, nodes)
        if first.op in _FLIPPED and first.shape:
            yield from _terms_scaled(trials, first, nodes)
            if first.kind is NodeKind.OPERATION and len(trials.operands(first.id)) == 2:
                yield Edit(Kind.EXTRA_DERIVATIVE, 1.45, nodes, _operand(trials, 0), text=Drop(span, 0))
        if first.op in ("multiply", "divide"):
            yield from _one_factor_less(trials, first, nodes)
            yield from _two_factors_less(trials, first, nodes)
            other = _INVERSE[first.op]
            yield Edit(Kind.FACTOR, 1.25, nodes, _as(trials, other), text=Operator(span, other))
        if first.kind is NodeKind.MUTATION and first.op == "add" and len(trials.operands(first.id)) == 2:
            yield Edit(Kind.ACCUMULATION, 1.2, nodes, _operand(trials, 1), text=Overwrite(span))
            yield Edit(Kind.EXTRA_DERIVATIVE, 1.22, nodes, _operand(trials, 0), text=Drop(span, 0))
        if first.op == "setitem" and _adds_by_look_up(trials, first):
            yield Edit(Kind.ACCUMULATION, 1.0, nodes, _added_at(trials), AddAt(span))
        if first.op == "setitem":
            yield from _stored_otherwise(trials, first, nodes)
        if is_real(first) and first.names:
            yield from _accumulated(trials, first, nodes)
        if is_real(first) and first.kind is not NodeKind.VIEW:
            yield from _scaled(trials, first, nodes)


def negated(trials: Trials) -> Change:
    """The node's value with the other sign."""
    return lambda node, now, _: -evaluate(trials.node(node), now)


def _as(trials: Trials, op: str, **keywords: Any) -> Change:
    """The node's operands under another operation."""
    function = resolve(op)

    def change(node: int, now: Mapping[int, Any], _: int) -> Any:
        recorded = trials.node(node)
        return function(*substitute(recorded.args, now), **{**substitute(recorded.kwargs, now), **keywords})

    return change


def _operand(trials: Trials, position: int) -> Change:
    def change(node: int, now: Mapping[int, Any], _: int) -> Any:
        value = now[trials.operands(node)[position]]
        return np.broadcast_to(value, trials.node(node).shape or ())

    return change


def _other_axes(trials: Trials, first: Node, nodes: tuple[int, ...]) -> Iterator[Edit]:
    assert first.site is not None
    operand = trials.node(trials.operands(first.id)[0])
    rank = len(operand.shape or ())
    axis, keepdims = first.kwargs.get("axis"), bool(first.kwargs.get("keepdims", False))
    other = "mean" if first.op == "sum" else "sum"
    yield Edit(
        Kind.FACTOR,
        1.3,
        nodes,
        _as(trials, other),
        Reduction(first.site.span, other, axis, keepdims),
    )
    for new_axis, kept in itertools.product((None, *range(rank)), (keepdims, not keepdims)):
        if (new_axis, kept) == (axis, keepdims) or (isinstance(axis, int) and axis - rank == new_axis):
            continue
        yield Edit(
            Kind.AXIS,
            1.0 if kept == keepdims else 1.1,
            nodes,
            _as(trials, first.op, axis=new_axis, keepdims=kept),
            Reduction(first.site.span, first.op, new_axis, kept),
        )


def _transposes(trials: Trials, first: Node, nodes: tuple[int, ...]) -> Iterator[Edit]:
    """The product with operands transposed or in the other order; their shapes must allow it."""
    assert first.site is not None
    function = resolve(first.op)
    for flipped in itertools.product((False, True), repeat=2):
        for swapped in (False, True):
            if not any(flipped) and not swapped:
                continue

            def change(
                node: int,
                now: Mapping[int, Any],
                _: int,
                flipped: tuple[bool, ...] = flipped,
                swapped: bool = swapped,
            ) -> Any:
                sides = list(substitute(trials.node(node).args, now))
                sides = [np.swapaxes(s, -1, -2) if f else s for s, f in zip(sides, flipped, strict=True)]
                return function(*(reversed(sides) if swapped else sides))

            yield Edit(
                Kind.TRANSPOSE,
                1.0 + 0.1 * sum(flipped) + 0.15 * swapped,
                nodes,
                change,
                text=Transposed(first.site.span, (flipped[0], flipped[1]), swapped),
            )


def _two_factors_less(trials: Trials, first: Node, nodes: tuple[int, ...]) -> Iterator[Edit]:
    """``d`` for ``d * a * (1 - a)``: a slope that is written out as two factors."""
    assert first.site is not None
    inner = trials.node(trials.operands(first.id)[0])
    if first.op != "multiply" or inner.op != "multiply" or inner.names or inner.shape != first.shape:
        return

    def change(node: int, now: Mapping[int, Any], _: int) -> Any:
        return now[trials.operands(trials.operands(node)[0])[0]]

    alike = all(trials.node(trials.operands(n)[0]).op == "multiply" for n in nodes)
    if alike and trials.node(trials.operands(inner.id)[0]).shape == first.shape:
        yield Edit(Kind.EXTRA_DERIVATIVE, 1.65, nodes, change, Drop(first.site.span, 0, 1))


def _one_factor_less(trials: Trials, first: Node, nodes: tuple[int, ...]) -> Iterator[Edit]:
    assert first.site is not None
    operands = trials.operands(first.id)
    if len(operands) != 2:
        return
    for kept, dropped in ((0, 1), (1, 0)):
        if first.op == "divide" and kept == 1:
            continue
        other = trials.node(operands[dropped])
        number = other.shape == ()
        match = trials.analysis.matcher.best(other.id)
        computed = other.id in trials.analysis.matcher.live and other.kind is not NodeKind.LEAF
        kind = Kind.FACTOR if number and not computed else Kind.EXTRA_DERIVATIVE
        yield Edit(
            kind,
            1.3 if number else 1.6 if match is not None else 2.4,
            nodes,
            _operand(trials, kept),
            text=Drop(first.site.span, kept),
        )


def _terms_scaled(trials: Trials, first: Node, nodes: tuple[int, ...]) -> Iterator[Edit]:
    """A sum with one of its terms doubled, halved, or divided by a count or a setting.

    As a penalty of w², a path that is taken twice, or the mean of the data beside a penalty.
    """
    assert first.site is not None
    if any(len(trials.operands(n)) != 2 for n in nodes):
        return
    function, once = resolve(first.op), (1.0,) * len(trials.analysis.replays.values)
    # Half of one is twice the other, but for a factor of the whole.
    ways = [("2", tuple(2.0 * f for f in once), 1.37), ("0.5", tuple(0.5 * f for f in once), 1.39)]
    divisors = (way for way in trials.odd_factors if way[0].startswith("1 / ") and way[0] != "1 / 2")
    ways += [(text, factors, 1.75) for text, factors in divisors]
    added_to = first.kind is NodeKind.MUTATION  # what is there already is no term
    for (text, factors, level), place in itertools.product(ways, (1,) if added_to else (1, 0)):

        def change(
            node: int,
            now: Mapping[int, Any],
            replay: int,
            place: int = place,
            factors: tuple[float, ...] = factors,
        ) -> Any:
            sides = [now[k] for k in trials.operands(node)]
            sides[place] = factors[replay] * np.asarray(sides[place])
            return function(*sides)

        yield Edit(Kind.FACTOR, level, nodes, change, ScaleOperand(first.site.span, place, text))


def _stored_otherwise(trials: Trials, first: Node, nodes: tuple[int, ...]) -> Iterator[Edit]:
    """``x[index] = v`` with ``+=``, or left out; zeros in a fixed place take a term away from there."""
    assert first.site is not None
    left_out = Drop(first.site.span, 0)
    if not _stores_zero(trials, first):
        if is_real(first):
            yield Edit(Kind.ACCUMULATION, 1.2, nodes, _added_to_entry(trials), Accumulate(first.site.span))
        yield Edit(Kind.EXTRA_DERIVATIVE, 2.0, nodes, _operand(trials, 0), left_out)
    elif any(k in trials.analysis.matcher.live for k in references(first.args[1])):
        yield Edit(Kind.EXTRA_DERIVATIVE, 1.6, nodes, _operand(trials, 0), left_out)
    else:
        yield Edit(Kind.MISSING_TERM, 1.2, nodes, _operand(trials, 0), left_out)


def _stores_zero(trials: Trials, node: Node) -> bool:
    value = node.args[2]
    stored = trials.node(value.node) if isinstance(value, Ref) else None
    return stored is not None and stored.id not in trials.analysis.matcher.live and not np.any(stored.value)


def _adds_by_look_up(trials: Trials, node: Node) -> bool:
    """Whether ``x[index] += v`` has looked up several entries, of which equal ones are added only once."""
    old, index, new = node.args if len(node.args) == 3 else (None, None, None)
    if not isinstance(old, Ref) or not isinstance(new, Ref):
        return False
    made = trials.node(new.node)
    looked_up = any(trials.node(k).shape and not is_real(trials.node(k)) for k in references(index))
    return looked_up and made.op == "add" and len(trials.operands(made.id)) == 2


def _added_at(trials: Trials) -> Change:
    def change(node: int, now: Mapping[int, Any], _: int) -> Any:
        old, index, new = trials.node(node).args
        added = now[trials.operands(new.node)[1]]
        return resolve("add_at")(now[old.node], substitute(index, now), added)

    return change


def _added_to_entry(trials: Trials) -> Change:
    """``x[index] += v`` for ``x[index] = v``."""

    def change(node: int, now: Mapping[int, Any], _: int) -> Any:
        old, index, new = trials.node(node).args
        place = substitute(index, now)
        value = np.array(now[old.node])
        value[place] = value[place] + substitute(new, now)
        return value

    return change


def _accumulated(trials: Trials, first: Node, nodes: tuple[int, ...]) -> Iterator[Edit]:
    """What is bound to a name that already had a value, added to it."""
    assert first.site is not None
    earlier = {n: trials.earlier_version(n) for n in nodes}
    known = [n for n in nodes if earlier[n] is not None and earlier[n] not in trials.operands(n)]
    if not known or len(known) < len(nodes) - 1:
        return

    def change(node: int, now: Mapping[int, Any], _: int) -> Any:
        value = evaluate(trials.node(node), now)
        before = earlier[node]
        return value if before is None else value + now[before]

    ancestors = trials.analysis.matcher.all_ancestors
    if any(before in ancestors(n) for n, before in earlier.items()):
        # What it was computed from also goes by it: a path around an operation, as in a residual block.
        yield Edit(Kind.MISSING_TERM, 1.6, nodes, change, text=Accumulate(first.site.span))
    else:
        yield Edit(Kind.ACCUMULATION, 1.2, nodes, change, text=Accumulate(first.site.span))


def _scaled(trials: Trials, first: Node, nodes: tuple[int, ...]) -> Iterator[Edit]:
    """A value times the number that sets a wrong gradient apart from the others."""
    assert first.site is not None
    for text, factors in trials.odd_factors:

        def change(
            node: int, now: Mapping[int, Any], replay: int, factors: tuple[float, ...] = factors
        ) -> Any:
            return evaluate(trials.node(node), now) * factors[replay]

        if all(abs(f + 1) < 1e-9 for f in factors):
            continue  # a sign has its own edits
        yield Edit(Kind.FACTOR, 1.8, nodes, change, Scale(first.site.span, text))
