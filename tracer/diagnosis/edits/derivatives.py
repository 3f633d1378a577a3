"""Edits by a local derivative: one that is missing, or one that stands where another should.

Comes in: the backward nodes behind a wrong gradient.  Goes out: each of them times the slope of an elementwise step of
the forward pass, or times an array that a step repeats; products in which one factor is replaced by such a slope; and
slopes that stand alone, times the gradient that they lack.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tracer.diagnosis.edits.gradients import known_values
from tracer.diagnosis.finding import Kind
from tracer.diagnosis.rewrites import (
    DerivativeInstead,
    Gradient,
    MaskInstead,
    OperandTimesDerivative,
    Scale,
    ScaleOperand,
    TimesDerivative,
)
from tracer.diagnosis.slopes import Slope
from tracer.diagnosis.target import is_gradient
from tracer.diagnosis.trials import Edit, Overlay, Trials
from tracer.gradients.adjoints import is_real
from tracer.matching.candidates import Sort
from tracer.matching.updates import fits_into
from tracer.tape.functions import resolve
from tracer.tape.node import Kind as NodeKind
from tracer.tape.node import Node
from tracer.tape.tape import evaluate


def derivatives(trials: Trials) -> Iterator[Edit]:
    """Values times a slope, and factors replaced by one."""
    for first, nodes in trials.places:
        if not is_real(first) or first.shape is None:
            continue
        assert first.site is not None
        for slopes in aligned(trials, nodes):
            slope = slopes[nodes[0]]
            kind = Kind.MISSING_MASK if slope.is_mask else Kind.MISSING_DERIVATIVE

            def times(
                node: int, now: Mapping[int, Any], replay: int, slopes: dict[int, Slope] = slopes
            ) -> Any:
                return evaluate(trials.node(node), now) * slopes[node].values[replay]

            yield Edit(
                kind,
                2.0 + slope.depth * 0.05,
                nodes,
                times,
                text=TimesDerivative(first.site.span, slope.of, slope.wrt),
            )
            if first.op != "multiply" or len(trials.operands(first.id)) != 2:
                continue
            for position in (0, 1):

                def instead(
                    node: int,
                    now: Mapping[int, Any],
                    replay: int,
                    slopes: dict[int, Slope] = slopes,
                    kept: int = 1 - position,
                ) -> Any:
                    return np.multiply(now[trials.operands(node)[kept]], slopes[node].values[replay])

                yield Edit(
                    kind,
                    2.6 + slope.depth * 0.05,
                    nodes,
                    instead,
                    text=DerivativeInstead(first.site.span, position, slope.of, slope.wrt),
                )


def operands_times_slopes(trials: Trials) -> Iterator[Edit]:
    """Products with what comes from behind times a slope: ``W.T @ (error * out * (1 - out))`` for ``W.T @ error``.

    The value itself may be right, or be multiplied by the slope where else it is used.
    """
    forward = trials.analysis.matcher.forward
    for first, nodes in trials.places:
        if first.op not in ("dot", "matmul", "outer") or first.site is None or len(first.args) != 2:
            continue
        for position in (0, 1):
            operands = {n: trials.operands(n)[position] for n in nodes if len(trials.operands(n)) == 2}
            behind = [k for k in operands.values() if k not in forward or is_gradient(trials.best(k))]
            if len(behind) < len(nodes) or not all(is_real(trials.node(k)) for k in behind):
                continue
            for slopes in aligned(trials, tuple(operands.values())):

                def times(
                    node: int,
                    now: Mapping[int, Any],
                    replay: int,
                    slopes: dict[int, Slope] = slopes,
                    operands: dict[int, int] = operands,
                ) -> Any:
                    operand = operands[node]
                    through = {operand: now[operand] * slopes[operand].values[replay]}
                    return evaluate(trials.node(node), Overlay(now, through))

                slope = slopes[operands[nodes[0]]]
                kind = Kind.MISSING_MASK if slope.is_mask else Kind.MISSING_DERIVATIVE
                rewrite = OperandTimesDerivative(first.site.span, position, slope.of, slope.wrt)
                yield Edit(kind, 2.1 + slope.depth * 0.05, nodes, times, rewrite)


def masks_instead(trials: Trials) -> Iterator[Edit]:
    """1 for what is positive and 0 elsewhere, instead of values that were cut off at 0: the slope, not the value."""
    for first, nodes in trials.places:
        if first.site is None or not first.shape or first.op not in ("maximum", "setitem", "multiply", "where", "clip"):
            continue
        values = [np.asarray(v) for n in nodes for v in trials.analysis.replays.of(n)]
        if any(v.dtype.kind not in "fi" or np.any(v < 0) for v in values):
            continue
        if not any(np.any(v == 0) for v in values) or not any(np.any((v > 0) & (v != 1)) for v in values):
            continue

        def mask(node: int, now: Mapping[int, Any], _: int) -> Any:
            return np.asarray(evaluate(trials.node(node), now) > 0, dtype=float)

        yield Edit(Kind.MISSING_DERIVATIVE, 2.05, nodes, mask, MaskInstead(first.site.span))


def slopes_alone(trials: Trials) -> Iterator[Edit]:
    """Every value that is the slope of a step and no more, times the gradient by what that step computes."""
    for first, nodes in trials.places:
        matches = {n: m for n in nodes if (m := trials.best(n)) is not None and m.candidate.sort is Sort.LOCAL}
        if first.site is None or not first.shape or len(matches) < len(nodes):
            continue
        for held in _held_by(trials, {n: m.candidate.root for n, m in matches.items()}):

            def times(node: int, now: Mapping[int, Any], _: int, held: dict[int, int] = held) -> Any:
                return evaluate(trials.node(node), now) * now[held[node]]

            name = trials.node(held[nodes[0]]).names[-1]
            yield Edit(Kind.MISSING_DERIVATIVE, 1.85, nodes, times, Scale(first.site.span, name))
        for root in trials.roots:
            wrt = {n: m.candidate.wrt for n, m in matches.items()}
            if not all(w in a.full for w in wrt.values() for a in trials.adjoints(root)):
                continue
            for factors in trials.carried(nodes):
                values = {
                    n: [f * np.asarray(a.full[w]) for f, a in zip(factors, trials.adjoints(root), strict=True)]
                    for n, w in wrt.items()
                }
                if all(np.shape(v[0]) == trials.node(n).shape for n, v in values.items()):
                    rewrite = Gradient(first.site.span, nodes[0], root, wrt[nodes[0]], factors)
                    yield Edit(Kind.MISSING_DERIVATIVE, 1.9, nodes, known_values(values), rewrite)


def _held_by(trials: Trials, by: Mapping[int, int]) -> Iterator[dict[int, int]]:
    """For each node the gradient by a forward value that stands before it and has a name, where each has one."""
    named = {m.candidate.wrt: g for g in sorted(trials.gradients) if trials.node(g).names and (m := trials.best(g))}
    held = {node: named[of] for node, of in by.items() if of in named and named[of] < node}
    if len(held) == len(by):
        yield held


def times_variables(trials: Trials) -> Iterator[Edit]:
    """Values times, or divided by, an array of the forward pass that the place knows, also one that is repeated.

    As the deviation of each column; as a difference, where the gradient by its length is repeated; or as weights of samples.
    """
    for first, nodes in trials.places:
        if not is_real(first) or first.kind is NodeKind.VIEW:
            continue
        assert first.site is not None
        for name, held in known_at(trials, first.scope, nodes).items():
            if not all(fits(trials.node(b), trials.node(n)) for n, b in held.items()):
                continue
            for op, text in (("divide", f"1 / {name}"), ("multiply", name)):

                def change(
                    node: int, now: Mapping[int, Any], _: int, op: str = op, held: dict[int, int] = held
                ) -> Any:
                    return resolve(op)(evaluate(trials.node(node), now), now[held[node]])

                level = 2.2 if trials.node(held[nodes[0]]).shape != first.shape else 2.3
                kind = Kind.MISSING_DERIVATIVE if first.shape else Kind.FACTOR
                yield Edit(kind, level, nodes, change, Scale(first.site.span, text))


def summed_times_variables(trials: Trials) -> Iterator[Edit]:
    """What a sum is taken of, times an array of the forward pass: ``(A * dA).sum()`` for ``dA.sum()``."""
    for first, nodes in trials.places:
        operand = trials.node(trials.operands(first.id)[0]) if first.op in ("sum", "mean") else None
        if first.site is None or operand is None or not operand.shape or not is_real(operand):
            continue
        for name, held in known_at(trials, first.scope, nodes).items():
            if all(trials.node(b).shape == trials.node(trials.operands(n)[0]).shape for n, b in held.items()):

                def change(node: int, now: Mapping[int, Any], _: int, held: dict[int, int] = held) -> Any:
                    summed = trials.operands(node)[0]
                    return evaluate(trials.node(node), Overlay(now, {summed: now[summed] * now[held[node]]}))

                rewrite = ScaleOperand(first.site.span, 0, name)
                yield Edit(Kind.MISSING_DERIVATIVE, 2.2, nodes, change, rewrite)


def known_at(trials: Trials, scope: str, nodes: tuple[int, ...]) -> dict[str, dict[int, int]]:
    """The variables of the forward pass that a function may read, and the data, by name: what each held for each node."""
    forward = trials.analysis.matcher.forward
    found: dict[str, dict[int, int]] = {}
    for data in trials.data:
        found.update((name, dict.fromkeys(nodes, data)) for name in trials.node(data).names[-1:])
    for name, bindings in trials.variables[scope].items():
        held = {n: b for n in nodes if (b := trials.bound_before(bindings, n)) is not None and b in forward}
        if len(held) == len(nodes):
            found[name] = held
    return found


def fits(one: Node, other: Node) -> bool:
    """Whether NumPy multiplies two arrays, and repeats no more than one of them; or both are numbers."""
    if not one.shape and not other.shape:
        return is_real(one)
    if not is_real(one) or not one.shape or not other.shape or np.prod(one.shape) == 1:
        return False
    return fits_into(one.shape, other.shape) or fits_into(other.shape, one.shape)


def aligned(trials: Trials, nodes: tuple[int, ...]) -> Iterator[dict[int, Slope]]:
    """For each of several nodes a slope of its shape: the same step of the forward pass at every repetition."""
    shape = trials.node(nodes[0]).shape
    if any(trials.node(n).shape != shape for n in nodes):
        yield from _by_layer(trials, nodes)
        return
    for slopes in trials.slopes(shape or ()):
        if len(slopes) == 1:
            yield dict.fromkeys(nodes, slopes[0])
            continue
        able = slopes if len(slopes) == len(nodes) else _on_the_way(trials, slopes)
        if len(able) == len(nodes):
            yield dict(zip(nodes, able, strict=True))
            if len(able) > 1:
                yield dict(zip(nodes, able[::-1], strict=True))


def _on_the_way(trials: Trials, slopes: tuple[Slope, ...]) -> tuple[Slope, ...]:
    """The steps that lead to a loss whose gradients are wrong: a network may be run for another loss before."""
    roots = {root for target in trials.targets for root in target.roots[:1]}
    return tuple(s for s in slopes if any(s.of in trials.adjoints(root)[0].full for root in roots))


def _by_layer(trials: Trials, nodes: tuple[int, ...]) -> Iterator[dict[int, Slope]]:
    """Nodes of several shapes, as in a loop over layers: the only slope of each one's shape."""
    found: dict[int, Slope] = {}
    for node in nodes:
        able = [s for s in trials.slopes(trials.node(node).shape or ()) if len(s) == 1]
        if len(able) != 1:
            return
        found[node] = able[0][0]
    yield found
