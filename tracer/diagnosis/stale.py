"""Stale operands: a gradient that reads a parameter after it was updated, though the loss used it before.

Comes in: an analysis.  Goes out: a `Finding` for each update that came too early.  The test is numeric and
exact: with the older version in its place, the gradient is the one that the update needs, on every
random replay; with the recorded version it is not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tracer.diagnosis.finding import Finding, Kind
from tracer.diagnosis.identification import identify
from tracer.diagnosis.trials import Overlay
from tracer.gradients.adjoints import ELEMENTWISE
from tracer.matching.analysis import Analysis
from tracer.matching.candidates import Match
from tracer.matching.clock import Task
from tracer.matching.judging import fits, is_right, judged_updates
from tracer.matching.optimisers import recognise
from tracer.matching.updates import Update, scaled_from, without_ones
from tracer.tape.node import Kind as NodeKind
from tracer.tape.tape import evaluate


def find_stale_operands(analysis: Analysis) -> list[Finding]:
    """All updates that came too early, each with the gradients that it spoiled."""
    wrong = [u for u in judged_updates(analysis.matcher) if not is_right(analysis.matcher, u)]
    findings: dict[int, tuple[list[Update], dict[int, Match], list[int]]] = {}
    regions = {u.node: analysis.matcher.all_ancestors(u.change) for u in wrong}
    older = _Older(analysis, frozenset().union(*regions.values()))
    start = time.thread_time()
    until = start + analysis.clock.left(Task.FAULT)
    for at, update in enumerate(wrong):
        if time.thread_time() > until:
            sites = [analysis.tape.nodes[u.node].site for u in wrong[at:]]
            analysis.clock.leave_out(Task.FAULT, sorted({s.span.line for s in sites if s is not None}))
            break
        behind = regions[update.node]
        early = sorted((u for u in analysis.updates if u in behind), reverse=True)
        nodes = analysis.tape.nodes
        inside = tuple(u for u in early if nodes[u].window == nodes[update.node].window)
        for together in (*((u,) for u in early), *((inside,) if len(inside) > 1 else ())):
            region = meant_region(analysis, behind, together)
            meant = _mended(analysis, update, region, older.values(together))
            if meant is None or _was_used(analysis, together, next(iter(meant.values()))):
                continue
            told = _told_already(analysis, together, findings)
            spoiled, all_meant, readers = findings.setdefault(told, ([], {}, []))
            spoiled.append(update)
            all_meant.update(meant)
            readers += [n for n in region if not set(together).isdisjoint(analysis.tape.operands(n))]
            break
    analysis.clock.spend(Task.FAULT, start)
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


def _was_used(analysis: Analysis, early: tuple[int, ...], needed: Match) -> bool:
    """Whether the loss was computed with a version that is said to have come too early."""
    return not analysis.matcher.all_ancestors(needed.candidate.root).isdisjoint(early)


def _told_already(analysis: Analysis, together: tuple[int, ...], known: Iterable[int]) -> int:
    """Of updates that came too early the one that stands for all: layer by layer they are one line of the source."""
    nodes = analysis.tape.nodes
    places = {(nodes[u].site, nodes[u].window) for u in together}
    return next((u for u in known if (nodes[u].site, nodes[u].window) in places), together[0])


def meant_region(analysis: Analysis, behind: frozenset[int], early: tuple[int, ...]) -> list[int]:
    """The nodes behind a gradient that depend on updates that came too early, in order."""
    spoiled = set(early)
    region = []
    for node in sorted(behind):
        if (
            node > min(early)
            and node not in analysis.updates
            and not spoiled.isdisjoint(analysis.tape.operands(node))
        ):
            spoiled.add(node)
            region.append(node)
    return region


class _Older:
    """The values of the replays with older versions of parameters in the place of those that came too early."""

    def __init__(self, analysis: Analysis, behind: frozenset[int]) -> None:
        """Prepare.

        Arguments:
            behind: the nodes that are asked for.
        """
        self._analysis = analysis
        self._behind = behind
        self._known: dict[tuple[int, ...], list[Overlay]] = {}

    def values(self, early: tuple[int, ...]) -> list[Overlay]:
        """The values on every replay."""
        if early not in self._known:
            self._known[early] = list(map(self._replay(early), self._analysis.replays.values))
        return self._known[early]

    def _replay(self, early: tuple[int, ...]) -> Callable[[list[Any]], Overlay]:
        nodes = self._analysis.tape.nodes
        region = meant_region(self._analysis, self._behind, early)
        older = {u: _first_version(self._analysis, u, early) for u in early}
        fixed = (NodeKind.LEAF, NodeKind.RANDOM, NodeKind.OPAQUE)

        def replayed(values: list[Any]) -> Overlay:
            changed = {new: values[old] for new, old in older.items()}
            now = Overlay(values, changed)
            with np.errstate(all="ignore"):
                for node in region:
                    if nodes[node].kind not in fixed:
                        changed[node] = evaluate(nodes[node], now)
            return now

        return replayed


def _first_version(analysis: Analysis, update: int, early: tuple[int, ...]) -> int:
    """What a parameter was before the first of several updates that came too early.

    Of one that is updated entry by entry it is the version that a loss was computed from: nobody wants those between.
    """
    before = update
    while before == update or before in early or _is_between(analysis, update, before):
        before = analysis.updates[before].before
    return before


def _is_between(analysis: Analysis, update: int, version: int) -> bool:
    """Whether a version was made on the way to another one, entry by entry, and no loss was computed from it."""
    made, nodes = analysis.updates.get(version), analysis.tape.nodes
    entry = made is not None and made.written is not None and analysis.updates[update].written is not None
    return entry and nodes[version].window == nodes[update].window and version not in analysis.matcher.forward


def _mended(analysis: Analysis, update: Update, region: list[int], now: list[Overlay]) -> dict[int, Match] | None:
    """What the spoiled nodes are with the older version in place; None if the gradient is still wrong."""
    if update.change not in region:
        return None

    def meaning(node: int, wrt: int | None = None) -> Match | None:
        return identify(analysis, node, [values[node] for values in now], update.node, wrt)

    changed = [update.change, *_without_rates(analysis, update, region), *_before_decay(analysis, update, region)]
    needed = {node: found for node in changed if (found := meaning(node, update.wrt)) is not None and fits(found, update)}
    if not needed or (update.change not in needed and any(m.scale.rank > 3 for m in needed.values())):
        return None
    meant = {node: meaning(node) for node in region if node not in needed} | needed
    return {node: match for node, match in sorted(meant.items()) if match is not None}


def _without_rates(analysis: Analysis, update: Update, region: list[int]) -> list[int]:
    """What a step is before it is multiplied by numbers: the rate may be computed anew in every step."""
    matcher, found, scaled = analysis.matcher, list[int](), update.change
    for node in scaled_from(analysis.tape, update.change):
        numbers = (k for k in analysis.tape.operands(scaled) if k != node)
        rests = any(not matcher.variables.parameters.isdisjoint(matcher.all_ancestors(k)) for k in numbers)
        if node not in region or rests:  # an error that the features are multiplied by is no rate
            break
        found.append(node)
        scaled = node
    return found


def _before_decay(analysis: Analysis, update: Update, region: list[int]) -> list[int]:
    """Of a step with weight decay, what may be the gradient: the terms of its sums that depend on what came too early."""
    if not recognise(analysis.matcher, update).decays:
        return []
    tape = analysis.tape
    found, todo = [], [update.change]
    while todo:
        node = todo.pop()
        shape = without_ones(tape.nodes[node].shape)
        if tape.nodes[node].op in ELEMENTWISE:
            todo += [k for k in tape.operands(node) if k in region and without_ones(tape.nodes[k].shape) == shape]
        found += [node] if node != update.change else []
    return found
