"""Which values are linear in a leaf, as everything in a backward pass is in the gradient that it starts from.

Comes in: a tape with the values of one replay.  Goes out: for a leaf, the share of every later value that is due to it.
A value is linear in some leaves together exactly if their shares add up to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracer.gradients.adjoints import is_real
from tracer.tape.tape import GIVEN, Tape, evaluate

#: The leaf is multiplied by this; a negative number, so that ``abs`` and ``max`` are found not to be linear.
_FACTOR = -2.0
_SAME = 1e-9

Shares = Mapping[int, NDArray[Any]]


def descendants(tape: Tape, leaf: int, cuts: Collection[int] = ()) -> frozenset[int]:
    """Everything that is computed from a leaf, without it; nothing behind a cut."""
    found: set[int] = set()
    todo = list(tape.users(leaf))
    while todo:
        node = todo.pop()
        if node not in found and tape.nodes[node].kind not in GIVEN:
            found.add(node)
            todo += tape.users(node) if node not in cuts else ()
    return frozenset(found)


def shares(tape: Tape, values: Sequence[Any], leaf: int, cuts: Collection[int] = ()) -> Shares:
    """The share of a leaf in each real value that is computed from it, supposing that they are linear in it.

    Arguments:
        values: the value of every node on one replay.
        cuts: update nodes; nothing behind them counts.
    """
    changed: dict[int, Any] = {leaf: _FACTOR * np.asarray(values[leaf], dtype=float)}
    failed: set[int] = set()
    found: dict[int, NDArray[Any]] = {}
    both = _Either(changed, values)
    for node in sorted(descendants(tape, leaf, cuts)):
        recorded = tape.nodes[node]
        if node in cuts or not failed.isdisjoint(tape.operands(node)):
            failed.add(node)
            continue
        try:
            with np.errstate(all="ignore"):
                changed[node] = evaluate(recorded, both)
        except Exception:  # whatever NumPy says of values that are not what the program expects
            failed.add(node)
            continue
        if is_real(recorded):
            before, after = np.asarray(values[node], dtype=float), np.asarray(changed[node], dtype=float)
            if before.shape == after.shape:
                found[node] = (before - after) / (1 - _FACTOR)
    return found


def is_linear(value: Any, parts: Iterable[NDArray[Any]]) -> bool:
    """Whether the shares of some leaves add up to a value, which is not 0."""
    whole = np.asarray(value, dtype=float)
    size = float(np.max(np.abs(whole), initial=0.0))
    if not 0 < size < np.inf:
        return False
    rest = whole - sum(parts, np.zeros(whole.shape))
    return bool(np.max(np.abs(rest), initial=0.0) <= _SAME * size)


class _Either(dict[int, Any]):
    """The changed values where there are some, else the others."""

    def __init__(self, changed: dict[int, Any], others: Sequence[Any]) -> None:
        super().__init__()
        self.changed, self.others = changed, others

    def __getitem__(self, node: int) -> Any:
        return self.changed[node] if node in self.changed else self.others[node]
