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
    Delta,
    Entry,
    Expr,
    Factor,
    Function,
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
    """The expression with the sizes in its index expressions as numbers: what holds for these sizes only."""
    result = []
    for term in expr:
        if not any(_mentions_sizes(i) for f, _ in term.factors for i in _index_expressions(f)):
            result.append(term)
            continue
        new = make_term(term.coefficient, term.bound, [(_sized_factor(f, sizes), e) for f, e in term.factors])
        if new is not None:
            result.append(new)
    return tuple(result)


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


def _mentions_sizes(expr: IndexExpr) -> bool:
    return isinstance(expr, Affine) and bool(expr.sizes or any(isinstance(c, Axis) for _, c in expr.parts))


def _sized_factor(factor: Factor, sizes: Mapping[str, int]) -> Factor:
    match factor:
        case Entry():
            return Entry(factor.array, tuple(_sized(i, sizes) for i in factor.indices))
        case Delta():
            return Delta(factor.over, _sized(factor.at, sizes))
        case Condition():
            return Condition(factor.relation, _sized(factor.left, sizes), _sized(factor.right, sizes))
        case _:
            return factor


def _sized(expr: IndexExpr, sizes: Mapping[str, int]) -> IndexExpr:
    if not isinstance(expr, Affine):
        return expr
    parts = ((a, sizes[c.name] if isinstance(c, Axis) else c) for a, c in expr.parts)
    return affine(parts, expr.constant + sum(sizes[a.name] for a in expr.sizes))
