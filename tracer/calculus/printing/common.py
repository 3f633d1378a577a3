"""What all terms of a sum have in common: `P/N - δ/N` is `(P - δ)/N`.

In: an expression.  Out: a number, factors, and the expression that is left when they are taken out.
Invariant: number · factors · the rest is the expression again, term by term.
"""

from __future__ import annotations

from fractions import Fraction
from math import gcd

from tracer.calculus.printing.reading import indices_of
from tracer.calculus.terms import Expr, Factor, Term


def without_common(expr: Expr) -> tuple[Fraction, tuple[tuple[Factor, Fraction], ...], Expr]:
    """A number and factors that all terms share, and the terms without them."""
    if len(expr) == 1:
        return Fraction(1), (), expr
    first, *others = expr
    common: dict[Factor, Fraction] = {}
    bound = {index for term in expr for index in term.bound}
    for factor, exponent in first.factors:
        exponents = [exponent, *(dict(term.factors).get(factor, Fraction(0)) for term in others)]
        if bound.isdisjoint(indices_of(factor)):
            if all(e > 0 for e in exponents):
                common[factor] = min(exponents)
            elif all(e < 0 for e in exponents):
                common[factor] = max(exponents)
    below = {term.coefficient.denominator for term in expr}
    number = Fraction(
        gcd(*(term.coefficient.numerator for term in expr)), below.pop() if len(below) == 1 else 1
    )
    if all(term.coefficient < 0 for term in expr):
        number = -number
    inner = []
    for term in expr:
        factors = [(f, e - common.get(f, Fraction(0))) for f, e in term.factors]
        inner.append(Term(term.coefficient / number, term.bound, tuple((f, e) for f, e in factors if e)))
    return number, tuple(common.items()), tuple(inner)
