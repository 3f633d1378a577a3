"""Which arrays, indices and axes stand in an expression, in the order of reading.

In: terms of `tracer.calculus.terms`.  Out: tuples without repetitions.  Nothing is changed or computed.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from tracer.calculus.terms import (
    Affine,
    Axis,
    Condition,
    Delta,
    Entry,
    Expr,
    Factor,
    Function,
    Index,
    IndexExpr,
    Mask,
    Size,
    Term,
)

_MIRRORED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "==", "!=": "!="}


def sides_of(mask: Mask) -> tuple[Entry | Fraction, str, Entry | Fraction]:
    """A mask as it is written: a number, if there is one, stands on the right."""
    if isinstance(mask.left, Fraction) and isinstance(mask.right, Entry):
        return mask.right, _MIRRORED[mask.relation], mask.left
    return mask.left, mask.relation, mask.right


def parts_of(factor: Factor) -> Iterator[IndexExpr]:
    """The entries and index expressions that a factor is made of, outermost only."""
    match factor:
        case Entry():
            yield factor
        case Delta(over, at):
            yield over
            yield at
        case Mask(_, left, right):
            yield from (side for side in (left, right) if isinstance(side, Entry))
        case Condition(_, left, right):
            yield left
            yield right
        case Function(_, arguments):
            yield from arguments
        case Size():
            return


def _indices(part: IndexExpr) -> Iterator[Index]:
    match part:
        case Index():
            yield part
        case Entry(_, indices):
            for index in indices:
                yield from _indices(index)
        case Affine(parts):
            for atom, _ in parts:
                yield from _indices(atom)


def _arrays(part: IndexExpr) -> Iterator[str]:
    match part:
        case Entry(array, indices):
            yield array
            for index in indices:
                yield from _arrays(index)
        case Affine(parts):
            for atom, _ in parts:
                yield from _arrays(atom)


def _affine_axes(part: IndexExpr) -> Iterator[Axis]:
    match part:
        case Entry(_, indices):
            for index in indices:
                yield from _affine_axes(index)
        case Affine(parts, _, sizes):
            for atom, coefficient in parts:
                yield from _affine_axes(atom)
                if isinstance(coefficient, Axis):
                    yield from coefficient.product or (coefficient,)
            yield from sizes


def indices_of_index(part: IndexExpr) -> tuple[Index, ...]:
    """The indices that an index expression or entry depends on."""
    return tuple(dict.fromkeys(_indices(part)))


def indices_of(factor: Factor) -> tuple[Index, ...]:
    """The indices that a factor depends on."""
    return tuple(dict.fromkeys(index for part in parts_of(factor) for index in _indices(part)))


def indices_of_term(term: Term) -> tuple[Index, ...]:
    """The indices of a term: those of its factors in order, then bound ones that no factor has."""
    found = dict.fromkeys(index for factor, _ in term.factors for index in indices_of(factor))
    return tuple(found | dict.fromkeys(term.bound))


def arrays_of(expr: Expr) -> tuple[str, ...]:
    """Every array and scalar that an expression reads, look-ups included."""
    return tuple(
        dict.fromkeys(
            array
            for term in expr
            for factor, _ in term.factors
            for part in parts_of(factor)
            for array in _arrays(part)
        )
    )


def axes_of(expr: Expr, free: tuple[Index | int, ...] = ()) -> tuple[Axis, ...]:
    """Every axis whose size may be needed to print an expression."""
    found: dict[Axis, None] = dict.fromkeys(index.axis for index in free if isinstance(index, Index))
    for term in expr:
        found |= dict.fromkeys(index.axis for index in indices_of_term(term))
        for factor, _ in term.factors:
            if isinstance(factor, Size):
                found[factor.axis] = None
            for part in parts_of(factor):
                found |= dict.fromkeys(_affine_axes(part))
    return tuple(found)
