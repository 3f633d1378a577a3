"""Which nodes have one value by one computation: ``W1 @ x`` that is written twice is one array of the formulas.

Comes in: a tape.  Goes out: node → the first one like it.  Invariant: two nodes are one only if they carry out the
same operation on the same values; equal numbers say nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from tracer.tape.functions import Slice
from tracer.tape.node import Kind, Ref
from tracer.tape.tape import Tape


def repeated_computations(tape: Tape, cuts: Collection[int]) -> dict[int, int]:
    """The nodes that repeat a computation → the first that carried it out; leaves → their origin.

    Arguments:
        cuts: update nodes; each is a version of its own.
    """
    aliases: dict[int, int] = {}
    seen: dict[Any, int] = {}
    changing = changing_places(tape)
    for node in tape.nodes:
        if node.kind is Kind.LEAF and node.origin is not None and node.shape == () and node.origin not in changing:
            aliases[node.id] = node.origin
            continue
        if (
            node.kind in (Kind.LEAF, Kind.LITERAL, Kind.RANDOM, Kind.OPAQUE)
            or node.id in cuts
            or node.shape is None
        ):
            continue
        if not node.op or node.window < 0:
            continue
        try:
            key = (node.op, node.shape, node.dtype, _key(tape, aliases, node.args), _key(tape, aliases, node.kwargs))
            first = seen.setdefault(key, node.id)
        except TypeError:
            continue
        if first != node.id:
            aliases[node.id] = first
    return aliases


def first_of(aliases: Mapping[int, int], node: int) -> int:
    """The first node that has the value of this one by the same computation."""
    while node in aliases:
        node = aliases[node]
    return node


def changing_places(tape: Tape) -> frozenset[int]:
    """Origins of scalars that are read with several values: the variable of a loop that was run before in the set-up too.

    Their leaves are values of their own, although they were read at one place.
    """
    first: dict[int, Any] = {}
    found: set[int] = set()
    for node in tape.nodes:
        if node.kind is Kind.LEAF and node.origin is not None and node.shape == ():
            before = first.setdefault(node.origin, node.value)
            if not (before == node.value or (before != before and node.value != node.value)):
                found.add(node.origin)
    return frozenset(found)


def _key(tape: Tape, aliases: Mapping[int, int], argument: Any) -> Any:
    if isinstance(argument, Ref):
        node = tape.nodes[argument.node]
        if node.kind is Kind.LITERAL and not node.names:
            return ("literal", repr(node.value))
        return first_of(aliases, argument.node)
    if isinstance(argument, tuple | list):
        return tuple(_key(tape, aliases, item) for item in argument)
    if isinstance(argument, dict):
        return tuple(sorted((k, _key(tape, aliases, v)) for k, v in argument.items()))
    if isinstance(argument, Slice):
        return ("slice", _key(tape, aliases, (argument.start, argument.stop, argument.step)))
    if isinstance(argument, np.ndarray):
        return ("array", argument.shape, argument.tobytes())
    return (type(argument).__name__, repr(argument))
