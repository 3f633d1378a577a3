"""Expressions about axes that were found to be the same: each axis is replaced by the one that stands for it.

In comes an expression as a row writes it, and the table of axes; out goes an equal expression in which equal axes are one.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from tracer.calculus import contract
from tracer.calculus.algebra import make_term, replace_in_factor
from tracer.calculus.indexing import affine, indices_of
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
from tracer.ops.axes import AxisTable


def settle(expr: Expr, table: AxisTable) -> Expr:
    """The expression with every axis replaced by the one that stands for it."""
    axes = {a for t in expr for a in _axes_of(t.bound, t.factors)}
    if all(table.find(a) == a for a in axes):
        return expr
    result = []
    for term in expr:
        indices = {i for f, _ in term.factors for i in indices_of(f)} | set(term.bound)
        renamed: dict[Index, IndexExpr] = {i: Index(i.name, table.find(i.axis)) for i in indices}
        factors = [(_settle_factor(replace_in_factor(f, renamed), table), e) for f, e in term.factors]
        bound = tuple(Index(i.name, table.find(i.axis)) for i in term.bound)
        new = make_term(term.coefficient, bound, factors)
        if new is not None:
            result.append(new)
    return contract(tuple(result))


def settle_index(index: Index | int, table: AxisTable) -> Index | int:
    """The index, over the axis that stands for its own."""
    return Index(index.name, table.find(index.axis)) if isinstance(index, Index) else index


def _axes_of(bound: Sequence[Index], factors: Sequence[tuple[Factor, Fraction]]) -> set[Axis]:
    found = {i.axis for i in bound} | {i.axis for f, _ in factors for i in indices_of(f)}
    for factor, _ in factors:
        if isinstance(factor, Size):
            found.add(factor.axis)
        for index in _index_expressions(factor):
            if isinstance(index, Affine):
                found |= set(index.sizes) | {c for _, c in index.parts if isinstance(c, Axis)}
    return found


def _index_expressions(factor: Factor) -> tuple[IndexExpr, ...]:
    match factor:
        case Entry():
            return factor.indices
        case Delta():
            return (factor.over, factor.at)
        case Condition():
            return (factor.left, factor.right)
        case Function():
            return tuple(i for a in factor.arguments for i in a.indices)
        case Mask():
            return tuple(i for s in (factor.left, factor.right) if isinstance(s, Entry) for i in s.indices)
        case Size():
            return ()


def _settle_affine(index: IndexExpr, table: AxisTable) -> IndexExpr:
    if isinstance(index, Entry):
        return _settle_entry(index, table)
    if not isinstance(index, Affine):
        return index
    parts = (
        (a if isinstance(a, Index) else _settle_entry(a, table), table.find(c) if isinstance(c, Axis) else c)
        for a, c in index.parts
    )
    return affine(parts, index.constant, tuple(table.find(a) for a in index.sizes))


def _settle_entry(entry: Entry, table: AxisTable) -> Entry:
    return Entry(entry.array, tuple(_settle_affine(i, table) for i in entry.indices))


def _settle_factor(factor: Factor, table: AxisTable) -> Factor:
    match factor:
        case Size():
            return Size(table.find(factor.axis))
        case Entry():
            return _settle_entry(factor, table)
        case Delta():
            return Delta(factor.over, _settle_affine(factor.at, table))
        case Condition():
            left, right = _settle_affine(factor.left, table), _settle_affine(factor.right, table)
            return Condition(factor.relation, left, right)
        case Function():
            return Function(factor.name, tuple(_settle_entry(a, table) for a in factor.arguments))
        case Mask():
            return Mask(factor.relation, _settle_side(factor.left, table), _settle_side(factor.right, table))


def _settle_side(side: Entry | Fraction, table: AxisTable) -> Entry | Fraction:
    return _settle_entry(side, table) if isinstance(side, Entry) else side
