"""Matching a pattern with a part of a term, and replacing that part.

In come a lemma "this term equals that expression", whose free indices stand for any index expression,
and a term; out goes the term with the matching part replaced.  Invariant: replacement keeps the value: a
sum is replaced as a whole, over its whole axis, with nothing else under it; and no index is captured.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from msgspec import Struct

from tracer.calculus.algebra import freshen, indices_in, indices_in_term, make_term, multiply, substitute
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


class Lemma(Struct, frozen=True):
    """``pattern`` equals ``value`` for all values of its free indices.

    Attributes:
        pattern: one term, for example Σ_k T[i, k].
        value: an expression in the free indices of the pattern.
        says: what it states, in words: "rows of T sum to 1".
    """

    pattern: Term
    value: Expr
    says: str

    @property
    def usable(self) -> bool:
        """Whether a match determines every index of the value, and the pattern is more than a number."""
        free = indices_in_term(self.pattern) - frozenset(self.pattern.bound)
        return bool(self.pattern.factors) and indices_in(self.value) <= free


_Mapping = dict[Index, IndexExpr]


def rewrite(term: Term, lemma: Lemma) -> Expr | None:
    """The term with the first part that matches the lemma replaced; ``None`` if no part does."""
    pattern = lemma.pattern
    if len(pattern.bound) > len(term.bound) or len(pattern.factors) > len(term.factors):
        return None
    if not _shares_arrays(term, pattern):
        return None
    pattern_bound, bound = frozenset(pattern.bound), frozenset(term.bound)
    if pattern_bound & indices_in_term(term):
        pattern, value = _apart(lemma)
        pattern_bound = frozenset(pattern.bound)
    else:
        value = lemma.value
    for mapping, used in _matches(list(pattern.factors), term, {}, {}, pattern_bound, bound):
        images = [mapping.get(i) for i in pattern.bound]
        if any(not isinstance(i, Index) for i in images) or len(set(images)) < len(images):
            continue
        summed = frozenset(i for i in images if isinstance(i, Index))
        if any(indices_of(e) & summed for i, e in mapping.items() if i not in pattern_bound):
            continue
        if any(indices_of(f) & summed for f, _ in term.factors if f not in used):
            continue
        rest = make_term(
            term.coefficient / pattern.coefficient,
            tuple(i for i in term.bound if i not in summed),
            [(f, e - used.get(f, Fraction(0))) for f, e in term.factors],
        )
        if rest is None:
            return ()
        free = {i: e for i, e in mapping.items() if i not in pattern_bound}
        return _under_sums(rest, value, free)
    return None


def _under_sums(rest: Term, value: Expr, free: _Mapping) -> Expr | None:
    """rest · value, with the sums of ``rest`` around both: the value may mention what it sums over."""
    try:
        inner = substitute(tuple(freshen(t) for t in value), free)
    except NotRepresentable:
        return None
    product = multiply((Term(rest.coefficient, (), rest.factors),), inner)
    return tuple(Term(t.coefficient, rest.bound + t.bound, t.factors) for t in product)


def _apart(lemma: Lemma) -> tuple[Term, Expr]:
    return freshen(lemma.pattern), lemma.value


def _shares_arrays(term: Term, pattern: Term) -> bool:
    names = {_head(f) for f, _ in term.factors}
    return all(_head(f) in names for f, _ in pattern.factors)


def _head(factor: Factor) -> tuple[str, str]:
    match factor:
        case Entry():
            return "entry", factor.array
        case Function():
            return "function", factor.name
        case Size():
            return "size", factor.axis.name
        case Mask():
            return "mask", factor.relation
        case Condition():
            return "condition", factor.relation
        case Delta():
            return "delta", ""


def _matches(
    factors: list[tuple[Factor, Fraction]],
    term: Term,
    mapping: _Mapping,
    used: dict[Factor, Fraction],
    pattern_bound: frozenset[Index],
    bound: frozenset[Index],
) -> Iterator[tuple[_Mapping, dict[Factor, Fraction]]]:
    """All ways to find the factors of a pattern among those of a term."""
    if not factors:
        yield mapping, used
        return
    (wanted, exponent), *others = factors
    under_sum = bool(indices_of(wanted) & pattern_bound)
    for factor, available in term.factors:
        if factor in used or _head(factor) != _head(wanted):
            continue
        if under_sum or exponent.denominator != 1 or available.denominator != 1:
            enough = available == exponent
        else:
            enough = available >= exponent > 0 or available <= exponent < 0
        if not enough:
            continue
        extended = _unify_factor(wanted, factor, mapping, pattern_bound, bound)
        if extended is not None:
            yield from _matches(others, term, extended, {**used, factor: exponent}, pattern_bound, bound)


def _unify_factor(
    wanted: Factor,
    factor: Factor,
    mapping: _Mapping,
    pattern_bound: frozenset[Index],
    bound: frozenset[Index],
) -> _Mapping | None:
    pairs: list[tuple[IndexExpr, IndexExpr]]
    match wanted, factor:
        case Entry(), Entry():
            pairs = [(wanted, factor)]
        case Function(), Function():
            if len(wanted.arguments) != len(factor.arguments):
                return None
            pairs = list(zip(wanted.arguments, factor.arguments, strict=True))
        case Mask(), Mask():
            pairs = []
            for a, b in ((wanted.left, factor.left), (wanted.right, factor.right)):
                if isinstance(a, Entry) and isinstance(b, Entry):
                    pairs.append((a, b))
                elif a != b:
                    return None
        case Delta(), Delta():
            pairs = [(wanted.over, factor.over), (wanted.at, factor.at)]
        case Condition(), Condition():
            pairs = [(wanted.left, factor.left), (wanted.right, factor.right)]
        case _:
            return mapping if wanted == factor else None
    result: _Mapping | None = mapping
    for one, other in pairs:
        if result is not None:
            result = _unify(one, other, result, pattern_bound, bound)
    return result


def _unify(
    wanted: IndexExpr,
    found: IndexExpr,
    mapping: _Mapping,
    pattern_bound: frozenset[Index],
    bound: frozenset[Index],
) -> _Mapping | None:
    if isinstance(wanted, Index):
        if wanted in mapping:
            return mapping if mapping[wanted] == found else None
        if wanted in pattern_bound and not (
            isinstance(found, Index) and found in bound and found.axis == wanted.axis
        ):
            return None
        return {**mapping, wanted: found}
    if isinstance(wanted, Entry):
        if not isinstance(found, Entry) or wanted.array != found.array:
            return None
        if len(wanted.indices) != len(found.indices):
            return None
        result: _Mapping | None = mapping
        for one, other in zip(wanted.indices, found.indices, strict=True):
            if result is not None:
                result = _unify(one, other, result, pattern_bound, bound)
        return result
    if isinstance(wanted, Affine) and indices_of(wanted):
        return None
    return mapping if wanted == found else None
