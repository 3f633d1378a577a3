"""Derivatives of the most usual scalar functions, as SymPy gave them, so that it is not imported for these.

A cache, nothing else: a test derives each of them again and compares.
"""

from __future__ import annotations

from fractions import Fraction

from tracer.calculus.terms import Entry, Expr, Function, Term

#: Functions that are written in their final form, whose text is also NumPy's name for them.
COMMON = frozenset({"exp(x0)", "log(x0)", "tanh(x0)", "sin(x0)", "cos(x0)", "sinh(x0)", "cosh(x0)"})

_X, _Y = Entry("x0"), Entry("y")


def _product(coefficient: int, *factors: tuple[Entry | Function, int]) -> Term:
    return Term(Fraction(coefficient), (), tuple((f, Fraction(e)) for f, e in factors))


#: (text, position of the argument, in terms of the output) → derivative.
DERIVATIVES: dict[tuple[str, int, bool], Expr] = {
    ("exp(x0)", 0, True): (_product(1, (_Y, 1)),),
    ("exp(x0)", 0, False): (_product(1, (Function("exp(x0)", (_X,)), 1)),),
    ("log(x0)", 0, True): (_product(1, (_X, -1)),),
    ("log(x0)", 0, False): (_product(1, (_X, -1)),),
    ("tanh(x0)", 0, True): (_product(1), _product(-1, (_Y, 2))),
    ("tanh(x0)", 0, False): (_product(1), _product(-1, (Function("tanh(x0)", (_X,)), 2))),
    ("sin(x0)", 0, True): (_product(1, (Function("cos(x0)", (_X,)), 1)),),
    ("sin(x0)", 0, False): (_product(1, (Function("cos(x0)", (_X,)), 1)),),
    ("cos(x0)", 0, True): (_product(-1, (Function("sin(x0)", (_X,)), 1)),),
    ("cos(x0)", 0, False): (_product(-1, (Function("sin(x0)", (_X,)), 1)),),
}
