"""Putting formula trees together, with parentheses where the meaning needs them.

In: trees.  Out: trees.  Invariant: a tree made here, read with the usual precedence, means what it
was made from.
"""

from __future__ import annotations

import fractions
from collections.abc import Sequence
from enum import IntEnum

from msgspec.structs import replace

from tracer.calculus.printing.code import is_decimal
from tracer.formula.tree import (
    Apply,
    Cases,
    Conjugate,
    Fraction,
    Number,
    Parenthesised,
    Partial,
    Plus,
    Power,
    Relation,
    Row,
    Subscript,
    Sum,
    Symbol,
    Text,
    Times,
    Transpose,
    Tree,
    UnderShape,
)


class Level(IntEnum):
    """How tightly a tree binds; a sum sign reaches to the right as far as a product does."""

    RELATION = 0
    SUM = 1
    REACHING = 2
    PRODUCT = 3
    RAISED = 4
    ATOM = 5


def level(tree: Tree) -> Level:
    """How tightly a tree binds."""
    match tree:
        case Relation() | Row() | Text():
            return Level.RELATION
        case Plus():
            return Level.SUM
        case Sum():
            return Level.REACHING
        case Times(factors):
            return Level.REACHING if isinstance(factors[-1], Sum) else Level.PRODUCT
        case Fraction() | Partial() | Cases():
            return Level.PRODUCT
        case Power() | Transpose() | Apply():
            return Level.RAISED
        case UnderShape(body):
            return level(body)
        case _:
            return Level.ATOM


def at_least(tree: Tree, wanted: Level) -> Tree:
    """The tree, in parentheses if it binds more loosely."""
    return tree if level(tree) >= wanted else Parenthesised(tree)


def number(value: fractions.Fraction | int) -> Tree:
    """A rational number: an integer, a short decimal, or a fraction."""
    value = fractions.Fraction(value)
    if value < 0:
        return Plus(((-1, number(-value)),))
    if value.denominator == 1:
        return Number(str(value.numerator))
    if is_decimal(value):
        return Number(repr(float(value)))
    return Fraction(Number(str(value.numerator)), Number(str(value.denominator)))


def times(factors: Sequence[Tree], operator: str = "") -> Tree:
    """A product; one for no factors."""
    flat: list[Tree] = []
    for factor in factors:
        flat += factor.factors if isinstance(factor, Times) and factor.operator == operator else [factor]
    if not flat:
        return Number("1")
    if len(flat) == 1:
        return flat[0]
    *before, last = flat
    safe = [at_least(factor, Level.PRODUCT) for factor in before]
    safe.append(at_least(last, Level.REACHING))
    if operator != "⊙":  # two kinds of product side by side are told apart by parentheses
        safe = [Parenthesised(f) if isinstance(f, Times) and f.operator == "⊙" else f for f in safe]
    return Times(tuple(safe), operator)


def plus(parts: Sequence[tuple[int, Tree]]) -> Tree:
    """A sum of parts with signs, positive ones first; zero for no parts."""
    ordered = sorted(parts, key=lambda part: part[0] < 0)
    if not ordered:
        return Number("0")
    sign, first = ordered[0]
    if len(ordered) == 1 and sign > 0:
        return first
    return Plus(tuple((sign, at_least(part, Level.REACHING)) for sign, part in ordered))


def scaled(factor: Tree, tree: Tree) -> Tree:
    """A formula times a factor; the sign of a negative one stands before both, and a one is not written."""
    match factor:
        case Plus(parts=((sign, size),)) if sign < 0:
            return plus([(-1, scaled(size, tree))])
        case Number(text="1"):
            return tree
    return times([factor, tree])


def fraction(above: Tree, below: Tree) -> Tree:
    return Fraction(above, below)


def power(base: Tree, exponent: Tree) -> Tree:
    """A power; that of a function is written on its name where it is a number, as in tanh²(x)."""
    if isinstance(base, Apply) and isinstance(exponent, Number):
        return Power(base, exponent)
    return Power(at_least(base, Level.ATOM), exponent)


def sum_over(bound: Sequence[Tree], body: Tree) -> Tree:
    """A sum over indices; the body itself without any."""
    return Sum(tuple(bound), at_least(body, Level.REACHING)) if bound else body


def transposed(tree: Tree) -> Tree:
    return Transpose(at_least(tree, Level.ATOM))


def entry(array: Tree, indices: Sequence[Tree]) -> Tree:
    """An entry of an array: indices on a symbol, on the variable of a derivative, or outside parentheses."""
    if not indices:
        return array
    if isinstance(array, Partial) and not array.wrt_indices:
        return replace(array, wrt_indices=tuple(indices))
    if isinstance(array, Conjugate):
        return Conjugate(entry(array.body, indices))
    if isinstance(array, Plus) and len(array.parts) == 1:
        ((sign, body),) = array.parts
        return plus([(sign, entry(body, indices))])
    is_name = isinstance(array, Symbol) and not array.subscript
    return Subscript(array if is_name else _enclosed(array), tuple(indices))


def _enclosed(tree: Tree) -> Tree:
    return tree if isinstance(tree, Parenthesised) else Parenthesised(tree)


def equation(left: Tree, right: Tree) -> Tree:
    """``left = right``."""
    return Relation(left, "=", right)


def with_shape(tree: Tree, shape: str) -> Tree:
    """A tree with its shape below."""
    return UnderShape(tree, shape)
