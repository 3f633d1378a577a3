"""Gradients of a loop whose contributions were not added up: ``dW = …`` where ``dW += …`` was meant.

Comes in: the wrong gradients.  Goes out: a `Finding` for each name that was bound several times in one iteration,
or each place that was computed several times, if the sum of what it was bound to is the gradient, on every replay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from tracer.diagnosis.conventions import stripped
from tracer.diagnosis.finding import Finding, Kind
from tracer.diagnosis.identification import identify
from tracer.diagnosis.rewrites import Accumulate, AddUp
from tracer.diagnosis.target import Target, alike, factors_of
from tracer.matching.analysis import Analysis
from tracer.matching.candidates import Match, Sort
from tracer.tape.node import Binding


def overwritten(analysis: Analysis, wrong: Iterable[Target]) -> Iterator[Finding]:
    """The faults of this kind, one for each wrong gradient that has it."""
    done: set[int] = set()
    for target in wrong:
        for bindings in _series(analysis, target.node):
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


def not_added_up(analysis: Analysis, wrong: Iterable[Target]) -> Iterator[Finding]:
    """The fault of a loop over samples that keeps only what the last sample gives: one for all gradients that it spoils."""
    mended: dict[Target, tuple[list[int], Match]] = {}
    for target in wrong:
        runs = _runs(analysis, stripped(analysis, target.node)[0], target.wrt)
        if len(runs) < 2 or not target.roots:
            continue
        per_replay = [sum(values[n] for n in runs) for values in analysis.replays.values]
        factors = factors_of(analysis, per_replay, target.roots[0], target.wrt)
        if factors is None or (target.wanted is not None and not alike(factors, target.wanted)):
            continue
        match = identify(analysis, target.node, per_replay, target.update or target.node, target.wrt)
        if match is not None:
            mended[target] = runs, match
    if mended:
        last = max(n for runs, _ in mended.values() for n in runs)
        site = analysis.tape.nodes[last].site
        assert site is not None
        feeds = (t.node if t.update is None else t.update for t in mended)
        readers = {n for runs, _ in mended.values() for n in runs}
        yield Finding(
            Kind.ACCUMULATION,
            last,
            tuple(dict.fromkeys(feeds)),
            tuple(sorted(readers)),
            {target.node: match for target, (_, match) in mended.items()},
            AddUp(site.span),
            site.span,
        )


def _runs(analysis: Analysis, node: int, wrt: int) -> list[int]:
    """The runs of the place that computed a value, each of which gives a part of the gradient by the same parameter."""
    tape = analysis.tape
    last = tape.nodes[node]
    same = (n.id for n in tape.window_nodes() if (n.window, n.site, n.op) == (last.window, last.site, last.op))
    return [n for n in same if last.site is not None and _is_a_part(analysis, n, wrt)]


def _is_a_part(analysis: Analysis, node: int, wrt: int) -> bool:
    """Whether a value is what one use of a parameter gives to its gradient: for a bias that of the sum which it is in."""
    return any(
        (m.candidate.sort is Sort.PATH and m.candidate.wrt == wrt)
        or (m.candidate.sort is Sort.FULL and wrt in analysis.tape.operands(m.candidate.wrt))
        for m in analysis.matcher.matches.get(node, ())
        if m.scale.rank <= 3
    )


def _series(analysis: Analysis, last: int) -> Iterator[list[Binding]]:
    """Where a function bound each of a node's names, up to the node; if that is one place but for the first time."""
    tape = analysis.tape
    window, layers = tape.nodes[last].window, analysis.matcher.only_of(last)
    for name, scope in dict.fromkeys((b.name, b.scope) for b in tape.bindings if b.node == last):
        same = [b for b in tape.bindings if (b.name, b.scope) == (name, scope) and b.node <= last]
        found = [b for b in same if tape.nodes[b.node].window == window]
        while layers and len(found) > 2 and analysis.matcher.only_of(found[1].node) != layers:
            found = found[1:]
        places = {b.site.span for b in found[1:]}
        if len(places) == 1 and found[0].site.span not in places and found[-1].node == last:
            yield found


def _added_up(bindings: list[Binding], values: list[Any]) -> Any:
    last = bindings[-1].site.span
    added = [values[b.node] for b in bindings if b.site.span == last]
    shapes = {np.shape(v) for v in added}
    return sum(added) if len(shapes) == 1 else None
