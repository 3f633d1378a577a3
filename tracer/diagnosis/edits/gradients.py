"""Edits that say what a value should be: a whole gradient, or itself and a term that is missing.

Comes in: the backward nodes behind a wrong gradient.  Goes out: values replaced by the gradient of a root by a forward
value of their shape, with the factor that the other gradients carry.  If what is missing is itself something
known, the edit is that term; else it is the whole gradient, and the last resort.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tracer.diagnosis.edits.softmaxes import of_softmax
from tracer.diagnosis.finding import Kind
from tracer.diagnosis.rewrites import AddName, AddTerm, Gradient, OfSoftmax
from tracer.diagnosis.target import is_gradient
from tracer.diagnosis.trials import Change, Edit, Trials
from tracer.gradients.adjoints import is_real
from tracer.gradients.named_sizes import MEANS
from tracer.matching.candidates import Candidate, Sort
from tracer.matching.decay import rests_on_parameters
from tracer.matching.fingerprint import fingerprint
from tracer.matching.scale import name_scale
from tracer.tape.node import Kind as NodeKind
from tracer.tape.node import Node
from tracer.tape.tape import evaluate

#: What two numbers that are equal but for rounding may differ by, as a part of what they were made from.
_ROUNDING = 1e-13


def gradients_instead(trials: Trials) -> Iterator[Edit]:
    """Every place whose value is not recognised, as the gradient by each forward value of its shape."""
    for first, nodes in trials.places:
        known = all(is_gradient(trials.best(n)) and n not in trials.target_nodes for n in nodes)
        if not (is_real(first) or first.dtype == "bool") or first.shape is None or known:
            continue
        for root, wrt in _meanings(trials, nodes):
            for factors in trials.carried(nodes):
                values = {
                    n: [
                        f * np.asarray(a.full[w]) for f, a in zip(factors, trials.adjoints(root), strict=True)
                    ]
                    for n, w in wrt.items()
                }
                values = {n: _like(trials.node(n), v) for n, v in values.items()}
                yield from _as_gradient(trials, first, nodes, root, wrt, values, factors)


def never_filled(trials: Trials) -> Iterator[Edit]:
    """What is meant as a gradient, was made of zeros to add to, and never was added to: the whole gradient is missing."""
    for target in trials.targets:
        made = trials.node(target.node)
        if made.op not in ("zeros", "zeros_like") or made.site is None or not target.roots:
            continue
        root = target.roots[0]
        values = {target.node: [np.asarray(a.full[target.wrt]) for a in trials.adjoints(root)]}
        ones = (1.0,) * len(trials.adjoints(root))
        rewrite = Gradient(made.site.span, target.node, root, target.wrt, ones)
        yield Edit(Kind.MISSING_TERM, 1.4, (target.node,), known_values(values), rewrite)


def carried_terms(trials: Trials) -> Iterator[Edit]:
    """A value plus what a variable of the backward pass holds from the step before, as in a loop over time.

    It may be one of the function that calls: the call hands it over, or can.
    """
    forward = trials.analysis.matcher.forward
    for first, nodes in trials.places:
        if not is_real(first) or not first.shape or first.kind is NodeKind.VIEW:
            continue
        assert first.site is not None
        callers = [call.function.rpartition(".")[2] for call in first.calls[-2:-1]] or ([""] if first.calls else [])
        scopes = dict.fromkeys([first.scope, *callers])
        for name, bindings in ((n, b) for scope in scopes for n, b in trials.variables[scope].items()):
            held = {n: trials.bound_before(bindings, n) for n in nodes}
            known = {n: h for n, h in held.items() if h is not None}
            if len(known) < len(nodes) or any(
                h in forward or h in trials.operands(n) for n, h in known.items()
            ):
                continue
            if any(trials.node(h).shape != trials.node(n).shape for n, h in known.items()):
                continue

            def plus(node: int, now: Mapping[int, Any], _: int, known: dict[int, int] = known) -> Any:
                return evaluate(trials.node(node), now) + now[known[node]]

            yield Edit(Kind.MISSING_TERM, 1.5, nodes, plus, AddName(first.site.span, name))


def _like(node: Node, values: list[Any]) -> list[Any]:
    return [
        v.reshape(node.shape) if node.shape is not None and v.size == math.prod(node.shape) else v
        for v in values
    ]


def _meanings(trials: Trials, nodes: tuple[int, ...]) -> Iterator[tuple[int, dict[int, int]]]:
    """Roots, with the forward value that each node might hold the gradient by."""
    for root in trials.roots:
        full = trials.adjoints(root)[0].full
        by_shape: dict[tuple[int, ...], list[int]] = {}
        for wrt, value in full.items():
            if wrt != root:
                by_shape.setdefault(np.shape(value), []).append(wrt)
        if len(nodes) == 1:
            for wrt in by_shape.get(trials.node(nodes[0]).shape or (), ()):
                yield root, {nodes[0]: wrt}
            continue
        for group in (*trials.repeated, *trials.read_in_turn):
            for part in _as_many(group, len(nodes)):
                # The first value of a series, such as the state before the first step, may be no variable.
                if not all(g in full for g in part[1:]):
                    continue
                for ordered in (part, part[::-1]):
                    pairs = {n: w for n, w in zip(nodes, ordered, strict=True) if w in full}
                    if all(np.shape(full[w]) == trials.node(n).shape for n, w in pairs.items()):
                        yield root, pairs


def _as_many(group: tuple[int, ...], count: int) -> Iterator[tuple[int, ...]]:
    """A whole series, or but for its first or last value: what the backward pass computes last may not be used."""
    if len(group) == count:
        yield group
    elif len(group) == count + 1:
        yield group[1:]
        yield group[:-1]


def _as_gradient(
    trials: Trials,
    first: Node,
    nodes: tuple[int, ...],
    root: int,
    wrt: dict[int, int],
    values: dict[int, list[Any]],
    factors: tuple[float, ...],
) -> Iterator[Edit]:
    assert first.site is not None
    several, nodes = len(nodes) > 1, tuple(values)
    change = known_values(values)
    span = first.site.span
    # Of a place that runs several times: what is missing the first time is missing later in all that rests on it, too.
    missing = missing_term(trials, nodes[0], wrt[nodes[0]], values[nodes[0]], several=several)
    if missing is not None:
        candidate, factor = missing
        inside = None if candidate.sort is Sort.VALUE else candidate.root
        yield Edit(
            _kind_of_missing(trials, candidate),
            1.4 + 0.01 * (several and inside is None),
            nodes,
            change,
            AddTerm(span, candidate.wrt, factor, inside, candidate.via),
        )
    if not trials.steps.isdisjoint(nodes) or not _is_meant(trials, nodes):
        return  # the step itself is no gradient; what it was made from is
    softmax = trials.is_cut_to_diagonal(nodes[0], root, wrt[nodes[0]])
    # The place that is bound to a name is the one to be told; what stands within it comes after.
    level = 5.0 + (0.0 if first.names else 0.2) + (0.0 if trials.node(wrt[nodes[0]]).names else 0.1)
    text: Gradient | OfSoftmax = Gradient(span, nodes[0], root, wrt[nodes[0]], factors)
    if softmax:
        text = of_softmax(trials, span, nodes[0], wrt[nodes[0]]) or text
    yield Edit(Kind.SOFTMAX_JACOBIAN if softmax else Kind.UNKNOWN, level, nodes, change, text=text)


def _is_meant(trials: Trials, nodes: tuple[int, ...]) -> bool:
    """Whether a value that is recognised as nothing is computed from gradients, and is no part of one.

    Any value could be said to be meant as a gradient; one that the chain rule leads to is.
    """
    if any(t.node in nodes and t.roots[:1] and t.roots[0] in trials.analysis.matcher.reach for t in trials.targets):
        return True  # what a layer passes on is the whole gradient
    for node in nodes:
        match = trials.best(node)
        if match is not None and match.candidate.sort in (Sort.PATH, Sort.PARTIAL) and match.scale.rank <= 3:
            return False
    if trials.target_nodes.isdisjoint(nodes):
        return True
    behind = {a for n in nodes for a in trials.analysis.matcher.all_ancestors(n)} - set(nodes)
    return not trials.gradients.isdisjoint(behind)


def known_values(values: Mapping[int, list[Any]]) -> Change:
    """What a node should be, on each replay."""
    return lambda node, _, replay: values[node][replay]


def missing_term(
    trials: Trials, node: int, wrt: int, wanted: list[Any], reader: int | None = None, several: bool = False
) -> tuple[Candidate, str] | None:
    """What must be added to a node to give the gradient, if that is something known.

    Arguments:
        reader: what reads the node where the term is missing; the node itself if none is given.
        several: whether the same is missing at other nodes too: then one value is not what is, but a path to the loss.
    """
    here = node if reader is None else reader
    analysis = trials.analysis
    held = [np.asarray(v) for v in analysis.replays.of(node)]
    if any(v.shape != np.shape(w) for v, w in zip(held, wanted, strict=True)):
        return None  # also where a mask selects more in one replay than in another
    differences = [_without_rounding(w - v, v) for w, v in zip(wanted, held, strict=True)]
    found = fingerprint(differences)
    if found is None:
        return None
    hits = []
    for candidate, measured, _ in analysis.matcher.index.find(found, analysis.matcher.scalar_factors(node)):
        if candidate.transposed or candidate.sort is Sort.LOCAL or candidate.wrt >= here:
            continue
        of_penalty = candidate.wrt == wrt and rests_on_parameters(trials.analysis.matcher, candidate.root)
        if candidate.sort is Sort.FULL and not of_penalty:
            continue
        if candidate.sort in (Sort.PATH, Sort.PARTIAL) and not _may_be_forgotten(trials, candidate, wrt):
            continue
        scale = name_scale(measured, analysis.matcher.scalars(node, candidate.root), frozenset())
        if scale is not None and scale.rank <= 3:
            order = {Sort.VALUE: 4 * several, Sort.FULL: 1, Sort.PATH: 2, Sort.PARTIAL: 3}[candidate.sort]
            hits.append(((order, scale.rank, candidate.wrt), candidate, scale.text))
    if not hits:
        return None
    _, candidate, text = min(hits, key=lambda hit: hit[0])
    return candidate, text


def _without_rounding(difference: Any, of: Any) -> Any:
    """A difference that is the same along an axis but for rounding, made the same: a mean is missing in every row."""
    size = float(np.max(np.abs(of), initial=0.0))
    for axis in range(np.ndim(difference)):
        first = np.take(difference, [0], axis)
        if np.all(np.abs(difference - first) <= _ROUNDING * size):
            difference = np.broadcast_to(first, np.shape(difference))
    return difference


def _may_be_forgotten(trials: Trials, candidate: Candidate, wrt: int) -> bool:
    """Whether a path that is left out is an oversight: a penalty, or a path whose end the backward pass knows.

    A value that is held fixed on purpose, such as a target that the same network computes, has no gradient in the
    program at all; but a layer that is called by hand passes on the whole one.
    """
    if candidate.via is None:
        return False
    if _is_of_a_statistic(trials, candidate.via) and wrt in trials.analysis.matcher.all_ancestors(candidate.wrt):
        return True
    if candidate.wrt != wrt:
        return False
    if candidate.root in trials.analysis.matcher.reach or _goes_into_a_penalty(trials, candidate.via):
        return True
    whole = {t.roots[0] for t in trials.targets if t.roots}
    # What one of several losses leaves out on purpose, as that of an actor the critic, it has no gradient by.
    held = trials.held if candidate.root in whole else trials.held_of(candidate.root)
    ends = (candidate.via, *trials.analysis.tape.users(candidate.via))
    known = any(_is_held(trials, candidate.root, end, held) for end in ends)
    return known and not trials.is_used_again(wrt, candidate.via)


def _is_held(trials: Trials, root: int, value: int, held: frozenset[int]) -> bool:
    """Whether the backward pass holds the gradient by a value, or by one that has the same, as before a bias was added."""
    full = trials.adjoints(root)[0].full
    if value in held or value not in full:
        return value in held
    own = np.asarray(full[value])
    return any(
        h in full and np.shape(full[h]) == own.shape and np.allclose(full[h], own, rtol=1e-12, atol=0) for h in held
    )


def _is_of_a_statistic(trials: Trials, via: int) -> bool:
    """Whether a path goes into nothing but a mean or a variance: directly, or by way of squares."""
    users = [u for u in trials.analysis.tape.users(via) if u in trials.analysis.matcher.forward]
    return trials.is_statistic(via) or (bool(users) and all(trials.node(u).op in MEANS for u in users))


def _goes_into_a_penalty(trials: Trials, via: int) -> bool:
    """Whether a value rests on parameters alone, and meets no data as an array: else ``b[0]`` in a layer were one."""
    analysis = trials.analysis
    arrays = [u for u in analysis.tape.users(via) if u in analysis.matcher.forward and trials.node(u).shape]
    return all(rests_on_parameters(analysis.matcher, n) for n in (via, *arrays))


def _kind_of_missing(trials: Trials, candidate: Candidate) -> Kind:
    if candidate.via is not None and _is_of_a_statistic(trials, candidate.via):
        return Kind.CONSTANT_STATISTICS
    return Kind.MISSING_TERM
