"""Edits of which array a statement changes in place: ``scores[range(n), y] -= 1`` where ``dscores`` was meant.

Comes in: the wrong gradients.  Goes out: for each statement of the backward pass that changes a value of the forward pass,
or an array that nothing reads afterwards, the same change made to each array that the backward pass reads on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tracer.diagnosis.finding import Kind
from tracer.diagnosis.rewrites import OtherArray
from tracer.diagnosis.trials import Change, Edit, Overlay, Trials
from tracer.tape.node import Kind as NodeKind
from tracer.tape.node import Node, Ref
from tracer.tape.tape import evaluate


def other_arrays(trials: Trials) -> Iterator[Edit]:
    """Every change of what the forward pass computed, or of what nothing reads, made to another array instead."""
    users = trials.analysis.tape.users
    for change in _odd_changes(trials):
        assert change.site is not None
        spoiled = [u for u in users(change.id) if u in trials.affected_nodes]
        for array in trials.behind:
            if array >= change.id or not trials.node(array).names or array in trials.operands(change.id):
                continue
            readers = [u for u in users(array) if u > change.id and u in trials.affected_nodes]
            if readers:
                rewrite = OtherArray(change.site.span, array)
                nodes = tuple(sorted({*readers, *spoiled}))
                yield Edit(Kind.WRONG_OPERAND, 1.3, nodes, _reading(trials, change, array), rewrite)


def _odd_changes(trials: Trials) -> Iterator[Node]:
    """Changes in place, after the forward pass, of a value of the forward pass, or whose result is not used."""
    analysis = trials.analysis
    ancestors = analysis.matcher.all_ancestors
    used = frozenset().union(*(ancestors(t.node) for t in (*trials.targets, *trials.right)))
    for node in analysis.tape.window_nodes():
        if node.kind is not NodeKind.MUTATION or node.window not in trials.windows or node.site is None:
            continue
        if node.id in analysis.matcher.forward or node.id in analysis.updates or not trials.operands(node.id):
            continue
        if node.id not in used or trials.operands(node.id)[0] in analysis.matcher.forward:
            yield node


def _reading(trials: Trials, change: Node, array: int) -> Change:
    """What a reader computes if the change was made to the array, and not to what it was made to."""
    changed = trials.operands(change.id)[0]

    def read(node: int, now: Mapping[int, Any], _: int) -> Any:
        instead = {array: _made_to(trials, change, array, now), change.id: now[changed]}
        return evaluate(trials.node(node), Overlay(now, instead))

    return read


def _made_to(trials: Trials, change: Node, array: int, now: Mapping[int, Any]) -> Any:
    old = trials.operands(change.id)[0]
    instead: dict[int, Any] = {old: now[array]}
    value = change.args[2] if change.op == "setitem" else None
    if isinstance(value, Ref) and trials.node(value.node).site == change.site:  # x[index] -= v also reads x[index]
        for node in (*trials.operands(value.node), value.node):
            if old in trials.operands(node) or node == value.node:
                instead[node] = evaluate(trials.node(node), Overlay(now, instead))
    return evaluate(change, Overlay(now, instead))
