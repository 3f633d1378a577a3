"""Edits where a mean or a variance was taken for a constant: what the gradient by ``x`` has beside that by ``x - mean``.

Comes in: the backward nodes behind a wrong gradient.  Goes out: where the gradient by centred values stands, that by the
values from which their mean was taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from tracer.diagnosis.edits.gradients import known_values
from tracer.diagnosis.finding import Kind
from tracer.diagnosis.rewrites import Gradient, ThroughStatistics
from tracer.diagnosis.target import is_gradient
from tracer.diagnosis.trials import Edit, Trials
from tracer.tape.node import Node, Span


def constant_statistics(trials: Trials) -> Iterator[Edit]:
    """Every gradient by centred values, as the gradient by the values themselves."""
    for first, nodes in trials.places:
        matches = {n: m for n in nodes if (m := trials.best(n)) is not None and is_gradient(m)}
        if first.site is None or not matches or any(m.candidate.transposed for m in matches.values()):
            continue
        match = next(iter(matches.values()))
        root = match.candidate.root
        centred = [trials.node(c) for c in _paired(trials, nodes, {n: m.candidate.wrt for n, m in matches.items()})]
        whole = [c.args[0].node for c in centred if c.op == "subtract" and _has_its_mean_taken(trials, c.id)]
        if not whole or len(whole) < len(nodes) or any(w not in a.full for w in whole for a in trials.adjoints(root)):
            continue
        factors = trials.factors(match)
        if factors is None:
            continue
        values = {
            n: [f * np.asarray(a.full[w]) for f, a in zip(factors, trials.adjoints(root), strict=True)]
            for n, w in zip(nodes, whole, strict=True)
        }
        change, through = known_values(values), _through(trials, first.site.span, centred[0])
        if through is not None:  # said of both paths, rather than of the one through the deviation
            yield Edit(Kind.CONSTANT_STATISTICS, 1.35, nodes, change, through)
        rewrite = Gradient(first.site.span, nodes[0], root, whole[0], factors)
        yield Edit(Kind.CONSTANT_STATISTICS, 1.45, nodes, change, rewrite)


def _through(trials: Trials, span: Span, centred: Node) -> ThroughStatistics | None:
    """What is missing where both the mean and the deviation are constants; None if the values are not normalised.

    Source: with y = (x - mean(x)) / deviation(x), ∂L/∂x = e - mean(e) - y mean(e y) for e = ∂L/∂y / deviation; that is the
    derivative of y entry by entry, 1/deviation (δ - 1/n - y y'/n).
    """
    forward = trials.analysis.matcher.forward
    tape, shape = trials.analysis.tape, centred.shape or ()
    users = [trials.node(u) for u in tape.users(centred.id) if u in forward]
    normalised = [u for u in users if u.op in ("divide", "multiply") and u.shape == shape]
    mean = trials.node(trials.operands(centred.id)[1]).shape or ()
    padded = (1,) * (len(shape) - len(mean)) + mean
    axes = tuple(k for k, (n, m) in enumerate(zip(shape, padded, strict=True)) if m == 1 and n != 1)
    if not normalised or not axes:
        return None
    return ThroughStatistics(span, axes, len(mean) == len(shape), normalised[0].id)


def _paired(trials: Trials, nodes: tuple[int, ...], known: Mapping[int, int]) -> list[int]:
    """For each run of a place the forward value that it is the gradient by; the backward pass may go the other way."""
    if len(known) == len(nodes):
        return [known[n] for n in nodes]
    for group in trials.repeated:
        for ordered in (group, group[::-1]) if len(group) == len(nodes) else ():
            pairs = dict(zip(nodes, ordered, strict=True))
            if all(pairs[n] == wrt for n, wrt in known.items()):
                return list(ordered)
    return []


def _has_its_mean_taken(trials: Trials, node: int) -> bool:
    """Whether a difference is that of values and of something computed from all of them."""
    values, *others = trials.operands(node)
    return any(
        values in trials.analysis.matcher.all_ancestors(other)
        and trials.is_statistic(other)
        and trials.node(values).shape == trials.node(node).shape
        for other in others
    )
