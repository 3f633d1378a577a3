"""The same expression about other arrays, and with numbers for the sizes in its index expressions.

In and out go expressions in normal form.  Invariant: a renaming may make factors equal, never unequal.
"""

from __future__ import annotations

from collections.abc import Mapping

from tracer.calculus.algebra import arrays_in_term, make_term
from tracer.calculus.indexing import affine
from tracer.calculus.terms import (
    Affine,
    Axis,
    Condition,
    Definition,
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


def rename_arrays(expr: Expr, names: Mapping[str, str]) -> Expr:
    """The same expression about other arrays."""
    result = []
    for term in expr:
        if names.keys().isdisjoint(arrays_in_term(term)):
            result.append(term)
            continue
        new = make_term(term.coefficient, term.bound, [(rename_factor(f, names), e) for f, e in term.factors])
        if new is not None:
            result.append(new)
    return tuple(result)


def rename_factor(factor: Factor, names: Mapping[str, str]) -> Factor:
    """The same factor about other arrays."""
    match factor:
        case Entry():
            return _rename_entry(factor, names)
        case Delta():
            return Delta(factor.over, _rename_index(factor.at, names))
        case Mask():
            left, right = (
                _rename_entry(s, names) if isinstance(s, Entry) else s for s in (factor.left, factor.right)
            )
            return Mask(factor.relation, left, right)
        case Condition():
            return Condition(
                factor.relation, _rename_index(factor.left, names), _rename_index(factor.right, names)
            )
        case Function():
            return Function(factor.name, tuple(_rename_entry(a, names) for a in factor.arguments))
        case Size():
            return factor


def _rename_entry(entry: Entry, names: Mapping[str, str]) -> Entry:
    return Entry(names.get(entry.array, entry.array), tuple(_rename_index(i, names) for i in entry.indices))


def _rename_index(expr: IndexExpr, names: Mapping[str, str]) -> IndexExpr:
    if isinstance(expr, Entry):
        return _rename_entry(expr, names)
    if isinstance(expr, Affine):
        parts = ((_rename_entry(a, names) if isinstance(a, Entry) else a, c) for a, c in expr.parts)
        return affine(parts, expr.constant, expr.sizes)
    return expr


def with_sizes(expr: Expr, sizes: Mapping[str, int]) -> Expr:
    """The expression with axes of known size, and their sizes in index expressions as numbers."""
    result = []
    for term in expr:
        bound = tuple(Index(i.name, _sized_axis(i.axis, sizes)) for i in term.bound)
        new = make_term(term.coefficient, bound, [(_sized_factor(f, sizes), e) for f, e in term.factors])
        if new is not None:
            result.append(new)
    return tuple(result)


def definition_with_sizes(definition: Definition, sizes: Mapping[str, int]) -> Definition:
    """The definition with axes of known size."""
    free = tuple(Index(i.name, _sized_axis(i.axis, sizes)) if isinstance(i, Index) else i for i in definition.free)
    return Definition(definition.array, free, with_sizes(definition.expr, sizes))


def mentions_positions(expr: Expr) -> bool:
    """Whether a place along an axis is named that may depend on its size: a fixed one, a shifted one, ``j + n``."""
    return any(
        isinstance(i, Affine) or (isinstance(i, int) and i != 0)
        for term in expr
        for factor, _ in term.factors
        for i in _index_expressions(factor)
    )


def _index_expressions(factor: Factor) -> tuple[IndexExpr, ...]:
    match factor:
        case Entry():
            return factor.indices
        case Delta():
            return (factor.over, factor.at)
        case Condition():
            return (factor.left, factor.right)
        case _:
            return ()


def _sized_factor(factor: Factor, sizes: Mapping[str, int]) -> Factor:
    match factor:
        case Entry():
            return _sized_entry(factor, sizes)
        case Delta():
            over = _sized(factor.over, sizes)
            assert isinstance(over, Index | int)
            return Delta(over, _sized(factor.at, sizes))
        case Mask():
            left, right = (
                _sized_entry(s, sizes) if isinstance(s, Entry) else s for s in (factor.left, factor.right)
            )
            return Mask(factor.relation, left, right)
        case Condition():
            return Condition(factor.relation, _sized(factor.left, sizes), _sized(factor.right, sizes))
        case Function():
            return Function(factor.name, tuple(_sized_entry(a, sizes) for a in factor.arguments))
        case Size():
            return Size(_sized_axis(factor.axis, sizes))


def _sized_entry(entry: Entry, sizes: Mapping[str, int]) -> Entry:
    return Entry(entry.array, tuple(_sized(i, sizes) for i in entry.indices))


def _sized(expr: IndexExpr, sizes: Mapping[str, int]) -> IndexExpr:
    match expr:
        case Index():
            return Index(expr.name, _sized_axis(expr.axis, sizes))
        case Entry():
            return _sized_entry(expr, sizes)
        case Affine():
            parts: list[tuple[Index | Entry, int | Axis]] = []
            for atom, coefficient in expr.parts:
                sized = _sized(atom, sizes)
                assert isinstance(sized, Index | Entry)
                parts.append((sized, sizes[coefficient.name] if isinstance(coefficient, Axis) else coefficient))
            return affine(parts, expr.constant + sum(sizes[a.name] for a in expr.sizes))
        case _:
            return expr


def _sized_axis(axis: Axis, sizes: Mapping[str, int]) -> Axis:
    return Axis(axis.name, size=sizes.get(axis.name))
