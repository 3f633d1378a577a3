"""Edits of a penalty's gradient that is taken of all of a parameter, where the loss penalises a part, and the other way.

Comes in: the backward nodes behind a wrong gradient.  Goes out: edits in which a statement that reads a parameter reads
it with zeros where no penalty is, as for the first entry of ``theta`` with ``np.sum(theta[1:] ** 2)`` in the loss; and
edits in which a statement that adds to a part of an array what it reads of a part of the parameter does so with the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracer.diagnosis.finding import Kind
from tracer.diagnosis.rewrites import OnlyPart, WholeArrays
from tracer.diagnosis.trials import Change, Edit, Overlay, Trials
from tracer.gradients.adjoints import is_real
from tracer.matching.decay import rests_on_parameters
from tracer.tape.node import Kind as NodeKind
from tracer.tape.tape import evaluate, substitute


def only_what_is_penalised(trials: Trials) -> Iterator[Edit]:
    """Every reading of a parameter of which the loss penalises a part, with zeros elsewhere."""
    parts = list(_penalised_parts(trials))
    for first, nodes in trials.places if parts else ():
        if first.site is None or not is_real(first):
            continue
        for whole, part, inside, edges in parts:
            same = trials.analysis.graph.representative(whole)
            read = {
                n: k
                for n in nodes
                for k in trials.operands(n)
                if trials.analysis.graph.representative(k) == same
            }
            if len(read) == len(nodes):
                rewrite = OnlyPart(first.site.span, read[nodes[0]], part, edges)
                yield Edit(Kind.WRONG_OPERAND, 1.5, nodes, _reading(trials, read, inside), rewrite)


def _penalised_parts(trials: Trials) -> Iterator[tuple[int, int, NDArray[np.bool_], tuple[tuple[int, int], ...]]]:
    """Parameters with the slice of them that a penalty is taken of, where that is, and what it leaves out of each axis."""
    for node in sorted(trials.analysis.matcher.forward):
        view = trials.node(node)
        if view.op != "getitem" or view.kind is not NodeKind.VIEW or view.window not in trials.windows:
            continue
        whole = trials.operands(node)[0]
        users = [u for u in trials.analysis.tape.users(node) if u in trials.analysis.matcher.forward]
        if not users or not all(rests_on_parameters(trials.analysis.matcher, u) for u in users):
            continue
        inside = np.zeros(trials.node(whole).shape or (), dtype=bool)
        inside[substitute(view.args[1], trials.analysis.replays.values[0])] = True
        edges = _edges(inside)
        if np.any(edges):
            yield whole, node, inside, edges


def _edges(inside: NDArray[np.bool_]) -> tuple[tuple[int, int], ...]:
    """How many places at the beginning and at the end of each axis lie outside; all 0 for what is no plain slice."""
    places = np.nonzero(inside)
    if not inside.any():
        return ((0, 0),) * inside.ndim
    edges = tuple((int(p.min()), int(n - 1 - p.max())) for p, n in zip(places, inside.shape, strict=True))
    box = tuple(slice(low, n - high) for (low, high), n in zip(edges, inside.shape, strict=True))
    plain = bool(inside[box].all()) and sum(map(bool, np.ravel(edges))) == 1
    return edges if plain else ((0, 0),) * inside.ndim


def all_that_is_penalised(trials: Trials) -> Iterator[Edit]:
    """Every ``grad[1:] += lam * theta[1:]``, with all of both arrays."""
    for first, nodes in trials.places:
        if first.op != "setitem" or first.site is None or not is_real(first):
            continue
        parts = {n: _parts_read(trials, n) for n in nodes}
        if all(parts.values()):
            views = parts[first.id]
            rewrite = WholeArrays(first.site.span, tuple(trials.operands(view)[0] for view in views))
            yield Edit(Kind.MISSING_TERM, 1.3, nodes, _of_whole_arrays(trials, parts), rewrite)


def _parts_read(trials: Trials, change: int) -> tuple[int, ...]:
    """The views by which a statement that changes a part of an array reads arrays of the same shape, all of them alike."""
    made = trials.node(change)
    views = tuple(n for n in _within(trials, change) if trials.node(n).op == "getitem")
    alike = all(
        trials.node(v).shape == trials.node(views[0]).shape
        and trials.node(trials.operands(v)[0]).shape == made.shape
        and trials.node(v).kind is NodeKind.VIEW
        for v in views
    )
    read = {trials.operands(v)[0] for v in views}
    return views if alike and made.args[0].node in read and read & trials.analysis.matcher.forward else ()


def _within(trials: Trials, change: int) -> list[int]:
    """The nodes that a statement computes on its way to what it stores, in order."""
    site = trials.node(change).site
    found: set[int] = set()
    todo = [change]
    while todo:
        node = todo.pop()
        own = trials.node(node).site
        if node not in found and own is not None and site is not None and site.span.contains(own.span):
            found.add(node)
            todo += trials.operands(node)
    return sorted(found - {change})


def _of_whole_arrays(trials: Trials, parts: Mapping[int, tuple[int, ...]]) -> Change:
    def change(node: int, now: Mapping[int, Any], _: int) -> Any:
        instead: dict[int, Any] = {view: now[trials.operands(view)[0]] for view in parts[node]}
        for inner in _within(trials, node):
            if inner not in instead and not instead.keys().isdisjoint(trials.operands(inner)):
                instead[inner] = evaluate(trials.node(inner), Overlay(now, instead))
        stored = instead.get(trials.node(node).args[2].node)
        if stored is None or np.shape(stored) != trials.node(node).shape:
            raise ValueError("what is stored has not the shape of the whole array")
        return stored

    return change


def _reading(trials: Trials, read: Mapping[int, int], inside: NDArray[np.bool_]) -> Change:
    def change(node: int, now: Mapping[int, Any], _: int) -> Any:
        return evaluate(trials.node(node), Overlay(now, {read[node]: np.where(inside, now[read[node]], 0.0)}))

    return change
