"""Truncated backpropagation through time: gradients that go back over a limited number of steps, on purpose.

``for k in range(max(0, t - limit), t + 1)[::-1]`` inside of the loop over time lets every output reach back over ``limit``
steps only.  What comes out is no gradient of the loss, and no fault.  Comes in: a matcher that has run, and has steps that
it does not explain.  Goes out: matches for them, if one limit explains them.  Invariant: a limit of no step at
all is not recognised, since a recurrent path that was forgotten looks the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracer.gradients.adjoints import ancestors, is_real
from tracer.matching.candidates import Candidate, Match, Sort
from tracer.matching.judging import is_right, judged_updates
from tracer.matching.matcher import Matcher
from tracer.matching.updates import Update
from tracer.tape.tape import GIVEN

_PRODUCTS = frozenset(("dot", "matmul"))
#: Factors further fetched than this do not count as named.
_MOST_SCALE_RANK = 6
#: Longer sequences than this are not taken apart.
_MOST_STEPS = 60

#: What reaches a node over 0, 1, 2… recurrent steps.
_Graded = list[NDArray[Any] | None]


def recognise_truncated(matcher: Matcher) -> None:
    """Add the matches of truncated gradients to those of a matcher."""
    tape = matcher.graph.tape
    shown = set(tape.last_windows())
    wrong = [
        u for u in judged_updates(matcher) if not is_right(matcher, u) and tape.nodes[u.node].window in shown
    ]
    for root in matcher.roots:
        own = [u for u in wrong if u.wrt in matcher.adjoints[root.node][0].full]
        edges = _recurrent_edges(matcher, root.node) if own else frozenset()
        graded = (
            [_graded(matcher, root.node, values, edges) for values in matcher.replays.values] if edges else []
        )
        if not graded or not all(graded):
            continue
        limits = range(1, min(max(map(len, (g for one in graded for g in one.values()))), _MOST_STEPS) - 1)
        found = {limit: _explained(matcher, root.node, own, graded, limit) for limit in limits}
        best = max(found, key=lambda k: (len(found[k]), -k), default=None)
        if best is not None and len({m.candidate.wrt for m in found[best]}) > 1:
            for match in found[best]:
                matcher.matches.setdefault(match.node, []).insert(0, match)
            return


def _recurrent_edges(matcher: Matcher, root: int) -> frozenset[tuple[int, int]]:
    """The products through which a state goes into the next step: of each place that runs again for every step."""
    tape = matcher.graph.tape
    inside = matcher.all_ancestors(root)
    places: dict[Any, list[int]] = {}
    for node in sorted(inside):
        if tape.nodes[node].op in _PRODUCTS and tape.nodes[node].site is not None:
            places.setdefault((tape.nodes[node].site, tape.nodes[node].window), []).append(node)
    found = set()
    for together in places.values():
        for at, node in enumerate(together):
            for operand in tape.operands(node):
                if not matcher.all_ancestors(operand).isdisjoint(together[:at]):
                    found.add((node, operand))
    return frozenset(found)


def _graded(
    matcher: Matcher, root: int, values: Sequence[Any], edges: frozenset[tuple[int, int]]
) -> dict[int, _Graded]:
    """∂root/∂node, taken apart by how many recurrent edges lie between; empty if something has no derivative."""
    tape = matcher.graph.tape
    relevant = ancestors(tape, root, matcher.updates.keys()) & matcher.live
    found: dict[int, _Graded] = {root: [np.ones(np.shape(values[root]))]}
    for node in range(root, -1, -1):
        recorded = tape.nodes[node]
        if node not in found or node in matcher.updates or recorded.kind in GIVEN or recorded.window < 0:
            continue
        for operand in dict.fromkeys(tape.operands(node)):
            if operand not in relevant:
                continue
            further = int((node, operand) in edges)
            for steps, adjoint in enumerate(found[node]):
                if adjoint is None:
                    continue
                product = matcher.rules.product(node, operand, list(values), adjoint)
                if product is None:
                    return {}
                _add(found.setdefault(operand, []), steps + further, product)
    return found


def _add(graded: _Graded, steps: int, value: NDArray[Any]) -> None:
    graded += [None] * (steps + 1 - len(graded))
    before = graded[steps]
    graded[steps] = value if before is None else before + value


def _explained(
    matcher: Matcher, root: int, updates: Sequence[Update], graded: Sequence[dict[int, _Graded]], limit: int
) -> list[Match]:
    """What is a multiple of the gradient over at most ``limit`` steps, by the parameter of a step or under its name."""
    tape = matcher.graph.tape
    found = []
    for update in updates:
        cut = [_up_to(one.get(update.wrt), limit) for one in graded]
        if any(c is None for c in cut):
            continue
        window, shape = tape.nodes[update.node].window, tape.nodes[update.wrt].shape
        for node in matcher.all_ancestors(update.change) - matcher.forward:
            recorded = tape.nodes[node]
            if (
                recorded.shape != shape
                or recorded.window != window
                or not is_real(recorded)
                or node in matcher.updates
            ):
                continue
            factors = _factors(matcher.replays.of(node), cut)
            scale = None if factors is None else matcher.named_factor(node, root, factors)
            if scale is not None and scale.rank <= _MOST_SCALE_RANK:
                found.append(
                    Match(node, Candidate(Sort.TRUNCATED, root, update.wrt, False, steps=limit), scale, 0.0)
                )
    return found


def _up_to(graded: _Graded | None, limit: int) -> NDArray[Any] | None:
    """The sum of what goes over at most so many steps; None if nothing goes further, so that nothing is cut off."""
    if graded is None or len(graded) <= limit + 1:
        return None
    known = [g for g in graded[: limit + 1] if g is not None]
    return sum(known[1:], known[0]) if known else None


def _factors(values: Sequence[Any], cut: Sequence[NDArray[Any] | None]) -> tuple[float, ...] | None:
    found = []
    for value, wanted in zip(values, cut, strict=True):
        one, other = np.ravel(np.asarray(value, dtype=float)), np.ravel(np.asarray(wanted, dtype=float))
        square = float(other @ other)
        factor = float(one @ other) / square if square > 0 else 0.0
        if not factor or float(np.max(np.abs(one - factor * other))) > 1e-8 * float(np.max(np.abs(one))):
            return None
        found.append(factor)
    return tuple(found)
