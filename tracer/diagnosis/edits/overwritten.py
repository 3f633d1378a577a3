"""Edits of values that a loop computes again and again and keeps only the last of, where their sum was meant.

Comes in: the backward nodes behind a wrong gradient.  Goes out: the last of them plus those that nothing reads.  What is
meant as a gradient itself is looked at in `tracer.diagnosis.accumulation`; here it is what one is computed from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import takewhile
from typing import Any

from tracer.diagnosis.finding import Kind
from tracer.diagnosis.rewrites import Accumulate
from tracer.diagnosis.trials import Edit, Trials
from tracer.gradients.adjoints import is_real
from tracer.tape.node import Node
from tracer.tape.tape import evaluate


def _is_run_of(trials: Trials, first: Node, node: int) -> bool:
    other = trials.node(node)
    return (other.site, other.op, other.window) == (first.site, first.op, first.window)


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
            before = reversed(bound[: bound.index(first.id)])
            runs = list(takewhile(partial(_is_run_of, trials, first), before))
            if not runs or any(tape.users(n) for n in runs):
                continue

            def added_up(node: int, now: Mapping[int, Any], _: int, runs: list[int] = runs) -> Any:
                return sum((now[n] for n in runs), evaluate(trials.node(node), now))

            yield Edit(Kind.ACCUMULATION, 1.0, nodes, added_up, Accumulate(first.site.span))
