"""Edits of the step itself: added where it was subtracted, or subtracted where it was added.

Comes in: the steps of optimisers that go the wrong way along the gradient in them.  Goes out: one edit for each place that
makes such a step; it is one of all the steps that are made there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tracer.diagnosis.edits.computed import negated
from tracer.diagnosis.finding import Kind
from tracer.diagnosis.rewrites import Operator
from tracer.diagnosis.trials import Edit, Trials
from tracer.tape.node import Node, Site

_OTHER = {"add": "subtract", "subtract": "add"}


def turned_steps(trials: Trials) -> Iterator[Edit]:
    """Every step of an optimiser, made the other way."""
    turned = {t.update for t in trials.targets if t.direction and t.wanted is not None}
    places: dict[Site, list[Node]] = defaultdict(list)
    for target in (*trials.targets, *trials.right):
        step = None if target.update is None else trials.node(target.update)
        if target.direction and step is not None and step.site is not None and step.op in _OTHER:
            places[step.site].append(step)
    for site, steps in places.items():
        if any(step.id in turned for step in steps):
            changes = tuple(sorted(trials.analysis.updates[step.id].change for step in steps))
            other = _OTHER[steps[0].op]
            yield Edit(Kind.SIGN, 1.0, changes, negated(trials), text=Operator(site.span, other))
