"""A step of a parameter as data: what it was, what is added to it, with which sign; and the shapes that NumPy adds.

Plain data: which nodes are steps is told by `tracer.matching.update_search`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from msgspec import Struct

from tracer.tape.functions import Slice
from tracer.tape.node import Node, Ref
from tracer.tape.tape import Tape


class Update(Struct, frozen=True):
    """``node`` = ``before`` + sign · ``change``, or so at the entries that were first read as ``part``.

    Attributes:
        part: what only some entries are the new version of, such as the row ``P[u]``; None if it is the whole.
        decays: whether the node is this for a multiple of ``before``, as with weight decay.
        written: the number that is written, if it is a single entry that changes.
        beside: what else is added to it, and was left behind by an earlier iteration; None if nothing is.
    """

    node: int
    before: int
    change: int
    sign: int
    part: int | None = None
    decays: bool = False
    written: int | None = None
    beside: int | None = None

    @property
    def wrt(self) -> int:
        """What the step is a step of: the old version, or the part of it that changes."""
        return self.before if self.part is None else self.part


def direct(node: Node) -> list[tuple[int, int]]:
    """The positions among the arguments that are nodes, with the node."""
    return [
        (position, argument.node) for position, argument in enumerate(node.args) if isinstance(argument, Ref)
    ]


class Side(Struct, frozen=True):
    """``kept`` + sign · ``change``: one way to read a sum or a difference of two values.

    Attributes:
        first: whether what is kept is the first operand.
    """

    kept: int
    change: int
    sign: int
    first: bool


def sides(made: Node) -> Iterator[Side]:
    """Both ways to read a sum, the one to read a difference; none of anything else."""
    if made.op not in ("add", "subtract"):
        return
    operands = direct(made)
    for position, kept in operands:
        others = [other for place, other in operands if place != position]
        if others and (made.op == "add" or position == 0):
            yield Side(kept, others[0], -1 if made.op == "subtract" else 1, position == 0)


def first_versions(updates: Mapping[int, Update]) -> dict[int, int]:
    """Each new version of a parameter → the version that the recording starts from; updates come in order."""
    found: dict[int, int] = {}
    for node, update in updates.items():
        found[node] = found.get(update.before, update.before)
    return found


def scaled_from(tape: Tape, node: int) -> Iterator[int]:
    """What a value was before it was multiplied or divided by numbers, one number after the other."""
    while tape.nodes[node].op in ("multiply", "divide", "negative"):
        arrays = [k for k in tape.operands(node) if tape.nodes[k].shape != ()]
        if len(arrays) != 1:
            return
        [node] = arrays
        yield node


def without_ones(shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """A shape without axes of length 1: a number, and an array of one number, are the same gradient."""
    return None if shape is None else tuple(n for n in shape if n != 1)


def is_repeated(shape: tuple[int, ...] | None, to: tuple[int, ...] | None) -> bool:
    """Whether NumPy repeats an array of several axes or entries to give it another shape, as it does with a bias."""
    return bool(shape) and shape != to and fits_into(shape, to)


def fits_into(shape: tuple[int, ...] | None, to: tuple[int, ...] | None) -> bool:
    """Whether NumPy adds an array to one of another shape without a word, and keeps the other's shape."""
    if shape is None or to is None:
        return False
    try:
        return np.broadcast_shapes(shape, to) == to
    except ValueError:
        return False


def is_everything(index: object) -> bool:
    """Whether an index is ``...`` or ``:``."""
    return index is Ellipsis or (isinstance(index, Slice) and index == Slice())
