"""Gradients of a loop whose contributions were not added up: ``dW = …`` where ``dW += …`` was meant.

Comes in: the wrong gradients.  Goes out: a `Finding` for each name that was bound several times in one iteration,
if the sum of what it was bound to is the gradient, on every replay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from tracer.diagnosis.finding import Finding, Kind
from tracer.diagnosis.identification import identify
from tracer.diagnosis.rewrites import Accumulate
from tracer.diagnosis.target import Target, alike, factors_of
from tracer.matching.analysis import Analysis
from tracer.tape.node import Binding


def overwritten(analysis: Analysis, wrong: Iterable[Target]) -> Iterator[Finding]:
    """The faults of this kind, one for each wrong gradient that has it."""
    done: set[int] = set()
    for target in wrong:
        for name in analysis.tape.nodes[target.node].names:
            bindings = _bindings(analysis, name, target.node)
            if len(bindings) < 2 or target.wrt in done:
                continue
            per_replay = [_added_up(bindings, values) for values in analysis.replays.values]
            if any(v is None for v in per_replay):
                continue
            factors = factors_of(analysis, per_replay, target.roots[0], target.wrt) if target.roots else None
            if factors is None or (target.wanted is not None and not alike(factors, target.wanted)):
                continue
            match = identify(analysis, target.node, per_replay, target.update or target.node, target.wrt)
            if match is None:
                continue
            done.add(target.wrt)
            last = bindings[-1]
            feeds = target.node if target.update is None else target.update
            yield Finding(
                Kind.ACCUMULATION,
                last.node,
                (feeds,),
                tuple(b.node for b in bindings),
                {target.node: match},
                Accumulate(last.site.span),
                last.site.span,
            )


def _bindings(analysis: Analysis, name: str, last: int) -> list[Binding]:
    """Where the name was bound in the window of a node, up to it; only if it is the same place each time but the first."""
    tape = analysis.tape
    window = tape.nodes[last].window
    found = [b for b in tape.bindings if b.name == name and tape.nodes[b.node].window == window]
    places = {b.site.span for b in found[1:]}
    started = len(places) == 1 and found[0].site.span not in places
    return found if started and found[-1].node == last else []


def _added_up(bindings: list[Binding], values: list[Any]) -> Any:
    last = bindings[-1].site.span
    added = [values[b.node] for b in bindings if b.site.span == last]
    shapes = {np.shape(v) for v in added}
    return sum(added) if len(shapes) == 1 else None
