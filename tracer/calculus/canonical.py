"""Canonical form: like terms are collected, and equality becomes a test for zero.

In comes any expression; out goes an equal one in which every term is contracted and no two terms are
the same up to the names of bound indices and the order of factors.  Invariant: two terms with equal
keys are equal for all sizes and all arrays (sound); equal expressions may still have different keys
(it is not complete: rewriting with definitions is in `rewriting`).

The keys come from colour refinement of the bound indices (as in graph canonisation), done for each
connected component of the term by itself, so that (Σ_i x_i)^k costs k keys and not k! permutations.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache

from tracer.calculus.algebra import add, scale
from tracer.calculus.contraction import contract_term
from tracer.calculus.indexing import entry_text, index_text, indices_of
from tracer.calculus.terms import (
    Condition,
    Delta,
    Entry,
    Expr,
    Factor,
    Function,
    Index,
    Mask,
    Size,
    Term,
)

#: Components with more equally coloured indices than this keep the names they have: sound, less complete.
MOST_ARRANGEMENTS = 5040

_NO_NAMES: Mapping[Index, str] = {}


def factor_text(factor: Factor, names: Mapping[Index, str] = _NO_NAMES) -> str:
    """A text of the factor, the same for equal ones; ``names`` says how indices are written."""
    match factor:
        case Entry():
            return entry_text(factor, names)
        case Size():
            return f"|{factor.axis.name}|"
        case Delta():
            one, other = sorted((index_text(factor.over, names), index_text(factor.at, names)))
            return f"d({one},{other})"
        case Mask():
            left, right = (
                entry_text(s, names) if isinstance(s, Entry) else str(s) for s in (factor.left, factor.right)
            )
            if factor.relation == "==" and right < left:
                left, right = right, left
            return f"[{left}{factor.relation}{right}]"
        case Condition():
            left, right = index_text(factor.left, names), index_text(factor.right, names)
            if factor.relation == "==" and right < left:
                left, right = right, left
            return f"<{left}{factor.relation}{right}>"
        case Function():
            return f"{factor.name}({','.join(entry_text(a, names) for a in factor.arguments)})"


def _product_text(factors: list[tuple[Factor, Fraction]], names: Mapping[Index, str]) -> str:
    return "|".join(sorted([f"{factor_text(f, names)}^{e}" for f, e in factors]))


def term_key(term: Term) -> str:
    """A text that two terms share only if they are equal up to their coefficients."""
    return _key(term.bound, term.factors)


@lru_cache(maxsize=1 << 14)
def _key(over: tuple[Index, ...], product: tuple[tuple[Factor, Fraction], ...]) -> str:
    if not over:
        return _product_text(list(product), _NO_NAMES)
    bound = frozenset(over)
    components: list[tuple[set[Index], list[tuple[Factor, Fraction]]]] = []
    outside: list[tuple[Factor, Fraction]] = []
    for factor, exponent in product:
        touched = indices_of(factor) & bound
        if not touched:
            outside.append((factor, exponent))
            continue
        indices, factors = set(touched), [(factor, exponent)]
        for component in [c for c in components if not c[0].isdisjoint(touched)]:
            indices |= component[0]
            factors = component[1] + factors
            components.remove(component)
        components.append((indices, factors))
    keys = sorted(_component_key(sorted(i, key=lambda x: x.name), f) for i, f in components)
    unused = sorted(i.axis.name for i in bound.difference(*[c[0] for c in components]))
    return "&".join([*keys, *(f"|{name}|" for name in unused), _product_text(outside, _NO_NAMES)])


def _component_key(bound: list[Index], factors: list[tuple[Factor, Fraction]]) -> str:
    """The key of one connected sum: refine colours of its indices, then try the orders that are left."""
    if len(bound) == 1:
        return f"S$0:{bound[0].axis.name} " + _product_text(factors, {bound[0]: "$0"})
    colours = {i: f"#{i.axis.name}" for i in bound}
    around = {i: [(f, e) for f, e in factors if i in indices_of(f)] for i in bound}
    classes = len(set(colours.values()))
    while True:
        signatures = {i: f"{colours[i]}{{{_product_text(around[i], {**colours, i: '@'})}}}" for i in bound}
        order = {text: n for n, text in enumerate(sorted(set(signatures.values())))}
        colours = {i: f"#{order[signatures[i]]}" for i in bound}
        if len(order) == classes or len(order) == len(bound):
            break
        classes = len(order)
    ranked = sorted(bound, key=lambda i: order[signatures[i]])
    groups = [list(g) for _, g in itertools.groupby(ranked, key=lambda i: order[signatures[i]])]
    arrangements = 1
    for group in groups:
        for n in range(2, len(group) + 1):
            arrangements *= n
    if arrangements > MOST_ARRANGEMENTS:
        head = "S" + ",".join(f"{i.name}:{i.axis.name}" for i in ranked)
        return head + " " + _product_text(factors, {i: f"${i.name}" for i in ranked})
    head = "S" + ",".join(f"${n}:{i.axis.name}" for n, i in enumerate(ranked)) + " "
    return head + min(
        _product_text(factors, {i: f"${n}" for n, i in enumerate(itertools.chain.from_iterable(choice))})
        for choice in itertools.product(*[itertools.permutations(g) for g in groups])
    )


def simplify(expr: Expr) -> Expr:
    """An equal expression, contracted, with like terms collected and terms in a fixed order."""
    return tuple(term for _, term in _collect(expr))


def canonical_key(expr: Expr) -> tuple[tuple[str, Fraction], ...]:
    """A key that two expressions share only if they are equal for all sizes and all arrays."""
    return tuple((key, term.coefficient) for key, term in _collect(expr))


def is_zero(expr: Expr) -> bool:
    """Whether the expression is plainly zero; ``False`` may also mean that it was not seen."""
    return not _collect(expr)


def equal(a: Expr, b: Expr) -> bool:
    """Whether the two are plainly equal; ``False`` may also mean that it was not seen."""
    return is_zero(add(a, scale(b, -1)))


def _collect(expr: Expr) -> list[tuple[str, Term]]:
    collected: dict[str, Term] = {}
    for term in expr:
        contracted = contract_term(term)
        if contracted is None or _contradicts_itself(contracted):
            continue
        key = term_key(contracted)
        if key in collected:
            former = collected[key]
            collected[key] = Term(former.coefficient + contracted.coefficient, former.bound, former.factors)
        else:
            collected[key] = contracted
    return [(key, collected[key]) for key in sorted(collected) if collected[key].coefficient]


def _contradicts_itself(term: Term) -> bool:
    """Whether it has both the masks [a > b] and [b > a], or [a > b] and [a == b]."""
    masks = [f for f, _ in term.factors if isinstance(f, Mask)]
    if len(masks) < 2:
        return False
    above = {(m.left, m.right) for m in masks if m.relation == ">"}
    same = {(m.left, m.right) for m in masks if m.relation == "=="}
    return any((b, a) in above or (a, b) in same or (b, a) in same for a, b in above)
