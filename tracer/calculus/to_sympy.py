"""An expression carried over into SymPy, for readers who want to go on from there.

In comes an expression in tensor normal form, out goes a SymPy expression made of ``Sum``, ``IndexedBase``,
``KroneckerDelta`` and ``Piecewise``.  Indices count from 0, an axis has the size symbol ``n_<axis>``.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from tracer.calculus.scalar import symbolic
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
)


def sympy_of(expr: Expr) -> Any:
    """The expression as a SymPy expression in ``IndexedBase`` arrays and plain symbols."""
    import sympy

    total = sympy.Integer(0)
    for term in expr:
        product = sympy.Rational(term.coefficient.numerator, term.coefficient.denominator)
        for factor, exponent in term.factors:
            product *= _factor(factor) ** sympy.Rational(exponent.numerator, exponent.denominator)
        limits = [(_index(i), 0, _size(i.axis) - 1) for i in term.bound]
        total += sympy.Sum(product, *limits) if limits else product
    return total


def _size(axis: Axis) -> Any:
    import sympy

    if axis.product:
        return sympy.Mul(*(_size(a) for a in axis.product))
    return sympy.Symbol(f"n_{axis.name}", integer=True, positive=True)


def _index(expr: IndexExpr) -> Any:
    import sympy

    match expr:
        case Index():
            return sympy.Symbol(expr.name, integer=True, nonnegative=True)
        case int():
            return sympy.Integer(expr)
        case Entry():
            return _entry(expr)
        case Affine():
            total = sympy.Integer(expr.constant) + sum((_size(a) for a in expr.sizes), sympy.Integer(0))
            for atom, c in expr.parts:
                total += _index(atom) * (_size(c) if isinstance(c, Axis) else c)
            return total


def _entry(entry: Entry) -> Any:
    import sympy

    if not entry.indices:
        return sympy.Symbol(entry.array, real=True)
    return sympy.IndexedBase(entry.array, real=True)[tuple(_index(i) for i in entry.indices)]


def _factor(factor: Factor) -> Any:
    import sympy

    match factor:
        case Entry():
            return _entry(factor)
        case Size():
            return _size(factor.axis)
        case Delta():
            return sympy.KroneckerDelta(_index(factor.over), _index(factor.at))
        case Function():
            return symbolic(factor.name, [_entry(a) for a in factor.arguments])
        case Mask():
            return _one_where(factor.relation, _side(factor.left), _side(factor.right))
        case Condition():
            return _one_where(factor.relation, _index(factor.left), _index(factor.right))


def _side(side: Entry | Fraction) -> Any:
    import sympy

    return _entry(side) if isinstance(side, Entry) else sympy.Rational(side.numerator, side.denominator)


def _one_where(relation: str, left: Any, right: Any) -> Any:
    import sympy

    relations = {">": sympy.Gt, ">=": sympy.Ge, "<": sympy.Lt, "<=": sympy.Le, "==": sympy.Eq}
    return sympy.Piecewise((1, relations[relation](left, right)), (0, True))
