"""Which values are linear in a leaf, as everything in a backward pass is in the gradient that it starts from.

Comes in: a tape with the values of one replay.  Goes out: for a leaf, the share of every later value that is due to it.
A value is linear in some leaves together exactly if their shares add up to it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracer.gradients.adjoints import is_real
from tracer.tape.node import Node
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


def shares(
    tape: Tape,
    values: Sequence[Any],
    leaves: int | Sequence[int],
    cuts: Collection[int] = (),
    factor: float = _FACTOR,
    through: Callable[[Node], bool] = lambda _: True,
) -> Shares:
    """The share of leaves in each real value that is computed from them, supposing that they are linear in them.

    Arguments:
        values: the value of every node on one replay.
        leaves: a leaf or several; other values count as such here.
        factor: what they are multiplied by; the shares of what is linear in them are the same with every one.
        through: whether what is computed from a node changes with it.
        cuts: update nodes; nothing behind them counts.
    """
    leaves = [leaves] if isinstance(leaves, int) else leaves
    changed: dict[int, Any] = {leaf: factor * np.asarray(values[leaf], dtype=float) for leaf in leaves}
    failed: set[int] = set()
    found: dict[int, NDArray[Any]] = {}
    both = Either(changed, values)
    for node in sorted(frozenset().union(*(descendants(tape, leaf, cuts) for leaf in leaves)).difference(leaves)):
        recorded = tape.nodes[node]
        if not through(recorded):
            continue
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
                found[node] = (before - after) / (1 - factor)
    return found


def is_linear(value: Any, parts: Iterable[NDArray[Any]]) -> bool:
    """Whether the shares of some leaves add up to a value, which is not 0."""
    whole = np.asarray(value, dtype=float)
    size = float(np.max(np.abs(whole), initial=0.0))
    if not 0 < size < np.inf:
        return False
    rest = whole - sum(parts, np.zeros(whole.shape))
    return bool(np.max(np.abs(rest), initial=0.0) <= _SAME * size)


class Either(dict[int, Any]):
    """The changed values where there are some, else the others; where these end, those behind their end."""

    def __init__(self, changed: dict[int, Any], others: Sequence[Any], longer: Sequence[Any] = ()) -> None:
        super().__init__()
        self.changed, self.others, self.longer = changed, others, longer

    def __getitem__(self, node: int) -> Any:
        if node in self.changed:
            return self.changed[node]
        return self.others[node] if node < len(self.others) else self.longer[node]
