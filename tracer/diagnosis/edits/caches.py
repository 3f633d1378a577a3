"""Edits of what a call is handed: the values that another run of the forward function left, all of them at once.

Comes in: the backward nodes behind a wrong gradient.  Goes out: for each call in the backward pass that reads what one run
of some forward code computed, the same from each other run of that code: ``backward(d, cache2)`` for ``cache1``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from tracer.diagnosis.finding import Kind
from tracer.diagnosis.rewrites import OtherCache
from tracer.diagnosis.trials import Change, Edit, Overlay, Trials
from tracer.tape.node import Span
from tracer.tape.tape import evaluate


def other_caches(trials: Trials) -> Iterator[Edit]:
    """Every call of the backward pass with what another run of the forward code left for it."""
    first = trials.analysis.graph.representative
    run_of = {first(node): (group, at) for group in trials.repeated for at, node in enumerate(group)}
    for span, nodes in _calls(trials).items():
        read = {n: [o for o in trials.operands(n) if first(o) in run_of] for n in nodes}
        read = {n: olds for n, olds in read.items() if olds}
        runs = {o: run_of[first(o)] for olds in read.values() for o in olds}
        places = {(len(group), at) for group, at in runs.values()}
        if len(set(map(first, runs))) < 2 or len(places) != 1:
            continue  # one value alone is an operand
        [(count, own)] = places
        for other in range(count):
            new = {o: group[other] for o, (group, _) in runs.items()}
            alike = all(trials.node(o).shape == trials.node(n).shape for o, n in new.items())
            if other != own and alike and all(n < min(read) for n in new.values()):
                yield Edit(Kind.WRONG_OPERAND, 2.05, tuple(sorted(read)), _with(trials, new), OtherCache(span))


def _calls(trials: Trials) -> dict[Span, list[int]]:
    """The calls behind the targets, each with the nodes that were computed within it."""
    found: dict[Span, list[int]] = defaultdict(list)
    forward = trials.analysis.matcher.forward
    for node in trials.tried:
        for call in trials.node(node).calls:
            if node not in forward:
                found[call.site.span].append(node)
    return found


def _with(trials: Trials, new: Mapping[int, int]) -> Change:
    def change(node: int, now: Mapping[int, Any], _: int) -> Any:
        return evaluate(trials.node(node), Overlay(now, {old: now[put] for old, put in new.items()}))

    return change
