"""Edits of the shapes that meet: a row where a column belongs, and one number where a count of each row belongs.

Comes in: the backward nodes behind a wrong gradient.  Goes out: operands of one axis made a column, or columns made flat,
where NumPy repeats both sides; and entries that are set to minus the sum of their row or column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tracer.diagnosis.finding import Kind
from tracer.diagnosis.rewrites import Reshaped, StoreSum
from tracer.diagnosis.trials import Change, Edit, Overlay, Trials
from tracer.gradients.adjoints import ELEMENTWISE, is_real
from tracer.tape.node import Kind as NodeKind
from tracer.tape.node import Node, Ref
from tracer.tape.tape import evaluate, references, substitute


def reshaped_operands(trials: Trials) -> Iterator[Edit]:
    """Every operand that is repeated along an axis by accident, with its entries along the other axis."""
    for first, nodes in trials.places:
        if first.site is None or first.op not in ELEMENTWISE or len(first.shape or ()) != 2:
            continue
        for place, operand in enumerate(trials.operands(first.id)):
            shape = trials.node(operand).shape
            if shape == first.shape or shape is None or np.prod(shape) < 2 or first.kind is NodeKind.MUTATION:
                continue
            if len(shape) == 1:
                rewrite = Reshaped(first.site.span, place, True)
                yield Edit(Kind.AXIS, 1.15, nodes, _reshaped(trials, place, (-1, 1)), rewrite)
            elif shape[1] == 1:
                rewrite = Reshaped(first.site.span, place, False)
                yield Edit(Kind.AXIS, 1.2, nodes, _reshaped(trials, place, (-1,)), rewrite)


def _reshaped(trials: Trials, place: int, shape: tuple[int, ...]) -> Change:
    def change(node: int, now: Mapping[int, Any], _: int) -> Any:
        operand = trials.operands(node)[place]
        return evaluate(trials.node(node), Overlay(now, {operand: np.reshape(now[operand], shape)}))

    return change


def sums_stored(trials: Trials) -> Iterator[Edit]:
    """Every entry of each row, or column, that is set: to minus the sum of the others, as in a loss of margins."""
    for first, nodes in trials.places:
        chosen = first.op == "setitem" and any(trials.node(k).shape for k in references(first.args[1]))
        if first.site is None or not chosen or not is_real(first) or len(first.shape or ()) != 2:
            continue
        for axis in (1, 0):
            rewrite = StoreSum(first.site.span, axis)
            yield Edit(Kind.WRONG_OPERAND, 1.4, nodes, _less_the_sum(trials, axis), rewrite)


def _less_the_sum(trials: Trials, axis: int) -> Change:
    def change(node: int, now: Mapping[int, Any], _: int) -> Any:
        old, index, new = trials.node(node).args
        value, place = np.array(now[old.node], dtype=float), substitute(index, now)
        subtracted = isinstance(new, Ref) and _is_in_place(trials, trials.node(node), new)
        value[place] = (value[place] if subtracted else 0.0) - value.sum(axis=axis)
        return value

    return change


def _is_in_place(trials: Trials, node: Node, new: Ref) -> bool:
    """Whether ``x[index] -= v`` was written, which reads the entry too."""
    return trials.node(new.node).site == node.site
