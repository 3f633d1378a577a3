"""Which way an optimiser's step goes along the gradient that it is made of: momentum, RMSProp and Adam have no factor.

Comes in: the step, as it was recorded or as an edit makes it.  Goes out: 1 if every entry moves the way of the
gradient's own, -1 if each moves the other way, 0 if that cannot be told.  The step is computed again with the gradient
turned round and the same state: half the difference is what it owes to the gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tracer.matching.analysis import Analysis
from tracer.matching.updates import Update, without_ones
from tracer.tape.tape import GIVEN, evaluate

#: The new value of a node: from the values by then, and the number of the replay.
Edited = Callable[[Mapping[int, Any], int], Any]
#: Entries that owe less than this part of the largest one to the gradient do not count.
_SMALL = 1e-9


def made_through(analysis: Analysis, gradient: int, update: Update) -> tuple[int, ...]:
    """The nodes by which a step is made from the gradient in it, the last one its whole change."""
    behind = analysis.matcher.all_ancestors
    nodes = behind(update.change) | {update.change}
    return tuple(sorted(n for n in nodes if n != gradient and gradient in behind(n)))


def direction_of(
    analysis: Analysis,
    gradient: int,
    update: Update,
    through: tuple[int, ...],
    edited: Mapping[int, Edited] | None = None,
) -> int:
    """Which way a parameter moves along the value that is meant as its gradient; 0 if the replays do not agree.

    Arguments:
        edited: how an edit computes the nodes of the step that it changes.
    """
    ways = {_way(analysis, gradient, update, through, edited or {}, k) for k in range(len(analysis.replays.values))}
    known = ways - {0}  # a state drawn at random may have no root
    return known.pop() if len(known) == 1 else 0


def _way(
    analysis: Analysis,
    gradient: int,
    update: Update,
    through: tuple[int, ...],
    edited: Mapping[int, Edited],
    replay: int,
) -> int:
    """The same on one replay, by the entries that can be computed."""
    recorded, before = analysis.tape.nodes, analysis.replays.values[replay]
    value = np.asarray(before[gradient], dtype=float)
    found = []
    for sign in (1, -1):
        values = {k: before[k] for n in through for k in analysis.tape.operands(n)} | {gradient: sign * value}
        try:
            with np.errstate(all="ignore"):
                for node in through:
                    if recorded[node].kind in GIVEN:
                        return 0
                    change = edited.get(node)
                    values[node] = evaluate(recorded[node], values) if change is None else change(values, replay)
            found.append(np.asarray(values[update.change], dtype=float))
        except Exception:  # what a step is made of cannot be computed for other numbers
            return 0
    owed = (found[0] - found[1]) / 2
    if without_ones(owed.shape) != without_ones(value.shape):
        return 0
    along = owed.ravel() * value.ravel()
    along = along[np.isfinite(along)]
    size = float(np.max(np.abs(along), initial=0.0))
    signs = set(np.sign(along[np.abs(along) > _SMALL * size]))
    return update.sign * int(signs.pop()) if size > 0 and len(signs) == 1 else 0
