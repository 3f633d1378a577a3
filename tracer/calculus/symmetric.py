"""Arrays that equal their transposes: an entry is the same whichever of its two indices stands first.

Such an array is known by the mark at the end of its name, so that the text of an entry, and with it the canonical form,
does not depend on the order of its indices.  In come definitions, or expressions; out goes which arrays are
symmetric, or the expression with the indices of their entries in order.  Invariant: an array is marked only
if it was given as symmetric, or its definition stays the same when its two indices are exchanged.
"""

from __future__ import annotations

from fractions import Fraction

from tracer.calculus.algebra import arrays_in_term, make_term, substitute
from tracer.calculus.canonical import canonical_key
from tracer.calculus.indexing import SYMMETRIC, NotRepresentable, index_text, is_symmetric
from tracer.calculus.terms import Definition, Entry, Expr, Factor, Function, Index, IndexExpr, Mask


def marked(array: str) -> str:
    """The name of an array as that of a symmetric one."""
    return array if is_symmetric(array) else array + SYMMETRIC


def unmarked(array: str) -> str:
    """The name of an array without the mark."""
    return array.removesuffix(SYMMETRIC)


def is_square(definition: Definition) -> bool:
    """Whether an array has two axes, and both are one axis."""
    match definition.free:
        case (Index() as one, Index() as other):
            return one.axis == other.axis and one != other
        case _:
            return False


def equals_transpose(definition: Definition, expr: Expr) -> bool:
    """Whether what a square array is stays the same when its indices are exchanged."""
    one, other = definition.free
    assert isinstance(one, Index)
    assert isinstance(other, Index)
    try:
        exchanged = substitute(expr, {one: other, other: one})
    except NotRepresentable:
        return False
    return canonical_key(oriented(expr)) == canonical_key(oriented(exchanged))


def oriented(expr: Expr) -> Expr:
    """The expression with the indices of symmetric arrays in order, so that equal entries are one factor."""
    result = []
    for term in expr:
        if not any(map(is_symmetric, arrays_in_term(term))):
            result.append(term)
            continue
        factors: list[tuple[Factor, Fraction]] = [(_oriented(f), e) for f, e in term.factors]
        made = make_term(term.coefficient, term.bound, factors)
        if made is not None:
            result.append(made)
    return tuple(result)


def _oriented(factor: Factor) -> Factor:
    match factor:
        case Entry():
            return _ordered(factor)
        case Function():
            return Function(factor.name, tuple(map(_ordered, factor.arguments)))
        case Mask():
            left, right = (_ordered(s) if isinstance(s, Entry) else s for s in (factor.left, factor.right))
            return Mask(factor.relation, left, right)
        case _:
            return factor


def _ordered(entry: Entry) -> Entry:
    if not is_symmetric(entry.array):
        return entry
    indices: tuple[IndexExpr, ...] = tuple(sorted(entry.indices, key=index_text))
    return Entry(entry.array, indices)
