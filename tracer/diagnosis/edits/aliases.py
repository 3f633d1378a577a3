"""Edits of statements that only give a value another name: ``d_out = out``, or ``dz = da`` where a slope is forgotten.

Comes in: the wrong gradients.  Goes out: edits in which everything that reads the value by the new name reads it times
a slope of the forward pass, or plus what is missing, or the gradient in its place.  Such a statement has no node.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct

from tracer.diagnosis.edits.derivatives import aligned, fits, known_at
from tracer.diagnosis.edits.gradients import missing_term
from tracer.diagnosis.finding import Kind
from tracer.diagnosis.rewrites import AddTerm, Gradient, Scale, TimesDerivative
from tracer.diagnosis.trials import Change, Edit, Overlay, Trials
from tracer.gradients.adjoints import is_real
from tracer.matching.candidates import Sort
from tracer.matching.gradient_names import is_backward, says_gradient
from tracer.tape.node import Span
from tracer.tape.tape import evaluate


class _Alias(Struct, frozen=True):
    """A statement that gave values other names: each value, with what reads it by that name or a later one."""

    span: Span
    scope: str
    readers: Mapping[int, tuple[int, ...]]

    @property
    def all_readers(self) -> tuple[int, ...]:
        return tuple(sorted({r for readers in self.readers.values() for r in readers}))


def under_another_name(trials: Trials) -> Iterator[Edit]:
    """Every value with a new name, times each slope of its shape."""
    for alias in _aliases(trials):
        for slopes in aligned(trials, tuple(alias.readers)):
            slope = next(iter(slopes.values()))
            kind = Kind.MISSING_MASK if slope.is_mask else Kind.MISSING_DERIVATIVE
            values = {
                n: [v * s for v, s in zip(trials.analysis.replays.of(n), slopes[n].values, strict=True)] for n in slopes
            }
            rewrite = TimesDerivative(alias.span, slope.of, slope.wrt)
            yield Edit(kind, 1.9 + 0.05 * slope.depth, alias.all_readers, _reading(trials, alias, values), rewrite)


def scaled_under_another_name(trials: Trials) -> Iterator[Edit]:
    """Every value with a new name, times a variable of the forward pass that the statement knows."""
    for alias in _aliases(trials):
        for name, held in known_at(trials, alias.scope, alias.all_readers).items():
            pairs = [(n, held[r]) for n, readers in alias.readers.items() for r in readers]
            if any(n == by or not fits(trials.node(by), trials.node(n)) for n, by in pairs):
                continue

            def change(
                node: int, now: Mapping[int, Any], _: int, alias: _Alias = alias, held: dict[int, int] = held
            ) -> Any:
                instead = {n: now[n] * now[held[node]] for n, readers in alias.readers.items() if node in readers}
                return evaluate(trials.node(node), Overlay(now, instead))

            kind = Kind.MISSING_DERIVATIVE if trials.node(pairs[0][1]).shape else Kind.FACTOR
            yield Edit(kind, 2.15, alias.all_readers, change, Scale(alias.span, name))


def meant_under_another_name(trials: Trials) -> Iterator[Edit]:
    """A forward value with the name of a gradient, as the gradient by each forward value of its shape."""
    for alias in _aliases(trials):
        node = next(iter(alias.readers))
        if len(alias.readers) > 1 or node not in trials.analysis.matcher.forward:
            continue
        for root in trials.roots:
            for wrt, first in trials.adjoints(root)[0].full.items():
                if wrt == root or np.shape(first) != trials.node(node).shape:
                    continue
                counts = [s.values for s in trials.analysis.matcher.scalars(node, root)]
                for factors in (*trials.carried((node,)), *counts):
                    values = [f * a.full[wrt] for f, a in zip(factors, trials.adjoints(root), strict=True)]
                    yield from _instead(trials, alias, root, wrt, values, factors)


def _instead(
    trials: Trials, alias: _Alias, root: int, wrt: int, values: list[Any], factors: tuple[float, ...]
) -> Iterator[Edit]:
    node, readers = next(iter(alias.readers)), alias.all_readers
    change = _reading(trials, alias, {node: values})
    missing = missing_term(trials, node, wrt, values, readers[0])
    if missing is not None:
        candidate, factor = missing
        inside = None if candidate.sort is Sort.VALUE else candidate.root
        rewrite = AddTerm(alias.span, candidate.wrt, factor, inside, candidate.via)
        yield Edit(Kind.MISSING_TERM, 1.4, readers, change, rewrite)
    if all(abs(abs(f) - 1) > 1e-9 for f in factors):
        return
    level = 5.0 + (0.0 if trials.node(wrt).names else 0.1)
    yield Edit(Kind.UNKNOWN, level, readers, change, Gradient(alias.span, node, root, wrt, factors))


def _aliases(trials: Trials) -> list[_Alias]:
    """The statements that give a second name to values which wrong gradients are computed from."""
    tape = trials.analysis.tape
    found: dict[tuple[Span, str], dict[int, tuple[int, ...]]] = {}
    earlier: dict[int, set[str]] = {}
    for binding in tape.bindings:
        node, known = binding.node, earlier.setdefault(binding.node, set())
        meant = says_gradient([binding.name]) or is_backward(binding.scope)
        handed = bool(binding.scope) and binding.scope not in [call.function for call in trials.node(node).calls]
        plain = re.fullmatch(r"\w+", binding.site.text) is not None and (bool(known) or handed)
        if plain and meant and trials.node(node).window in trials.windows and is_real(trials.node(node)):
            names = {b.name for b in tape.bindings if b.node == node and b.time >= binding.time} - known
            users = (u for u in tape.users(node) if u in trials.affected_nodes and u >= binding.time)
            readers = tuple(u for u in users if _mentions(trials, u, names))
            if readers:
                found.setdefault((binding.site.span, binding.scope), {})[node] = readers
        known.add(binding.name)
    return [_Alias(span, scope, readers) for (span, scope), readers in found.items()]


def _mentions(trials: Trials, reader: int, names: set[str]) -> bool:
    """Whether a place, or a call that it is in, speaks of one of the names."""
    node = trials.node(reader)
    texts = [site.text for site in (node.site, *(call.site for call in node.calls)) if site is not None]
    return any(re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", text) for name in names for text in texts)


def _reading(trials: Trials, alias: _Alias, values: Mapping[int, Sequence[Any]]) -> Change:
    def change(node: int, now: Mapping[int, Any], replay: int) -> Any:
        instead = {n: values[n][replay] for n, readers in alias.readers.items() if node in readers}
        return evaluate(trials.node(node), Overlay(now, instead))

    return change
