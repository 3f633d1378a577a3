"""Gradients of a network with one output, which point the right way although a slope is missing or comes in twice.

Comes in: targets that are multiples of a gradient.  Goes out: the factor that they should have.  With a single output
for a single sample, the slope of its activation is one number that all gradients share.  It is no rate: it is another
number for every sample.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tracer.diagnosis.target import Target, alike
from tracer.matching.analysis import Analysis
from tracer.tape.node import Kind

#: How many values of one entry are looked at between the parameters and the loss, the last ones.
_MOST_STEPS = 24


def without_the_slope(analysis: Analysis, root: int, group: list[Target]) -> dict[Target, tuple[float, ...]]:
    """The targets, if all share a slope on the way to the loss as a factor, or one over it, with the factor but for that."""
    shared = [t for t in group if t.factors is not None and not _is_named(analysis, t, t.factors)]
    if not shared or len(shared) < len(group):
        return {}
    for slope in _slopes(analysis, root, {t.wrt for t in group}):
        for factor in (slope, tuple(1 / s for s in slope)):
            wanted = {t: tuple(f / s for f, s in zip(t.factors or (), factor, strict=True)) for t in shared}
            if all(_is_named(analysis, t, w) for t, w in wanted.items()):
                return wanted
    return {}


def _slopes(analysis: Analysis, root: int, parameters: set[int]) -> Iterator[tuple[float, ...]]:
    """The slopes, on every replay, of what lies between two values of one entry that all parameters go through.

    Of a scalar that no data come into after it, the loss is only another measure: its root, its logarithm.
    """
    matcher, tape = analysis.matcher, analysis.tape
    adjoints = matcher.adjoints[root]
    behind = matcher.all_ancestors(root)
    line = [
        node
        for node in sorted(behind & matcher.forward)
        if node in matcher.live
        and tape.nodes[node].kind is not Kind.LEAF
        and all(node in a.full and np.size(a.full[node]) == 1 for a in adjoints)
    ][-_MOST_STEPS:]
    for place, inner in enumerate(line):
        if not parameters <= matcher.all_ancestors(inner):
            continue
        for outer in line[place + 1 :]:
            if inner not in matcher.all_ancestors(outer) or not _data_come_in(analysis, outer, root, parameters):
                continue
            with np.errstate(all="ignore"):
                slope = tuple(float(np.divide(np.sum(a.full[inner]), np.sum(a.full[outer]))) for a in adjoints)
            if all(np.isfinite(s) and s for s in slope) and not _is_constant(slope):
                yield slope


def _data_come_in(analysis: Analysis, node: int, root: int, parameters: set[int]) -> bool:
    """Whether the loss compares a value with data."""
    tape, matcher = analysis.tape, analysis.matcher
    after = {n for n in matcher.all_ancestors(root) if node in matcher.all_ancestors(n)} - {node}
    beside = {k for n in after for k in tape.operands(n)} - after - {node}
    data = (k for k in beside if tape.nodes[k].kind is not Kind.LITERAL)
    return any(parameters.isdisjoint(matcher.all_ancestors(k)) for k in data)


def _is_constant(factors: tuple[float, ...]) -> bool:
    return alike(factors, (factors[0],) * len(factors))


def _is_named(analysis: Analysis, target: Target, factors: tuple[float, ...]) -> bool:
    """Whether a factor is a number, or one that the program has a name for."""
    return _is_constant(factors) or analysis.matcher.named_factor(target.node, target.roots[0], factors) is not None
