"""Edits of values that a loop computes again and again and keeps only the last of, where their sum was meant.

Comes in: the backward nodes behind a wrong gradient.  Goes out: the last of them plus those that nothing reads.  What is
meant as a gradient itself is looked at in `tracer.diagnosis.accumulation`; here it is what one is computed from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tracer.diagnosis.finding import Kind
from tracer.diagnosis.rewrites import Accumulate
from tracer.diagnosis.trials import Edit, Trials
from tracer.gradients.adjoints import is_real
from tracer.tape.tape import evaluate


def added_to_what_was_overwritten(trials: Trials) -> Iterator[Edit]:
    """``EI += y - word`` for ``EI = y - word`` in a loop over words."""
    tape = trials.analysis.tape
    for first, nodes in trials.places:
        if len(nodes) > 1 or first.site is None or not is_real(first):
            continue
        for bindings in trials.variables[first.scope].values():
            bound = [node for _, node in bindings]
            if first.id not in bound:
                continue
            before = bound[: bound.index(first.id)]
            runs = [n for n in before if trials.node(n).site == first.site and trials.node(n).op == first.op]
            if not runs or before[-len(runs) :] != runs or any(tape.users(n) for n in runs):
                continue

            def added_up(node: int, now: Mapping[int, Any], _: int, runs: list[int] = runs) -> Any:
                return sum((now[n] for n in runs), evaluate(trials.node(node), now))

            yield Edit(Kind.ACCUMULATION, 1.0, nodes, added_up, Accumulate(first.site.span))
