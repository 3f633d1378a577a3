"""What definitions that differ only in names have in common, so that what follows from one is found once.

Comes in: a definition, the axes of its arrays and the sizes of axes.  Goes out: a `Likeness`: a key, and the arrays
in the order in which the key counts them.  Invariant: two definitions with equal keys become the same one when the
arrays, axes and indices of one are renamed, in their order, to those of the other; and their axes have equal sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from fractions import Fraction

from msgspec import Struct

from tracer.calculus.terms import (
    Affine,
    Axes,
    Axis,
    Condition,
    Definition,
    Delta,
    Entry,
    Factor,
    Function,
    Index,
    IndexExpr,
    Mask,
    Size,
)


class Likeness(Struct, frozen=True):
    """The key of a definition, and what stands behind the numbers in it."""

    key: Hashable
    arrays: tuple[str, ...]
    axes: tuple[Axis, ...]


def likeness(
    definition: Definition,
    axes_of: Callable[[str], Axes | None],
    size: Callable[[Axis], int],
    kind: Callable[[str], str],
) -> Likeness:
    """What a definition is, whatever its arrays are called.

    Arguments:
        axes_of: the axes of an array, where they are known.
        size: how many positions an axis has.
        kind: the type of the entries of an array.
    """
    count = _Numbers()
    free = tuple(count.index(i) for i in definition.free)
    terms = tuple(
        (
            term.coefficient,
            tuple(count.index(i) for i in term.bound),
            tuple((count.factor(f), e) for f, e in term.factors),
        )
        for term in definition.expr
    )
    own = count.array(definition.array)
    arrays = tuple(count.arrays)
    known = tuple((kind(a), _of_axes(count, axes_of(a)), a.rpartition(".")[2] if "." in a else "") for a in arrays)
    axes = tuple(count.axes)
    return Likeness((free, terms, own, known, tuple(size(a) for a in axes)), arrays, axes)


def _of_axes(count: _Numbers, axes: Axes | None) -> Hashable:
    return None if axes is None else tuple(-1 if a is None else count.axis(a) for a in axes)


class _Numbers:
    """Arrays, axes and indices by the order in which they are met."""

    def __init__(self) -> None:
        self.arrays: dict[str, int] = {}
        self.axes: dict[Axis, int] = {}
        self._indices: dict[Index, int] = {}

    def array(self, name: str) -> int:
        return self.arrays.setdefault(name, len(self.arrays))

    def axis(self, axis: Axis) -> Hashable:
        number = self.axes.setdefault(axis, len(self.axes))
        if axis.parts or axis.product or axis.size is not None:
            return number, tuple(map(self.axis, axis.parts)), axis.size, tuple(map(self.axis, axis.product))
        return number

    def index(self, index: IndexExpr) -> Hashable:
        match index:
            case Index():
                return "i", self._indices.setdefault(index, len(self._indices)), self.axis(index.axis)
            case Affine():
                parts = tuple(
                    (self.index(a), ("of", self.axis(c)) if isinstance(c, Axis) else c) for a, c in index.parts
                )
                return "affine", parts, index.constant, tuple(map(self.axis, index.sizes))
            case Entry():
                return self._entry(index)
            case _:
                return index

    def _entry(self, entry: Entry) -> Hashable:
        return self.array(entry.array), tuple(map(self.index, entry.indices))

    def _side(self, side: Entry | Fraction) -> Hashable:
        return self._entry(side) if isinstance(side, Entry) else side

    def factor(self, factor: Factor) -> Hashable:
        match factor:
            case Entry():
                return self._entry(factor)
            case Size():
                return "size", self.axis(factor.axis)
            case Delta():
                return "delta", self.index(factor.over), self.index(factor.at)
            case Mask():
                return "mask", factor.relation, self._side(factor.left), self._side(factor.right)
            case Condition():
                return "condition", factor.relation, self.index(factor.left), self.index(factor.right)
            case Function():
                return "function", factor.name, tuple(map(self._entry, factor.arguments))
