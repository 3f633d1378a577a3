"""Building expressions: entries, constants, sums, products, powers, substitution.

In and out go expressions in tensor normal form.  Invariants kept here: in a term no factor stands twice
and no exponent is zero; deltas, masks and conditions have the exponent one; no bound index of a term is
mentioned outside of it (products and substitutions give bound indices fresh names where they must).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from fractions import Fraction

from tracer.calculus.conditions import reduce, with_digits
from tracer.calculus.indexing import arrays_of, indices_of, replace_in_entry, replace_in_index
from tracer.calculus.terms import (
    IMAGINARY,
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

ONE = Fraction(1)
_numbers = itertools.count(1)


def fresh(axis: Axis | None, prefix: str = "i") -> Index | int:
    """An index over the axis that occurs nowhere else; 0 for an axis of size one (``None``)."""
    return 0 if axis is None else fresh_index(axis, prefix)


def fresh_index(axis: Axis, prefix: str = "i") -> Index:
    """An index over the axis that occurs nowhere else."""
    return Index(f"{prefix}{next(_numbers)}", axis)


def constant(value: Fraction | int) -> Expr:
    """The expression that is this number everywhere."""
    return (Term(Fraction(value), (), ()),) if value else ()


def entry(array: str, *indices: IndexExpr) -> Expr:
    """One entry of an array as an expression."""
    return of_factor(Entry(array, indices))


def of_factor(factor: Factor, exponent: Fraction | int = 1) -> Expr:
    """The expression that is one factor to a power."""
    term = make_term(ONE, (), ((factor, Fraction(exponent)),))
    return () if term is None else (term,)


def add(*exprs: Expr) -> Expr:
    """The sum; like terms are not collected (see `simplify`)."""
    return tuple(itertools.chain.from_iterable(exprs))


def scale(expr: Expr, by: Fraction | int) -> Expr:
    """The expression times a rational number."""
    return tuple(Term(t.coefficient * by, t.bound, t.factors) for t in expr) if by else ()


def multiply(*exprs: Expr) -> Expr:
    """The product, multiplied out."""
    result: Expr = constant(1)
    for expr in exprs:
        products = (multiply_terms(a, b) for a in result for b in expr)
        result = tuple(p for p in products if p is not None)
    return result


def multiply_terms(a: Term, b: Term) -> Term | None:
    """The product of two terms, ``None`` if it is zero; indices bound in both are told apart."""
    if a.bound and not indices_in_term(b).isdisjoint(a.bound):
        a = freshen(a)
    if b.bound and not indices_in_term(a).isdisjoint(b.bound):
        b = freshen(b)
    if not b.factors:
        return Term(a.coefficient * b.coefficient, a.bound + b.bound, a.factors)
    return make_term(a.coefficient * b.coefficient, a.bound + b.bound, a.factors + b.factors)


def power(expr: Expr, exponent: Fraction | int) -> Expr:
    """A single term, or for a positive integer exponent any expression, raised to a power.

    A fractional exponent distributes over the factors, as is right where each of them is positive: whoever
    calls this with several factors answers for that.

    Raises:
        ValueError: for a sum, or a term with bound indices, to another power than a positive integer; for a
            coefficient without a rational root; for zero to a power that is not positive.
    """
    exponent = Fraction(exponent)
    if exponent.denominator == 1 and exponent >= 0 and (len(expr) != 1 or expr[0].bound):
        return multiply(*[expr] * int(exponent))
    if not expr:
        raise ValueError("division by zero")
    if len(expr) != 1 or expr[0].bound:
        raise ValueError(f"only a single product can be raised to the power {exponent}")
    term = expr[0]
    if exponent < 0 and any(isinstance(f, (Delta, Mask, Condition)) for f, _ in term.factors):
        raise ValueError("division by something that is zero where a condition does not hold")
    result = make_term(
        rational_power(term.coefficient, exponent), (), [(f, e * exponent) for f, e in term.factors]
    )
    return () if result is None else (result,)


def rational_power(base: Fraction, exponent: Fraction) -> Fraction:
    """The number raised to a power, exactly.

    Raises:
        ValueError: if the result is not rational.
    """
    if exponent.denominator == 1:
        if base == 0 and exponent < 0:
            raise ValueError("division by zero")
        return base ** int(exponent)
    if base == 1:
        return base
    root = exponent.denominator
    numerator, denominator = (_integer_root(n, root) for n in (base.numerator, base.denominator))
    if numerator is None or denominator is None:
        raise ValueError(f"{base} ** {exponent} is not rational")
    return Fraction(numerator, denominator) ** exponent.numerator


def _integer_root(number: int, root: int) -> int | None:
    if number < 0 or number.bit_length() > 900 or root > 64:
        return None
    near = round(number ** (1 / root))
    return next((n for n in (near - 1, near, near + 1) if n >= 0 and n**root == number), None)


def sum_over(index: Index | int | Iterable[Index | int], expr: Expr) -> Expr:
    """Σ over one or several indices; an index that is the integer 0 (an axis of size one) needs no sum."""
    given = (index,) if isinstance(index, (Index, int)) else index
    indices = tuple(i for i in given if isinstance(i, Index))
    if not indices:
        return expr
    safe = (freshen(t) if set(t.bound) & set(indices) else t for t in expr)
    return tuple(Term(t.coefficient, t.bound + indices, t.factors) for t in safe)


def freshen(term: Term) -> Term:
    """The same term with new names for its bound indices."""
    if not term.bound:
        return term
    renamed = {i: fresh_index(i.axis) for i in term.bound}
    factors = [(replace_in_factor(f, renamed), e) for f, e in term.factors]
    result = make_term(term.coefficient, tuple(renamed.values()), factors)
    assert result is not None  # a renaming maps nothing to zero
    return result


def substitute(expr: Expr, mapping: Mapping[Index, IndexExpr]) -> Expr:
    """Free indices replaced by index expressions, all at once and without capture.

    Each replacement must lie in the range of the axis of the index that it replaces.

    Raises:
        NotRepresentable: for a product of two sizes in an index.
    """
    if not mapping:
        return expr
    mentioned = frozenset(mapping).union(*(indices_of(e) for e in mapping.values()))
    result = []
    for term in expr:
        if term.bound and not mentioned.isdisjoint(term.bound):
            term = freshen(term)
        new = make_term(
            term.coefficient, term.bound, [(replace_in_factor(f, mapping), e) for f, e in term.factors]
        )
        if new is not None:
            result.append(new)
    return tuple(result)


def replace_in_factor(factor: Factor, mapping: Mapping[Index, IndexExpr]) -> Factor:
    """The factor with indices replaced; a delta keeps its direction or becomes a condition."""
    match factor:
        case Entry():
            return replace_in_entry(factor, mapping)
        case Delta():
            over, at = replace_in_index(factor.over, mapping), replace_in_index(factor.at, mapping)
            if isinstance(over, Index) and isinstance(factor.over, Index):
                same = over.axis == factor.over.axis or (isinstance(at, Index) and at.axis == over.axis)
                # What lies in the range of one index need not lie in that of the other.
                return Delta(over, at) if same else Condition("==", over, at)
            if isinstance(factor.over, Index) and isinstance(at, Index) and at.axis == factor.over.axis:
                return Delta(at, over)
            return Delta(over, at) if isinstance(over, int) else Condition("==", over, at)
        case Mask():
            left, right = (
                replace_in_entry(s, mapping) if isinstance(s, Entry) else s
                for s in (factor.left, factor.right)
            )
            return Mask(factor.relation, left, right)
        case Condition():
            return Condition(
                factor.relation,
                replace_in_index(factor.left, mapping),
                replace_in_index(factor.right, mapping),
            )
        case Function():
            return Function(factor.name, tuple(replace_in_entry(a, mapping) for a in factor.arguments))
        case Size():
            return factor


def make_term(
    coefficient: Fraction, bound: tuple[Index, ...], factors: Iterable[tuple[Factor, Fraction]]
) -> Term | None:
    """A term in normal form, or ``None`` if it is zero: equal factors joined, trivial ones dropped."""
    if coefficient == 0:
        return None
    merged: dict[Factor, Fraction] = {}
    for factor, exponent in with_digits(factors):
        if isinstance(factor, (Delta, Mask, Condition)):
            reduced = reduce(factor)
            if isinstance(reduced, bool):
                if reduced:
                    continue
                return None
            merged[reduced] = ONE
        elif factor in merged:
            merged[factor] += exponent
        else:
            merged[factor] = exponent
    unit = merged.pop(IMAGINARY, None)
    if unit is not None:
        if unit.denominator != 1:
            raise ValueError("a fractional power of i")
        merged[IMAGINARY] = unit % 2
        coefficient = -coefficient if unit % 4 >= 2 else coefficient  # i² = −1
    return Term(coefficient, bound, tuple((f, e) for f, e in merged.items() if e))


def indices_in_term(term: Term) -> frozenset[Index]:
    """All indices of a term, bound and free."""
    return frozenset(term.bound).union(*[indices_of(f) for f, _ in term.factors])


def arrays_in_term(term: Term) -> frozenset[str]:
    """The names of all arrays of a term."""
    return frozenset().union(*[arrays_of(f) for f, _ in term.factors])


def indices_in(expr: Expr) -> frozenset[Index]:
    """The free indices of an expression."""
    return frozenset().union(*(indices_in_term(t) - frozenset(t.bound) for t in expr))


def arrays_in(expr: Expr) -> frozenset[str]:
    """The names of all arrays that an expression mentions, look-up arrays and arguments of masks too."""
    return frozenset().union(*(arrays_in_term(t) for t in expr))
