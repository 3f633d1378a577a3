"""Contraction: sums over Kronecker deltas are carried out.

In comes an expression with deltas, as differentiation makes them; out goes one in which every delta
that can be summed away is gone.  Invariant: the value is the same for all sizes and all arrays.

Σ_i δ(i, e) f(i) = f(e) needs no condition, because a delta is directed: ``e`` lies in the range of ``i``.
The other way round, Σ_k δ(a, k) f(k) = f(a), needs ``a`` in the range of ``k``, so equal axes.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from tracer.calculus.algebra import make_term, replace_in_factor
from tracer.calculus.indexing import NotRepresentable, indices_of
from tracer.calculus.terms import (
    Affine,
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

#: A substitution that a contraction made: this bound index became that expression.
Substitution = tuple[Index, IndexExpr]


def contract(expr: Expr, record: list[Substitution] | None = None) -> Expr:
    """Sum away every delta that can be; each substitution made is appended to ``record``."""
    contracted = (contract_term(term, record) for term in expr)
    return tuple(t for t in contracted if t is not None)


def contract_term(term: Term, record: list[Substitution] | None = None) -> Term | None:
    """One term contracted, or ``None`` if it is zero."""
    current: Term | None = term
    while current is not None:
        if not any(isinstance(f, Delta) for f, _ in current.factors):
            return _count_unused(current)
        advanced = _contract_once(current, record)
        if advanced is current:
            advanced = _use_remaining(current)
            if advanced is current:
                return _count_unused(current)
        current = advanced
    return None


def _contract_once(term: Term, record: list[Substitution] | None) -> Term | None:
    """Carry out one sum over a delta; the term itself if there is none to carry out."""
    bound = set(term.bound)
    for factor, _ in term.factors:
        if not isinstance(factor, Delta):
            continue
        over, at = factor.over, factor.at
        choices: list[Substitution] = []
        if isinstance(over, Index) and over in bound and over not in indices_of(at):
            choices.append((over, at))
        if isinstance(at, Index) and at in bound and isinstance(over, Index) and over.axis == at.axis:
            choices.append((at, over))
        for index, replacement in choices:
            rest = [(f, e) for f, e in term.factors if f is not factor]
            try:
                replaced = [(replace_in_factor(f, {index: replacement}), e) for f, e in rest]
            except NotRepresentable:
                continue
            if record is not None:
                record.append((index, replacement))
            return make_term(term.coefficient, tuple(i for i in term.bound if i != index), replaced)
    return term


def _use_remaining(term: Term) -> Term | None:
    """Where a delta stays, write equal things alike in the other factors, so that equal terms look equal."""
    bound = set(term.bound)
    for factor, _ in term.factors:
        if not isinstance(factor, Delta):
            continue
        over, at = factor.over, factor.at
        rewrite: Callable[[Factor], Factor]
        if isinstance(at, Entry) and isinstance(over, Index) and over not in indices_of(at):
            old, new = at, over

            def rewrite(f: Factor, old: Entry = old, new: Index = new) -> Factor:
                return _replace_look_up(f, old, new)

        elif (
            isinstance(over, Index)
            and (isinstance(at, (Affine, int)) or (isinstance(at, Index) and at.axis != over.axis))
            and over not in indices_of(at)
        ):
            mapping: dict[Index, IndexExpr] = {over: at}

            def rewrite(f: Factor, mapping: dict[Index, IndexExpr] = mapping) -> Factor:
                return replace_in_factor(f, mapping)

        elif (
            isinstance(over, Index)
            and isinstance(at, Index)
            and over.axis == at.axis
            and over not in bound
            and at not in bound
        ):
            first, second = sorted((over, at), key=lambda i: i.name)
            mapping = {second: first}

            def rewrite(f: Factor, mapping: dict[Index, IndexExpr] = mapping) -> Factor:
                return replace_in_factor(f, mapping)

        else:
            continue
        try:
            factors = [(f if f is factor else rewrite(f), e) for f, e in term.factors]
        except NotRepresentable:
            continue
        if any(new_factor != f for (new_factor, _), (f, _) in zip(factors, term.factors, strict=True)):
            return make_term(term.coefficient, term.bound, factors)
    return term


def _replace_look_up(factor: Factor, old: Entry, new: Index) -> Factor:
    """A look-up such as ``y[i]`` replaced by an index that equals it, only where it stands as an index."""
    match factor:
        case Entry():
            return _replace_in_entry(factor, old, new)
        case Delta():
            at = _replace_in_index(factor.at, old, new)
            return Delta(factor.over, at)
        case Condition():
            return Condition(
                factor.relation,
                _replace_in_index(factor.left, old, new),
                _replace_in_index(factor.right, old, new),
            )
        case Function():
            return Function(factor.name, tuple(_replace_in_entry(a, old, new) for a in factor.arguments))
        case Mask():
            left, right = (
                _replace_in_entry(s, old, new) if isinstance(s, Entry) else s
                for s in (factor.left, factor.right)
            )
            return Mask(factor.relation, left, right)
        case _:
            return factor


def _replace_in_entry(entry: Entry, old: Entry, new: Index) -> Entry:
    return Entry(entry.array, tuple(_replace_in_index(i, old, new) for i in entry.indices))


def _replace_in_index(expr: IndexExpr, old: Entry, new: Index) -> IndexExpr:
    if isinstance(expr, Entry):
        return new if expr == old else _replace_in_entry(expr, old, new)
    return expr


def _count_unused(term: Term) -> Term:
    """Σ_i of something without i is the size of the axis times it."""
    if not term.bound:
        return term
    used = frozenset().union(*[indices_of(f) for f, _ in term.factors])
    unused = [i for i in term.bound if i not in used]
    if not unused:
        return term
    sizes = [(Size(i.axis), Fraction(1)) for i in unused]
    result = make_term(term.coefficient, tuple(i for i in term.bound if i in used), [*term.factors, *sizes])
    assert result is not None
    return result
