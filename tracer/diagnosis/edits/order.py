"""Edits of the order in which parts are joined: two items of a list that is stacked or concatenated, exchanged.

Comes in: the backward nodes behind a wrong gradient.  Goes out: one edit for each two items of one shape.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from tracer.diagnosis.finding import Kind
from tracer.diagnosis.rewrites import Exchanged
from tracer.diagnosis.trials import Change, Edit, Trials
from tracer.tape.functions import resolve
from tracer.tape.node import Node, Ref
from tracer.tape.tape import substitute

_JOINING = frozenset(("concatenate", "stack", "hstack", "vstack", "dstack", "column_stack", "row_stack"))
#: Of more items than this, not every two are exchanged.
_MOST_ITEMS = 8


def exchanged_parts(trials: Trials) -> Iterator[Edit]:
    """Every two items of one shape in what is joined, exchanged."""
    for first, nodes in trials.places:
        items = _items(first)
        if first.site is None or not 2 <= len(items) <= _MOST_ITEMS:
            continue
        shapes = [trials.node(item.node).shape if isinstance(item, Ref) else None for item in items]
        for one, other in itertools.combinations(range(len(items)), 2):
            if shapes[one] is not None and shapes[one] == shapes[other]:
                text = Exchanged(first.site.span, one, other)
                yield Edit(Kind.WRONG_OPERAND, 1.3, nodes, _exchanged(trials, one, other), text=text)


def _items(node: Node) -> list[Any]:
    joined = node.args[0] if node.op in _JOINING and node.args else ()
    return list(joined) if isinstance(joined, list | tuple) else []


def _exchanged(trials: Trials, one: int, other: int) -> Change:
    def change(node: int, now: Mapping[int, Any], _: int) -> Any:
        recorded = trials.node(node)
        items = _items(recorded)
        items[one], items[other] = items[other], items[one]
        args, kwargs = substitute((items, *recorded.args[1:]), now), substitute(recorded.kwargs, now)
        return resolve(recorded.op)(*args, **kwargs)

    return change
