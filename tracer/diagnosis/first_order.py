"""Steps along the gradient by what a parameter was moved to, in place of the gradient by the parameter itself.

First-order meta-learning takes ∂loss/∂fast, with ``fast = w - alpha * g(w)``, for ∂loss/∂w, and leaves out how ``g`` depends
on ``w``.  That is an approximation with a name, and no fault; but it is not the gradient, and is said to be none.  Comes in:
an analysis.  Goes out: the updates of that kind.  Invariant: the step was compared in numbers, on every replay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracer.diagnosis.target import proportion
from tracer.matching.analysis import Analysis
from tracer.matching.judging import is_right
from tracer.matching.updates import Update

_PRODUCTS = ("multiply", "divide")


def first_order_steps(analysis: Analysis) -> Mapping[int, int]:
    """The updates along the gradient by a moved version of their parameter → that version, the last one of several."""
    shown, nodes = analysis.tape.last_windows(), analysis.tape.nodes
    found: dict[int, int] = {}
    for update in analysis.updates.values():
        number = np.size(nodes[update.wrt].value) < 2  # which is a multiple of any other one
        if nodes[update.node].window not in shown or number or is_right(analysis.matcher, update):
            continue
        moved = _moved(analysis, update.wrt)
        if moved and _is_along(analysis, update, moved):
            found[update.node] = moved[-1]
    return found


def _moved(analysis: Analysis, parameter: int) -> list[int]:
    """What a parameter is moved to by steps of the forward pass, ``w - alpha * g``; of several in a row the last."""
    tape, matcher = analysis.tape, analysis.matcher
    same = matcher.graph.representative
    reached = {same(parameter)}
    before: set[int] = set()
    found: list[int] = []
    for node in sorted(matcher.forward):
        recorded = tape.nodes[node]
        if recorded.op == "copy" and same(tape.operands(node)[0]) in reached:
            reached.add(same(node))
        if node in matcher.updates or recorded.op != "subtract" or recorded.shape != tape.nodes[parameter].shape:
            continue
        old, step = tape.operands(node)[0], tape.operands(node)[-1]
        scaled = tape.nodes[step].op in _PRODUCTS and any(tape.nodes[k].shape == () for k in tape.operands(step))
        if same(old) in reached and scaled and any(same(k) in reached for k in matcher.all_ancestors(step)):
            reached.add(same(node))
            before.add(old)
            found.append(node)
    return [n for n in found if n not in before]


def _is_along(analysis: Analysis, update: Update, moved: list[int]) -> bool:
    """Whether all that a step is made of is the sum of the gradients by what the parameter was moved to."""
    matcher = analysis.matcher
    roots = [r.node for r in matcher.roots]
    last = [r for r in roots if not any(r != o and r in matcher.all_ancestors(o) for o in roots)]
    alike = _all_of_the_step(analysis, update)
    for together in (last, *([r] for r in roots)):
        totals: list[NDArray[Any] | None] = []
        for replay in range(len(analysis.replays.values)):
            parts = [matcher.adjoints[r][replay].full.get(n) for r in together for n in moved]
            known = [np.asarray(p) for p in parts if p is not None]
            totals.append(sum(known[1:], known[0]) if known else None)
        for node in sorted(alike, reverse=True):
            values = analysis.replays.of(node)
            if all(proportion(v, t) is not None for v, t in zip(values, totals, strict=True)):
                return True
    return False


def _all_of_the_step(analysis: Analysis, update: Update) -> list[int]:
    """What a step is but for rates and what an optimiser adds of its state: a second term of the iteration ends the way."""
    tape, matcher = analysis.tape, analysis.matcher
    shape, todo, found = tape.nodes[update.wrt].shape, [update.change], list[int]()
    while todo:
        node = todo.pop()
        if node in found or tape.nodes[node].shape != shape or node in matcher.forward:
            continue
        found.append(node)
        fresh = [k for k in tape.operands(node) if not matcher.forward.isdisjoint(matcher.all_ancestors(k))]
        if tape.nodes[node].op not in ("add", "subtract") or len(fresh) < 2:
            todo += fresh
    return found
