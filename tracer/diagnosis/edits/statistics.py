"""Edits where a mean or a variance was taken for a constant: what the gradient by ``x`` has beside that by ``x - mean``.

Comes in: the backward nodes behind a wrong gradient.  Goes out: where the gradient by centred values stands, that by the
values from which their mean was taken.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tracer.diagnosis.edits.gradients import known_values
from tracer.diagnosis.finding import Kind
from tracer.diagnosis.rewrites import Gradient
from tracer.diagnosis.target import is_gradient
from tracer.diagnosis.trials import Edit, Trials


def constant_statistics(trials: Trials) -> Iterator[Edit]:
    """Every gradient by centred values, as the gradient by the values themselves."""
    for first, nodes in trials.places:
        matches = [m for n in nodes if (m := trials.best(n)) is not None and is_gradient(m)]
        if first.site is None or len(matches) < len(nodes) or any(m.candidate.transposed for m in matches):
            continue
        root = matches[0].candidate.root
        centred = [trials.node(m.candidate.wrt) for m in matches]
        whole = [c.args[0].node for c in centred if c.op == "subtract" and _has_its_mean_taken(trials, c.id)]
        if len(whole) < len(nodes) or any(w not in a.full for w in whole for a in trials.adjoints(root)):
            continue
        factors = trials.factors(matches[0])
        if factors is None:
            continue
        values = {
            n: [f * np.asarray(a.full[w]) for f, a in zip(factors, trials.adjoints(root), strict=True)]
            for n, w in zip(nodes, whole, strict=True)
        }
        rewrite = Gradient(first.site.span, nodes[0], root, whole[0], factors)
        yield Edit(Kind.CONSTANT_STATISTICS, 1.45, nodes, known_values(values), rewrite)


def _has_its_mean_taken(trials: Trials, node: int) -> bool:
    """Whether a difference is that of values and of something computed from all of them."""
    values, *others = trials.operands(node)
    return any(
        values in trials.analysis.matcher.all_ancestors(other)
        and trials.is_statistic(other)
        and trials.node(values).shape == trials.node(node).shape
        for other in others
    )
