"""Edits of the part of an array that a statement reads or changes: the part that the forward pass took, run by run.

Comes in: the backward nodes behind a wrong gradient.  Goes out: edits in which a place that runs as often as one of the
forward pass, on an array of the same shape, uses the index of that: ``dx[i * s : i * s + k] += …`` for ``dx[i : i + k]``;
and edits in which two variables of an index change places, as row and column.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from tracer.diagnosis.finding import Kind
from tracer.diagnosis.rewrites import ExchangedNames, OtherIndex
from tracer.diagnosis.trials import Change, Edit, Overlay, Trials
from tracer.gradients.adjoints import ELEMENTWISE
from tracer.tape.functions import Slice, resolve
from tracer.tape.node import Node, Ref, Span
from tracer.tape.tape import evaluate, references, substitute

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
                yield Edit(Kind.WRONG_OPERAND, 1.35, nodes, _at_index(trials, index), rewrite)


def exchanged_in_an_index(trials: Trials) -> Iterator[Edit]:
    """Every two whole numbers that an index is made of, exchanged."""
    for first, nodes in trials.places:
        if first.site is None or first.op not in _OF_PARTS:
            continue
        made = {n: _made_of(trials, n) for n in nodes}
        for one, other in itertools.combinations(made[first.id], 2):
            if all(one in variables and other in variables for variables in made.values()):
                pairs = {n: (variables[one], variables[other]) for n, variables in made.items()}
                rewrite = ExchangedNames(first.site.span, one, other)
                yield Edit(Kind.WRONG_OPERAND, 1.45, nodes, _with_exchanged(trials, pairs), rewrite)


def other_in_an_index(trials: Trials) -> Iterator[Edit]:
    """Every whole number, or array of them, that an index is made of, as each other one that the place knows."""
    for first, nodes in trials.places:
        if first.site is None or first.op != "setitem":
            continue
        made = {n: _made_of(trials, n, arrays=True) for n in nodes}
        for name, new in itertools.product(made[first.id], trials.variables[first.scope]):
            held = {n: trials.bound_before(trials.variables[first.scope][new], n) for n in nodes}
            pairs = {n: (made[n][name], b) for n, b in held.items() if b is not None and name in made[n]}
            if new != name and len(pairs) == len(nodes) and all(_are_alike(trials, *pair) for pair in pairs.values()):
                rewrite = ExchangedNames(first.site.span, name, new, False)
                yield Edit(Kind.WRONG_OPERAND, 1.6, nodes, _with_other(trials, pairs), rewrite)


def _are_alike(trials: Trials, one: int, other: int) -> bool:
    """Whether both are whole numbers, or arrays of as many."""
    first, second = trials.node(one), trials.node(other)
    return one != other and "int" in second.dtype and first.shape == second.shape


def _made_of(trials: Trials, node: int, arrays: bool = False) -> dict[str, int]:
    """The whole numbers with a name that an index is computed from, and arrays of them if these are asked for."""
    found: dict[str, int] = {}
    todo, seen = list(references(trials.node(node).args[1])), set[int]()
    while todo:
        recorded = trials.node(todo.pop())
        if recorded.id in seen:
            continue
        seen.add(recorded.id)
        if recorded.names and (recorded.shape == () or arrays) and "int" in recorded.dtype:
            found[recorded.names[-1]] = recorded.id
        elif recorded.op in ELEMENTWISE:
            todo += trials.operands(recorded.id)
    return found


def _exchanged(trials: Trials, node: int, now: Mapping[int, Any], pair: tuple[int, int]) -> Any:
    """The index of a node with two numbers that it is made of exchanged."""
    return _index(trials, node, {pair[0]: now[pair[1]], pair[1]: now[pair[0]]}, now)


def _index(trials: Trials, node: int, instead: dict[int, Any], now: Mapping[int, Any]) -> Any:
    """The index of a node where some of the numbers that it is made of are others."""

    def value(of: int) -> Any:
        if of not in instead:
            recorded = trials.node(of)
            if recorded.op in ELEMENTWISE and not recorded.names:
                for operand in trials.operands(of):
                    value(operand)
                instead[of] = evaluate(recorded, Overlay(now, instead))
            else:
                instead[of] = now[of]
        return instead[of]

    index = trials.node(node).args[1]
    for of in references(index):
        value(of)
    return substitute(index, Overlay(now, instead))


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


def _at_index(trials: Trials, index: Mapping[int, Any]) -> Change:
    return _at(trials, lambda node, now: substitute(index[node], now))


def _with_other(trials: Trials, pairs: Mapping[int, tuple[int, int]]) -> Change:
    return _at(trials, lambda node, now: _index(trials, node, {pairs[node][0]: now[pairs[node][1]]}, now))


def _with_exchanged(trials: Trials, pairs: Mapping[int, tuple[int, int]]) -> Change:
    return _at(trials, lambda node, now: _exchanged(trials, node, now, pairs[node]))


def _at(trials: Trials, index: Callable[[int, Mapping[int, Any]], Any]) -> Change:
    """What a place reads, or makes of an array, at another index."""

    def change(node: int, now: Mapping[int, Any], _: int) -> Any:
        recorded = trials.node(node)
        place = index(node, now)
        if recorded.op == "getitem":
            return np.array(now[recorded.args[0].node][place])[()]
        old, _index, new = recorded.args
        value = np.array(now[old.node])
        made = trials.node(new.node) if isinstance(new, Ref) else None
        if made is not None and made.site == recorded.site and len(trials.operands(made.id)) == 2:
            value[place] = resolve(made.op)(value[place], now[trials.operands(made.id)[1]])  # x[index] += v
        else:
            value[place] = substitute(new, now)
        return value

    return change
