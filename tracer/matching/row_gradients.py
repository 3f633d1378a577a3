"""The gradients by single rows that steps change, of an array that the loss reads otherwise.

Such as ``E[words]``, and then ``E[w] -= …`` for each word:

∂L/∂(E[i]) = (∂L/∂E)[i].  Comes in: the updates, and the sweeps of a root.  Goes out: the gradient by each row that a step
changes and that the root does not read by itself.  Invariant: a row that the iteration has changed before has none here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tracer.gradients.adjoints import Adjoints
from tracer.matching.updates import Update
from tracer.tape.node import Ref
from tracer.tape.tape import Tape, evaluate


def by_rows(
    tape: Tape, updates: Mapping[int, Update], replays: Sequence[Sequence[Any]], sweeps: Sequence[Adjoints]
) -> Iterator[tuple[int, list[Any]]]:
    """The node that reads each such row before its step, and the gradient by the row on every replay."""
    base: dict[int, int] = {}
    changed: dict[int, set[int]] = defaultdict(set)
    for update in sorted(updates.values(), key=lambda u: u.node):
        same = tape.nodes[update.before].window == tape.nodes[update.node].window
        whole = base[update.node] = base.get(update.before, update.before) if same else update.before
        row = _row(tape, update.part)
        if row is None or update.part is None or whole not in sweeps[0].full or row in changed[whole]:
            continue
        changed[whole].add(row)
        if update.part not in sweeps[0].full:
            read = tape.nodes[update.part]
            array = read.args[0].node
            values = [_picked(tape, update.part, array, s.full[whole], r) for s, r in zip(sweeps, replays, strict=True)]
            yield update.part, values


def _row(tape: Tape, part: int | None) -> int | None:
    """The number of the row that a node reads; None if it reads anything else."""
    node = tape.nodes[part] if part is not None else None
    if node is None or node.op != "getitem" or len(node.args) != 2 or not isinstance(node.args[0], Ref):
        return None
    index = node.args[1]
    value = tape.nodes[index.node].value if isinstance(index, Ref) else index
    return int(value) if isinstance(value, int | np.integer) and not isinstance(value, bool) else None


def _picked(tape: Tape, part: int, array: int, gradient: Any, values: Sequence[Any]) -> Any:
    """The entries of a gradient that a node reads of its array."""
    read = tape.nodes[part]
    given = {k: values[k] for k in tape.operands(part)} | {array: np.asarray(gradient)}
    return evaluate(read, given)
