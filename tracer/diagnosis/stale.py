"""Stale operands: a gradient that reads a parameter after it was updated, though the loss used it before.

Comes in: an analysis.  Goes out: a `Finding` for each update that came too early.  The test is numeric and
exact: with the older version in its place, the gradient is the one that the update needs, on every
random replay; with the recorded version it is not.
"""

from __future__ import annotations

import numpy as np

from tracer.diagnosis.finding import Finding, Kind
from tracer.diagnosis.identification import identify
from tracer.diagnosis.trials import Overlay
from tracer.matching.analysis import Analysis
from tracer.matching.candidates import Match
from tracer.matching.judging import fits, is_right, judged_updates
from tracer.matching.updates import Update
from tracer.tape.node import Kind as NodeKind
from tracer.tape.tape import evaluate


def find_stale_operands(analysis: Analysis) -> list[Finding]:
    """All updates that came too early, each with the gradients that it spoiled."""
    wrong = [u for u in judged_updates(analysis.matcher) if not is_right(analysis.matcher, u)]
    findings: dict[int, tuple[list[Update], dict[int, Match], list[int]]] = {}
    for update in wrong:
        behind = _behind(analysis, update.change)
        for early in sorted((u for u in analysis.updates if u in behind), reverse=True):
            older = analysis.updates[early].before
            meant = _mended(analysis, update, early, older, behind)
            if meant is None:
                continue
            spoiled, all_meant, readers = findings.setdefault(early, ([], {}, []))
            spoiled.append(update)
            all_meant.update(meant)
            readers += [n for n in meant_region(analysis, behind, early) if _reads(analysis, n, early)]
            break
    return [
        Finding(
            Kind.STALE_OPERAND,
            early,
            tuple(u.node for u in spoiled),
            tuple(dict.fromkeys(readers)),
            meant,
        )
        for early, (spoiled, meant, readers) in findings.items()
    ]


def _behind(analysis: Analysis, node: int) -> frozenset[int]:
    """Everything a node was computed from within the windows, up to and with update nodes."""
    tape = analysis.tape
    seen: set[int] = set()
    todo = [node]
    while todo:
        current = todo.pop()
        if current in seen:
            continue
        seen.add(current)
        if current not in analysis.updates:
            todo += [k for k in tape.operands(current) if tape.nodes[k].window >= 0]
    return frozenset(seen)


def meant_region(analysis: Analysis, behind: frozenset[int], early: int) -> list[int]:
    """The nodes behind a gradient that depend on the early update, in order."""
    spoiled = {early}
    region = []
    for node in sorted(behind):
        if (
            node > early
            and node not in analysis.updates
            and not spoiled.isdisjoint(analysis.tape.operands(node))
        ):
            spoiled.add(node)
            region.append(node)
    return region


def _reads(analysis: Analysis, node: int, early: int) -> bool:
    return early in analysis.tape.operands(node)


def _mended(
    analysis: Analysis, update: Update, early: int, older: int, behind: frozenset[int]
) -> dict[int, Match] | None:
    """What the spoiled nodes are with the older version in place; None if the gradient is still wrong."""
    region = meant_region(analysis, behind, early)
    mended: list[Overlay] = []
    for values in analysis.replays.values:
        changed = {early: values[older]}
        now = Overlay(values, changed)
        for node in region:
            recorded = analysis.tape.nodes[node]
            if recorded.kind in (NodeKind.LEAF, NodeKind.RANDOM, NodeKind.OPAQUE):
                continue
            with np.errstate(all="ignore"):
                changed[node] = evaluate(recorded, now)
        mended.append(now)
    if update.change not in region:
        return None

    def meaning(node: int, wrt: int | None = None) -> Match | None:
        return identify(analysis, node, [m[node] for m in mended], update.node, wrt)

    needed = meaning(update.change, update.before)
    if needed is None or not fits(needed, update):
        return None
    meant = {node: meaning(node) for node in region if node != update.change}
    meant[update.change] = needed
    return {node: match for node, match in sorted(meant.items()) if match is not None}
