"""Where a fault may have come in: the first statements whose value is not known, and what they read.

Comes in: the backward pass behind wrong gradients, in order.  Goes out: the nodes at which edits are tried first, and
whether an edit makes one of these statements compute a gradient, which is cheap to see.  Everything behind them is
right, everything after them rests on what they compute; a fault that stands elsewhere, as a factor that is taken
for a convention, is found among all nodes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from enum import Enum, auto
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracer.diagnosis.surroundings import Surroundings
from tracer.diagnosis.target import is_gradient
from tracer.diagnosis.trials import Edit, Trials
from tracer.matching.candidates import Sort

_OF_RIGHT_CODE = (Sort.VALUE, Sort.LOCAL)
#: What takes only the shape of an array.
_OF_SHAPES = frozenset("zeros_like ones_like empty_like full_like axis_size size shape".split())
#: How far the cosine of two arrays that are multiples of each other may be from 1.
_PARALLEL = 1e-9


class _State(Enum):
    KNOWN = auto()
    INSIDE = auto()  # not known, and not yet the value of a statement
    ENTERED = auto()  # the first value of a statement that is not known
    SPOILED = auto()  # computed from one
    CHANGED = auto()  # a gradient as what it was computed from, with another factor


def is_known(around: Surroundings, node: int) -> bool:
    """Whether a value is recognised as something that a right backward pass holds."""
    match = around.best(node)
    if node in around.analysis.matcher.forward:
        return True
    if match is None or node in around.target_nodes:
        return False
    if match.candidate.sort is Sort.PARTIAL:  # what more is added to; else it is taken for the whole
        return any(around.node(u).op in ("add", "subtract") for u in around.analysis.tape.users(node))
    return is_gradient(match) or (match.candidate.sort in _OF_RIGHT_CODE and match.scale.rank <= 1)


def changes_factor(around: Surroundings, node: int) -> bool:
    """Whether a gradient has another factor than those that it was computed from, as behind a minus.

    Minus a slope gives one to what is multiplied by it, and minus an error to what begins with it.
    """
    own = around.best(node)
    if own is None:
        return False
    read = [m for k in around.operands(node) if (m := around.best(k)) is not None and is_gradient(m)]
    if own.candidate.sort is Sort.LOCAL or not read:
        return own.candidate.sort in (Sort.LOCAL, Sort.FULL) and own.scale.scale.coefficient < 0
    return all(m.scale.text != own.scale.text for m in read)


def enters(trials: Trials, edit: Edit) -> bool:
    """Whether what an edit changes is not recognised, though all that it was computed from is."""
    inside = set(trials.behind)
    return any(
        not is_gradient(trials.best(node))
        and all(k not in inside or trials.best(k) is not None for k in trials.operands(node))
        for node in edit.nodes
    )


class Entrances:
    """The statements in which faults may have come in.

    Attributes:
        nodes: what they compute, and the gradients that they read; a place that runs several times counts as a whole.
    """

    def __init__(self, trials: Trials) -> None:
        self._trials = trials
        state: dict[int, _State] = {}
        forward, flowing = trials.analysis.matcher.forward, set[int]()
        for node in trials.behind:
            read = {state[k] for k in trials.operands(node) if k in state}
            if trials.node(node).op not in _OF_SHAPES and any(
                k in forward or k in flowing for k in trials.operands(node)
            ):
                flowing.add(node)
            if node not in flowing:
                state[node] = _State.ENTERED if node in trials.target_nodes else _State.KNOWN
            elif is_known(trials, node):
                state[node] = _State.CHANGED if changes_factor(trials, node) else _State.KNOWN
            elif read & {_State.ENTERED, _State.SPOILED}:
                # In a loop over time the last term of a gradient is added where the next step begins.
                summed = trials.node(node).op == "add" and _State.SPOILED not in read
                state[node] = _State.ENTERED if summed else _State.SPOILED
            else:
                state[node] = _State.ENTERED if trials.node(node).names else _State.INSIDE
        inside = [n for n, s in state.items() if s in (_State.INSIDE, _State.ENTERED, _State.CHANGED)]
        self._entered = [n for n, s in state.items() if s is _State.ENTERED]
        read_there = {k for n in inside for k in trials.operands(n) if k in state}
        for node in sorted(read_there, reverse=True):  # a mask or a slope with all that it was computed from
            if not is_gradient(trials.best(node)):
                read_there |= self._behind_value(node, state)
        self._evaluated = [n for n, s in state.items() if s is not _State.SPOILED]
        self.nodes = _whole_places(trials, {*inside, *read_there})

    def _behind_value(self, node: int, state: Mapping[int, _State]) -> set[int]:
        found: set[int] = set()
        todo = [node]
        while todo:
            current = todo.pop()
            if current in found or current not in state or is_gradient(self._trials.best(current)):
                continue
            found.add(current)
            todo += self._trials.operands(current)
        return found

    def lets_right_through(self, edit: Edit) -> bool:
        """Whether a statement computes a gradient, or a multiple of one, with an edit; looked at on one replay."""
        changed = self._trials.values(edit, 0, self._evaluated)
        if changed is None:
            return False
        return any(self._is_parallel(np.asarray(changed[n])) for n in self._entered if n in changed)

    def _is_parallel(self, value: NDArray[Any]) -> bool:
        directions = self._directions.get(value.shape)
        size = float(np.linalg.norm(value)) if directions is not None and value.dtype.kind == "f" else 0.0
        if directions is None or not 0 < size < np.inf:
            return False
        return bool(np.max(np.abs(directions @ value.ravel())) > (1 - _PARALLEL) * size)

    @cached_property
    def _directions(self) -> dict[tuple[int, ...], NDArray[Any]]:
        """The gradients of the roots by everything, of length 1, one a row; by their shape."""
        rows: dict[tuple[int, ...], list[NDArray[Any]]] = defaultdict(list)
        for root in self._trials.roots:
            for value in self._trials.adjoints(root)[0].full.values():
                size = float(np.linalg.norm(value))
                if 0 < size < np.inf:
                    rows[np.shape(value)].append(np.ravel(value) / size)
        return {shape: np.array(of_shape) for shape, of_shape in rows.items()}


def _whole_places(around: Surroundings, nodes: Collection[int]) -> frozenset[int]:
    places = {(site.span, around.node(n).op) for n in nodes if (site := around.node(n).site) is not None}
    return frozenset(
        n
        for n in around.behind
        if n in nodes or ((site := around.node(n).site) is not None and (site.span, around.node(n).op) in places)
    )
