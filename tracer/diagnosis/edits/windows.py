"""Edits of the part of an array that a statement reads or changes: the part that the forward pass took, run by run.

Comes in: the backward nodes behind a wrong gradient.  Goes out: edits in which a place that runs as often as one of the
forward pass, on an array of the same shape, uses the index of that: ``dx[i * s : i * s + k] += …`` for ``dx[i : i + k]``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tracer.diagnosis.finding import Kind
from tracer.diagnosis.rewrites import OtherIndex
from tracer.diagnosis.trials import Change, Edit, Trials
from tracer.tape.functions import Slice, resolve
from tracer.tape.node import Node, Ref, Span
from tracer.tape.tape import substitute

_OF_PARTS = ("getitem", "setitem")


def other_windows(trials: Trials) -> Iterator[Edit]:
    """Every part of an array, as each part that the forward pass takes of an array of that shape as often."""
    forward = _of_forward_pass(trials)
    for first, nodes in trials.places:
        if first.site is None or first.op not in _OF_PARTS or not _has_slices(first):
            continue
        shape = trials.node(trials.operands(first.id)[0]).shape
        for group in forward.get((shape, len(nodes)), ()):
            if _text(trials.node(group[0])) != _text(first):
                index = dict(zip(nodes, (trials.node(n).args[1] for n in group), strict=True))
                rewrite = OtherIndex(first.site.span, group[0])
                yield Edit(Kind.WRONG_OPERAND, 1.35, nodes, _at(trials, index), rewrite)


def _of_forward_pass(trials: Trials) -> dict[tuple[tuple[int, ...] | None, int], list[list[int]]]:
    """The places of the forward pass that take a part of an array, by its shape and by how often they run."""
    runs: dict[Span, list[int]] = defaultdict(list)
    for node in sorted(trials.analysis.matcher.forward):
        recorded = trials.node(node)
        inside = recorded.window in trials.windows and recorded.site is not None
        if inside and recorded.op in _OF_PARTS and _has_slices(recorded):
            assert recorded.site is not None
            runs[recorded.site.span].append(node)
    found: dict[tuple[tuple[int, ...] | None, int], list[list[int]]] = defaultdict(list)
    for nodes in runs.values():
        found[trials.node(trials.operands(nodes[0])[0]).shape, len(nodes)].append(nodes)
    return found


def _has_slices(node: Node) -> bool:
    index = node.args[1]
    return any(isinstance(item, Slice) for item in (index if isinstance(index, tuple) else (index,)))


def _text(node: Node) -> str:
    return "" if node.site is None else node.site.text


def _at(trials: Trials, index: Mapping[int, Any]) -> Change:
    def change(node: int, now: Mapping[int, Any], _: int) -> Any:
        recorded = trials.node(node)
        place = substitute(index[node], now)
        if recorded.op == "getitem":
            return np.array(now[recorded.args[0].node][place])
        old, _index, new = recorded.args
        value = np.array(now[old.node])
        made = trials.node(new.node) if isinstance(new, Ref) else None
        if made is not None and made.site == recorded.site and len(trials.operands(made.id)) == 2:
            value[place] = resolve(made.op)(value[place], now[trials.operands(made.id)[1]])  # x[index] += v
        else:
            value[place] = substitute(new, now)
        return value

    return change
