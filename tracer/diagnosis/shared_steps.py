"""Steps of one array that goes by two names, as tied weights: each along its own path, and both together down the gradient.

Comes in: a value that is meant as a gradient.  Goes out: whether the steps that follow each other add up to one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tracer.diagnosis.target import Target, factors_of
from tracer.matching.analysis import Analysis
from tracer.matching.updates import Update


def is_made_in_several_steps(analysis: Analysis, target: Target) -> bool:
    """Whether the parameter moves several times in one iteration, in all by a multiple of the gradient."""
    steps = list(_following(analysis, target.wrt))
    if len(steps) < 2:
        return False
    added = [
        sum(u.sign * np.asarray(values[u.change], dtype=float) for u in steps)
        for values in analysis.replays.values
    ]
    return any(factors_of(analysis, added, root, target.wrt) is not None for root in target.roots)


def _following(analysis: Analysis, before: int) -> Iterator[Update]:
    """The updates of one iteration that start from a version of a parameter, one after the other."""
    tape = analysis.tape
    first: int | None = None
    while True:
        step = next((u for u in analysis.updates.values() if u.before == before and u.part is None), None)
        if step is None or (first is not None and tape.nodes[step.node].window != first):
            return
        first = tape.nodes[step.node].window
        yield step
        before = step.node
