"""What a gradient by the scores of a softmax should be, where it was taken for a function of one entry.

Comes in: the value that was cut to the diagonal, and the scores.  Goes out: the rewrite that says it in the softmax and
the gradient by it, if the backward pass holds that.
"""

from __future__ import annotations

import numpy as np

from tracer.diagnosis.rewrites import OfSoftmax
from tracer.diagnosis.target import is_gradient
from tracer.diagnosis.trials import Trials
from tracer.tape.node import Span


def of_softmax(trials: Trials, span: Span, node: int, scores: int) -> OfSoftmax | None:
    """What a value cut to the diagonal should be, by the gradient by the softmax that the backward pass holds."""
    shares = trials.softmax_of(scores)
    if shares is None:
        return None
    same = trials.analysis.graph.representative
    for behind in sorted(trials.analysis.matcher.all_ancestors(node), reverse=True):
        match = trials.best(behind)
        if match is None or not is_gradient(match) or same(match.candidate.wrt) != same(shares):
            continue
        sums = (k for k in range(len(trials.node(shares).shape or ())) if _sums_to_one(trials, shares, k))
        axis = next(sums, None)
        if axis is not None:
            whole = len(trials.node(shares).shape or ()) == 1
            return OfSoftmax(span, shares, behind, None if whole else axis)
    return None


def _sums_to_one(trials: Trials, node: int, axis: int) -> bool:
    return all(np.allclose(np.sum(v, axis=axis), 1) for v in trials.analysis.replays.of(node))
