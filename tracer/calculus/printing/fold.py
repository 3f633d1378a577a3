"""Products of arrays, entry by entry, that are not written yet, and how they are written.

Comes in: factors, as leaves of an array tree.  Goes out: a node, aligned to an order of axes.  Invariant: truth
values are multiplied, never subtracted, negated or divided; there NumPy has no number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from tracer.calculus.printing.array_tree import (
    Along,
    Node,
    Number,
    Plus,
    Power,
    Product,
    Quotient,
    align,
    broadcast,
    is_truth,
    number_of,
    real,
)
from tracer.calculus.printing.code import is_decimal
from tracer.calculus.printing.leaves import leaf
from tracer.calculus.printing.names import Names
from tracer.calculus.printing.scalar import as_written
from tracer.calculus.terms import Factor, Index

#: Stands before truth values to make numbers of them.
ONE = Number(Fraction(1))


@dataclass(frozen=True)
class Fold:
    """A product of arrays, entry by entry, that has not been written yet: Π above / Π below."""

    above: tuple[Node, ...] = ()
    below: tuple[Node, ...] = ()

    @classmethod
    def of(cls, factors: Sequence[tuple[Factor, Fraction]], names: Names) -> Fold:
        fold = cls()
        for factor, exponent in (as_written(*pair) for pair in factors):
            node = leaf(factor, names)
            if exponent > 0:
                fold = fold.with_factor(node if is_truth(node) else _power(node, exponent))
            else:
                fold = cls(fold.above, (*fold.below, _power(node, -exponent)))
        return fold

    def with_factor(self, node: Node) -> Fold:
        return Fold((*self.above, node), self.below)

    def times(self, other: Fold) -> Fold:
        return Fold(self.above + other.above, self.below + other.below)

    @property
    def nodes(self) -> tuple[Node, ...]:
        return self.above + self.below

    @property
    def indices(self) -> frozenset[Index]:
        return frozenset(index for node in self.nodes for index in real(node.axes))

    def axes(self, free: Along) -> Along:
        """The order of axes that asks for the fewest transpositions: that of the largest array."""
        largest = max((node.axes for node in self.nodes), key=lambda axes: len(real(axes)), default=())
        if self.indices <= set(real(largest)):
            return largest
        places = {index: place for place, index in enumerate(free)}
        return tuple(sorted(self.indices, key=lambda index: (places.get(index, len(free)), index.name)))


def _power(node: Node, exponent: Fraction) -> Node:
    return node if exponent == 1 else Power(number_of(node), exponent, node.axes)


def _rank(node: Node) -> tuple[bool, bool, int]:
    """Scalars first, then matrix products and arrays of many axes, truth values last."""
    return is_truth(node), bool(node.axes), -len(real(node.axes))


def written(fold: Fold, order: Along) -> Node:
    """The product as a node, aligned to an order of axes."""
    above = [align(node, order) for node in sorted(fold.above, key=_rank)]
    below = [align(node, order) for node in sorted(fold.below, key=_rank)]
    upper = _product(above)
    if not below:
        return upper
    lower = _product(below)
    return Quotient(number_of(upper), lower, broadcast((upper.axes, lower.axes)))


def _product(nodes: Sequence[Node]) -> Node:
    flat: list[Node] = []
    for node in nodes:
        flat += node.factors if isinstance(node, Product) else [node]
    if any(not is_truth(node) and node != ONE for node in flat):
        flat = [node for node in flat if node != ONE]
    if not flat:
        return ONE
    if len(flat) == 1:
        return flat[0]
    return Product(tuple(sorted(flat, key=_rank)), broadcast(node.axes for node in flat))


def plus(parts: Sequence[tuple[int, Node]]) -> Node:
    """A sum whose first part is a number, since NumPy can neither subtract nor negate truth values."""
    ordered = sorted(parts, key=lambda part: (is_truth(part[1]), part[0] < 0))
    if len(ordered) > 1 and ordered[0][0] < 0 < max(sign for sign, _ in ordered):
        ordered.sort(key=lambda part: part[0] < 0)
    sign, first = ordered[0]
    ordered[0] = (sign, number_of(first))
    return Plus(tuple(ordered), broadcast(node.axes for _, node in ordered))


def weighted(coefficient: Fraction, fold: Fold, free: Along) -> Node:
    """``coefficient · Π above / Π below``, aligned to the axes of the result."""
    above, below = list(fold.above), list(fold.below)
    top, bottom = coefficient.numerator, coefficient.denominator
    if bottom > 1 and is_decimal(coefficient):
        above.insert(0, Number(coefficient))
    else:
        above[:0] = [Number(Fraction(top))] if top != 1 else []
        below += [Number(Fraction(bottom))] if bottom != 1 else []
    return written(Fold(tuple(above), tuple(below)), free)
