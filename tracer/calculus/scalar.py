"""Scalar functions of entries: SymPy derives, writes and evaluates them, here and nowhere else.

A scalar function is the text of a SymPy expression in ``x0, x1, …``.  In come such texts with their
arguments, out go expressions in tensor normal form or numbers.  SymPy is imported when first needed.
Symbols are real, never positive: positive symbols would make √(x²) into x.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from tracer.calculus.algebra import ONE, constant, make_term
from tracer.calculus.scalar_table import COMMON, DERIVATIVES
from tracer.calculus.terms import Entry, Expr, Factor, Function, Mask, Term

#: Stands for the value of the function itself in a derivative that is written in terms of it.
OUTPUT = "y"


class NoDerivative(ValueError):
    """A scalar function that SymPy cannot differentiate into the functions known here."""


@functools.cache
def parse(text: str) -> Any:
    """The SymPy expression of a text in x0, x1, … and y, all of them real symbols."""
    import sympy

    names = {m: sympy.Symbol(m, real=True) for m in re.findall(r"\bx\d+\b|\by\b", text)}
    return sympy.sympify(text, locals=names, rational=True)


def apply(text: str, arguments: Sequence[Entry | Fraction]) -> Expr:
    """The function of these arguments as an expression; numbers among them are put into its text."""
    if arguments and all(isinstance(a, Entry) for a in arguments):
        if text in COMMON:
            return (
                Term(ONE, (), ((Function(text, tuple(a for a in arguments if isinstance(a, Entry))), ONE),)),
            )
        return from_sympy(parse(text), {f"x{n}": a for n, a in enumerate(arguments) if isinstance(a, Entry)})
    import sympy

    numbers = {
        sympy.Symbol(f"x{n}", real=True): sympy.Rational(a.numerator, a.denominator)
        for n, a in enumerate(arguments)
        if isinstance(a, Fraction)
    }
    entries = {f"x{n}": a for n, a in enumerate(arguments) if isinstance(a, Entry)}
    return from_sympy(parse(text).subs(numbers), entries)


@functools.cache
def derivative_template(text: str, position: int, in_terms_of_output: bool) -> Expr:
    """∂f/∂x_position as an expression in entries without indices that are called x0, x1, … and y.

    With ``in_terms_of_output`` the value of f may occur, as ``y``, where that makes it shorter:
    tanh′ = 1 − y², exp′ = y.

    Raises:
        NoDerivative: if there is no derivative in functions known here.
    """
    known = DERIVATIVES.get((text, position, in_terms_of_output))
    return derive(text, position, in_terms_of_output) if known is None else known


def derive(text: str, position: int, in_terms_of_output: bool) -> Expr:
    """As `derivative_template`, by SymPy."""
    import sympy

    function = parse(text)
    x, y = sympy.Symbol(f"x{position}", real=True), sympy.Symbol(OUTPUT, real=True)
    derivative = sympy.diff(function, x)
    if derivative.has(sympy.Derivative, sympy.Subs, sympy.DiracDelta):
        raise NoDerivative(f"SymPy gives {derivative} for the derivative of {text}")
    choices = [derivative]
    if in_terms_of_output and not function.is_Symbol and not function.is_number:
        choices.append(derivative.subs(function, y))
        choices += _through_inverse(function, derivative, x, y)
    best = min(choices, key=lambda e: (e.count_ops(), len(e.free_symbols)))
    symbols = {str(s): Entry(str(s)) for s in best.free_symbols}
    return from_sympy(best, symbols)


def _through_inverse(function: Any, derivative: Any, x: Any, y: Any) -> list[Any]:
    """The derivative with x replaced by f⁻¹(y), if that is a polynomial in y."""
    import sympy

    if function.free_symbols != {x} or not function.has(sympy.exp, sympy.tanh):
        return []
    try:
        solutions = sympy.solve(sympy.Eq(function, y), x)
    except NotImplementedError:
        return []
    if len(solutions) != 1:
        return []
    found = sympy.simplify(derivative.subs(x, solutions[0]))
    return [found] if found.is_polynomial(y) and found.free_symbols <= {y} else []


def from_sympy(expr: Any, entries: Mapping[str, Entry]) -> Expr:
    """A scalar SymPy expression in tensor normal form; ``entries`` says what each symbol stands for.

    Raises:
        NoDerivative: for an expression with parts that tensor normal form has no place for.
    """
    import sympy

    expanded = sympy.expand(expr, power_exp=True, log=False, func=False, trig=False)
    result: Expr = ()
    for summand in sympy.Add.make_args(expanded):
        coefficient = ONE
        factors: list[tuple[Factor, Fraction]] = []
        product: Expr = constant(1)
        for part in sympy.Mul.make_args(summand):
            if part.is_Rational:
                coefficient *= Fraction(int(part.p), int(part.q))
            elif part.func in (sympy.Heaviside, sympy.sign):
                product = _times(product, _step(part, entries))
            else:
                factors.append(_factor(part, entries))
        term = make_term(coefficient, (), factors)
        if term is not None:
            result += _times((term,), product)
    return result


def _times(a: Expr, b: Expr) -> Expr:
    terms = (make_term(x.coefficient * y.coefficient, (), x.factors + y.factors) for x in a for y in b)
    return tuple(t for t in terms if t is not None)


def _step(part: Any, entries: Mapping[str, Entry]) -> Expr:
    """Heaviside(u − v) as the mask [u > v], with 0 at a tie, and sign(u − v) as [u > v] − [v > u]."""
    import sympy

    left: list[Entry | Fraction] = []
    right: list[Entry | Fraction] = []
    for summand in sympy.Add.make_args(part.args[0]):
        if summand.is_Rational:
            value = Fraction(int(summand.p), int(summand.q))
            (left if value > 0 else right).append(abs(value))
        elif summand.is_Symbol:
            left.append(entries[str(summand)])
        elif (-summand).is_Symbol:
            right.append(entries[str(-summand)])
        else:
            raise NoDerivative(f"a step at {part.args[0]}")
    if len(left) > 1 or len(right) > 1:
        raise NoDerivative(f"a step at {part.args[0]}")
    high, low = (left or [Fraction(0)])[0], (right or [Fraction(0)])[0]
    masks = [(Mask(">", high, low), 1)]
    if part.func is sympy.sign:
        masks.append((Mask(">", low, high), -1))
    terms = (make_term(Fraction(sign), (), ((mask, ONE),)) for mask, sign in masks)
    return tuple(t for t in terms if t is not None)


def _factor(part: Any, entries: Mapping[str, Entry]) -> tuple[Factor, Fraction]:
    """One factor of a product with its rational exponent."""
    import sympy

    base, exponent = part.as_base_exp()
    if isinstance(part, sympy.exp):
        coefficient, rest = part.args[0].as_coeff_Mul()
        base, exponent = (sympy.exp(rest), coefficient) if rest != 1 else (part, sympy.Integer(1))
    elif not exponent.is_Rational:
        base, exponent = part, sympy.Integer(1)
    power = Fraction(int(exponent.p), int(exponent.q))
    if base.is_Symbol:
        return entries[str(base)], power
    if base.has(sympy.Derivative, sympy.Subs, sympy.DiracDelta, sympy.Integral):
        raise NoDerivative(str(part))
    symbols = sorted(base.free_symbols, key=lambda s: (str(s)[0], int(str(s)[1:] or 0)))
    renamed = {s: sympy.Symbol(f"x{n}", real=True) for n, s in enumerate(symbols)}
    name = str(base.xreplace(renamed))
    return Function(name, tuple(entries[str(s)] for s in symbols)), power


@functools.cache
def numeric(text: str, arguments: int) -> Callable[..., Any]:
    """A NumPy function of so many arrays that evaluates the text."""
    if text in COMMON:
        common: Callable[..., Any] = getattr(np, text.partition("(")[0])
        return common
    import sympy

    symbols = [sympy.Symbol(f"x{n}", real=True) for n in range(arguments)]
    function: Callable[..., Any] = sympy.lambdify(symbols, parse(text), "numpy")
    return function


def symbolic(text: str, arguments: Sequence[Any]) -> Any:
    """The SymPy expression of the function of these SymPy expressions."""
    import sympy

    return parse(text).xreplace({sympy.Symbol(f"x{n}", real=True): a for n, a in enumerate(arguments)})
