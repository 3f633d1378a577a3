"""Edits of what a call is handed: the values that another run of the forward function left, all of them at once.

Comes in: the backward nodes behind a wrong gradient.  Goes out: for each call in the backward pass that reads what one run
of some forward code computed, the same from each other run of that code: ``backward(d, cache2)`` for ``cache1``.  And where
an object keeps what its last forward pass computed, the same from an earlier one, as for both branches of a siamese net.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from tracer.diagnosis.finding import Kind
from tracer.diagnosis.rewrites import ForwardAgain, OtherCache
from tracer.diagnosis.trials import Change, Edit, Overlay, Trials
from tracer.tape.node import Kind as NodeKind
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


def earlier_states(trials: Trials) -> Iterator[Edit]:
    """Every call of the backward pass with the attributes of an object as an earlier run of its forward code left them."""
    kept = _attributes(trials)
    for span, nodes in _calls(trials).items():
        read = {n: [o for o in trials.operands(n) if o in kept] for n in nodes}
        read = {n: olds for n, olds in read.items() if olds}
        olds = {o for of in read.values() for o in of}
        for back in range(1, min((kept[o][1] for o in olds), default=0) + 1):
            new = {o: kept[o][0][kept[o][1] - back] for o in olds}
            calls = next((c for o in olds if (c := _where_they_part(trials, new[o], o)) is not None), None)
            if calls is not None and all(trials.node(o).shape == trials.node(n).shape for o, n in new.items()):
                rewrite = ForwardAgain(span, *calls)
                yield Edit(Kind.STALE_OPERAND, 1.5, tuple(sorted(read)), _with(trials, new), rewrite)


def _attributes(trials: Trials) -> dict[int, tuple[list[int], int]]:
    """What one statement of forward code has kept in an attribute, run by run, and which of them a node is."""
    kept: dict[tuple[str, Span], list[int]] = defaultdict(list)
    for binding in trials.analysis.tape.bindings:
        if "." in binding.name and trials.node(binding.node).shape and binding.node not in trials.affected_nodes:
            node = binding.node
            shown = trials.node(node).window in trials.windows or trials.node(node).kind is NodeKind.LEAF
            runs = kept[binding.name, binding.site.span]
            if shown and node not in runs:
                runs.append(node)
    return {node: (runs, at) for runs in kept.values() if len(runs) > 1 for at, node in enumerate(runs)}


def _where_they_part(trials: Trials, one: int, other: int) -> tuple[Span, Span] | None:
    """The calls in which two runs of one place were made, the outermost ones that differ."""
    for first, second in zip(trials.node(one).calls, trials.node(other).calls, strict=False):
        if first.site != second.site:
            return first.site.span, second.site.span
    return None


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
