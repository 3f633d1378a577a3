"""Deltas, masks and conditions in their simplest form: what always holds is left out, and what never does is zero.

In comes a factor that is 1 where something holds, else 0; out goes the same one, a simpler one, or the truth value that
it always has.  Invariant: for all sizes and all values the two are equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction

from tracer.calculus.indexing import NotRepresentable, affine, equal_digits, in_range, out_of_range, shifted
from tracer.calculus.terms import Affine, Condition, Delta, Factor, Index, IndexExpr, Mask


def with_digits(factors: Iterable[tuple[Factor, Fraction]]) -> Iterator[tuple[Factor, Fraction]]:
    """The factors, with i J + j = i' J + j' as i = i' and j = j'."""
    for factor, exponent in factors:
        if isinstance(factor, Condition) and factor.relation == "==":
            pairs = equal_digits(factor.left, factor.right)
            if pairs:
                for one, other in pairs:
                    yield Condition("==", one, other), Fraction(1)
                continue
        yield factor, exponent


def reduce(factor: Delta | Mask | Condition) -> Delta | Mask | Condition | bool:
    """The factor, a simpler one, or whether it always holds where that is plain to see."""
    if isinstance(factor, Delta):
        if factor.over == factor.at:
            return True
        if isinstance(factor.over, int) and isinstance(factor.at, int):
            return False
        never = isinstance(factor.over, int) and out_of_range(factor.over, factor.at)
        return False if never else factor  # an index takes in what it is equal to, so it may be
    if isinstance(factor, Mask):
        if factor.left == factor.right:
            return factor.relation != ">"
        if isinstance(factor.left, Fraction) and isinstance(factor.right, Fraction):
            return _holds(factor.relation, factor.left, factor.right)
        return factor
    if factor.relation == "==":
        if out_of_range(factor.left, factor.right):
            return False
        for over, at in ((factor.left, factor.right), (factor.right, factor.left)):
            if isinstance(over, Index) and in_range(at, over.axis):
                return Delta(over, at)
    try:
        difference = _difference(factor.left, factor.right)
    except NotRepresentable:
        return factor
    if isinstance(difference, int):
        return _holds(factor.relation, difference, 0)
    if factor.relation == "==" and isinstance(difference, Affine) and not difference.sizes:
        parts = difference.parts
        if not difference.constant and len(parts) == 2 and {parts[0][1], parts[1][1]} == {1, -1}:
            one, other = parts[0][0], parts[1][0]
            if isinstance(one, Index) and isinstance(other, Index) and one.axis == other.axis:
                return Delta(one, other)
    return _balanced(factor.relation, difference)


def _balanced(relation: str, difference: IndexExpr) -> Condition:
    """difference ∼ 0 with what is added on the one side and what is subtracted on the other: i = k + j for k = i − j.

    What has the size of an axis in it is added, so it stays on the left.
    """
    if isinstance(difference, Affine):
        parts, constant, sizes = difference.parts, difference.constant, difference.sizes
    else:
        assert not isinstance(difference, int)
        parts, constant, sizes = ((difference, 1),), 0, ()
    added = [(a, c) for a, c in parts if not isinstance(c, int) or c > 0]
    taken = [(a, -c) for a, c in parts if isinstance(c, int) and c < 0]
    return Condition(relation, affine(added, max(constant, 0), sizes), affine(taken, max(-constant, 0)))


def _holds(relation: str, left: Fraction | int, right: Fraction | int) -> bool:
    match relation:
        case ">":
            return left > right
        case ">=":
            return left >= right
        case "<":
            return left < right
        case "<=":
            return left <= right
        case "==":
            return left == right
        case _:
            raise ValueError(f"unknown relation {relation!r}")


def _difference(left: IndexExpr, right: IndexExpr) -> IndexExpr:
    if isinstance(right, Affine) and right.sizes:
        extra = Counter(left.sizes if isinstance(left, Affine) else ())
        extra.subtract(right.sizes)
        if not isinstance(left, Affine) or any(n < 0 for n in extra.values()):
            raise NotRepresentable("a difference of sizes")
        left = affine(left.parts, left.constant, extra.elements())
        right = affine(right.parts, right.constant)
    minus = shifted(right, step=-1)
    if isinstance(minus, int):
        return shifted(left, minus)
    if isinstance(left, int):
        return shifted(minus, left)
    one = left if isinstance(left, Affine) else Affine(((left, 1),))
    other = minus if isinstance(minus, Affine) else Affine(((minus, 1),))
    return affine(one.parts + other.parts, one.constant + other.constant, one.sizes + other.sizes)
