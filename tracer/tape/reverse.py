"""The numeric reverse sweep: adjoints of all nodes below a root, with rules that are given.

In: a tape, the values of its nodes, a scalar root and a rule for each operand of each operation.  Out:
for each node that the root depends on the derivative of the root with respect to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np

from tracer.tape.node import Node
from tracer.tape.tape import GIVEN, Tape, operands

#: ``rules(node, position, values)`` is the function that takes the adjoint of ``node`` to its contribution
#: to the adjoint of its operand number ``position`` (see `operands`), or ``None`` if there is none.  The
#: function may give ``None`` too: nothing passes.
Rules = Callable[[Node, int, Sequence[Any]], Callable[[Any], Any] | None]

#: Is told of each contribution: the node it comes through, its operand, the contribution, the sum so far.
Observer = Callable[[int, int, Any, Any], None]


def sweep(
    tape: Tape,
    values: Sequence[Any],
    root: int,
    rules: Rules,
    stop: AbstractSet[int] = frozenset(),
    observe: Observer | None = None,
    seed: Any = None,
) -> dict[int, Any]:
    """The adjoint of every node that ``root`` depends on through a rule.

    Arguments:
        values: a value for each node, as `replay` gives them.
        root: a scalar node, or any node if there is a seed.
        stop: nodes whose adjoint is computed but not passed on.
        observe: is told of each contribution.
        seed: the adjoint of the root; 1 by default.

    Returns:
        Adjoints by node, each of the shape of its node's value.

    Raises:
        ValueError: the root is not a scalar and has no seed, or a contribution has another shape than its operand.
    """
    if seed is None and np.size(values[root]) != 1:
        raise ValueError(f"the root of a sweep is a scalar; node {root} has shape {np.shape(values[root])}")
    adjoints: dict[int, Any] = {root: np.ones(np.shape(values[root])) if seed is None else seed}
    for number in range(root, -1, -1):
        node = tape.nodes[number]
        if number not in adjoints or number in stop or node.kind in GIVEN or node.window < 0:
            continue
        adjoint = adjoints[number]
        for position, operand in enumerate(operands(node)):
            rule = rules(node, position, values)
            if rule is None:
                continue
            contribution = rule(adjoint)
            if contribution is None:
                continue
            if np.shape(contribution) != np.shape(values[operand]):
                raise ValueError(
                    f"the rule of {node.op} for operand {position} gives shape {np.shape(contribution)}, "
                    f"the operand has {np.shape(values[operand])}"
                )
            total = adjoints[operand] + contribution if operand in adjoints else contribution
            adjoints[operand] = total
            if observe is not None:
                observe(number, operand, contribution, total)
    return adjoints
