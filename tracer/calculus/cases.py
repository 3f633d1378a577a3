"""Proof by cases of the sign: |z| is z where z is positive, and −z where it is negative.

In comes an expression and definitions in which masks [z > 0] stand, also inside exponentials; out goes whether
the expression is zero in every case.  Invariant: the cases are told apart for one entry of z only, the same in every
term, and the expression depends on no other entry of z; so each case may be assumed for all of z.

A sum Σ_i f(z[i]) is zero if f is, which is what is tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from tracer.calculus.algebra import arrays_in, make_term, substitute
from tracer.calculus.canonical import simplify
from tracer.calculus.definitions import WHERE, ancestors, at_entry
from tracer.calculus.indexing import NotRepresentable
from tracer.calculus.masked import look_ups
from tracer.calculus.terms import Definition, Entry, Expr, Factor, Function, Mask, Term

#: The normal form of the expression in which some array stands for itself, and the definitions in its terms.
Keeping = Callable[[str], tuple[Expr, Mapping[str, Definition]] | None]
#: Whether an expression is zero by these definitions.
IsZero = Callable[[Expr, Mapping[str, Definition]], bool]
#: Definitions are followed so deep to see which entries of z they read.
_DEPTH = 12
#: So many arrays are tried.
_MOST = 3


class Cases(Struct, frozen=True):
    """That an expression is zero in every case, and whether the entry must not be exactly 0 for that."""

    array: str
    tie: bool


def by_cases(
    expr: Expr, definitions: Mapping[str, Definition], keeping: Keeping, is_zero: IsZero
) -> Cases | None:
    """Try the cases of the sign of an array; ``None`` if there is none for which the expression is zero in each.

    Args:
        expr: what may be zero; the arrays that it, or what it rests on, compares with 0 are tried.
        definitions: what arrays are.
        keeping: gives the normal form of the expression in terms of an array, and its definitions.
        is_zero: tests an expression by definitions in which the signs of the array are known.
    """
    for array in list(_compared(expr, ancestors(arrays_in(expr), definitions)))[:_MOST]:
        kept = keeping(array)
        summand = None if kept is None else without_sums(kept[0])
        if kept is None or summand is None:
            continue
        reached = ancestors(arrays_in(summand), kept[1])
        places = _read(summand, array, reached)
        if places is None or len(places) != 1:
            continue
        if all(is_zero(*_assumed(summand, array, sign, reached)) for sign in (1, -1)):
            return Cases(array, not is_zero(*_assumed(summand, array, 0, reached)))
    return None


def without_sums(expr: Expr) -> Expr | None:
    """The summand of a sum whose terms are all summed over the same axes; ``None`` if they are not."""
    if not expr:
        return None
    names = [sorted(t.bound, key=lambda i: i.axis.name) for t in expr]
    axes = [[i.axis for i in bound] for bound in names]
    if any(a != axes[0] or len(set(a)) < len(a) for a in axes):
        return None
    result: list[Term] = []
    for term, bound in zip(expr, names, strict=True):
        alone = Term(term.coefficient, (), term.factors)
        try:
            result += substitute((alone,), dict(zip(bound, names[0], strict=True)))
        except NotRepresentable:
            return None
    return tuple(result)


def _compared(expr: Expr, definitions: Mapping[str, Definition]) -> dict[str, None]:
    """The arrays that are compared with 0."""
    found: dict[str, None] = {}
    for terms in (expr, *(d.expr for d in definitions.values())):
        for term in terms:
            for factor, _ in term.factors:
                if isinstance(factor, Mask) and 0 in (factor.left, factor.right):
                    found.update((s.array, None) for s in (factor.left, factor.right) if isinstance(s, Entry))
    return found


def _entries(factor: Factor) -> Iterator[Entry]:
    match factor:
        case Entry():
            yield factor
        case Function():
            yield from factor.arguments
        case Mask():
            yield from (s for s in (factor.left, factor.right) if isinstance(s, Entry))


def _read(expr: Expr, array: str, definitions: Mapping[str, Definition]) -> set[tuple[object, ...]] | None:
    """At which indices an expression reads an array, directly or through definitions.

    ``None`` if it reads it under a sum, or if places that entries are looked up at rest on it.
    """
    resting = {array} | {n for n in definitions if array in ancestors_of(n, definitions)}
    found: set[tuple[object, ...]] = set()

    def visit(terms: Expr, depth: int) -> bool:
        for term in terms:
            for factor, _ in term.factors:
                if any(e.array in resting or e.array.rpartition(WHERE)[0] in resting for e in look_ups(factor)):
                    return False
                for entry in _entries(factor):
                    if entry.array == array:
                        if set(entry.indices) & set(term.bound):
                            return False
                        found.add(entry.indices)
                    elif entry.array in resting:
                        if not depth or term.bound:
                            return False
                        try:
                            inner = at_entry(definitions[entry.array], entry)
                        except NotRepresentable:
                            return False
                        if not visit(inner, depth - 1):
                            return False
        return True

    return found if visit(expr, _DEPTH) else None


def ancestors_of(name: str, definitions: Mapping[str, Definition]) -> frozenset[str]:
    """The arrays that the definition of an array rests on, those without a definition too."""
    reached = ancestors((name,), definitions)
    return frozenset().union(*(arrays_in(d.expr) for d in reached.values()))


def _assumed(
    expr: Expr, array: str, sign: int, definitions: Mapping[str, Definition]
) -> tuple[Expr, dict[str, Definition]]:
    """The expression and the definitions, where all entries of the array have a sign, or are 0."""
    others = {
        n: Definition(n, d.free, simplify(_decided(d.expr, array, sign)))
        for n, d in definitions.items()
        if n != array
    }
    return simplify(_decided(expr, array, sign)), others


def _decided(expr: Expr, array: str, sign: int) -> Expr:
    result: list[Term] = []
    for term in expr:
        decided = [_value(f, array, sign) for f, _ in term.factors]
        if 0 in decided or (not sign and any(isinstance(f, Entry) and f.array == array for f, _ in term.factors)):
            continue
        factors = [fe for fe, value in zip(term.factors, decided, strict=True) if value is None]
        made = make_term(term.coefficient, term.bound, factors)
        if made is not None:
            result.append(made)
    return tuple(result)


def _value(factor: Factor, array: str, sign: int) -> int | None:
    """0 or 1 for a mask that compares an entry of the array with 0; ``None`` for any other factor."""
    if not isinstance(factor, Mask):
        return None
    for entry, other, turned in ((factor.left, factor.right, 1), (factor.right, factor.left, -1)):
        if isinstance(entry, Entry) and entry.array == array and other == 0:
            if factor.relation == "==":
                return int(sign == 0)
            return int(sign * turned > 0) if factor.relation == ">" else None
    return None
