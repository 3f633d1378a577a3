"""Proof that two expressions are equal, for all sizes and all values.

In come two expressions with the same free indices, definitions and lemmas; out goes a `Proof`.
Invariant, above all: what differs is never proved.  What is not proved may still be equal.

The difference is tested for zero: as it is; unfolded and rewritten; as a rational function
cancelled by SymPy; and last under the assumption that no value that is compared with another is exactly equal to it.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from tracer.calculus.adjoint import TooLarge
from tracer.calculus.algebra import ONE, add, arrays_in, constant, multiply, of_factor, scale, substitute
from tracer.calculus.canonical import factor_text, simplify, term_key
from tracer.calculus.indexing import entry_text, indices_of
from tracer.calculus.patterns import Lemma
from tracer.calculus.rewriting import Rewriter, ancestors
from tracer.calculus.terms import (
    Condition,
    Definition,
    Delta,
    Entry,
    Expr,
    Factor,
    Index,
    Mask,
    Term,
)


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether two expressions are equal, and what that rests on.

    Attributes:
        proved: whether they are; ``False`` means not proved.
        left, right: their normal forms.
        used: the arrays whose definitions were used, what lemmas say, and assumptions about ties.
        difference: the normal form of left − right; empty if proved.
    """

    proved: bool
    left: Expr
    right: Expr
    used: tuple[str, ...]
    difference: Expr


def prove_equal(
    a: Expr,
    b: Expr,
    definitions: Mapping[str, Definition],
    *,
    keep: Iterable[str] = frozenset(),
    lemmas: Iterable[Lemma] = (),
    budget_seconds: float = 1.0,
) -> Proof:
    """Try to prove that two expressions are equal.

    Args:
        a, b: expressions in the same free indices.
        definitions: what arrays are; in program order.
        keep: arrays that stand for themselves, such as adjoints that are proved already.
        lemmas: equalities to rely on; those that were used are named in the proof.
        budget_seconds: after this time it is not proved.
    """
    start = time.perf_counter()
    difference = simplify(add(a, scale(b, -1)))
    if not difference:
        return Proof(True, simplify(a), simplify(b), (), ())
    lemmas = tuple(lemmas)
    names = arrays_in(difference).union(*(arrays_in((lemma.pattern,)) for lemma in lemmas))
    rewriter = Rewriter(ancestors(names, definitions), lemmas, keep)
    try:
        normal = rewriter.normal(difference, budget_seconds)
    except TooLarge:
        return Proof(False, simplify(a), simplify(b), (), difference)
    used = dict(rewriter.used)
    if normal:
        left_over = budget_seconds - (time.perf_counter() - start)
        normal = _cancelled(normal, rewriter) if left_over > 0 else normal
    if normal:
        untied, ties = without_ties(normal)
        if ties and not _cancelled(simplify(untied), rewriter):
            normal = ()
            used.update(dict.fromkeys(ties))
    left, right = (_normal_or_plain(rewriter, e, budget_seconds) for e in (a, b))
    return Proof(not normal, left, right, tuple(used), normal)


def _normal_or_plain(rewriter: Rewriter, expr: Expr, budget_seconds: float) -> Expr:
    try:
        return rewriter.normal(expr, budget_seconds)
    except TooLarge:
        return simplify(expr)


def without_ties(expr: Expr) -> tuple[Expr, tuple[str, ...]]:
    """[b > a] written as 1 − [a > b], which holds where a ≠ b; and what must not be equal."""
    ties: dict[str, None] = {}
    result: Expr = ()
    for term in expr:
        kept: list[tuple[Factor, Fraction]] = []
        factors: Expr = constant(1)
        for factor, exponent in term.factors:
            turned = _turned(factor)
            if turned is None:
                kept.append((factor, exponent))
                continue
            left, right = (_side_text(s) for s in (turned.left, turned.right))
            ties[f"no entry of {left} equals {right}"] = None
            factors = multiply(factors, add(constant(1), scale(of_factor(turned), -1)))
        product = multiply((Term(term.coefficient, (), tuple(kept)),), factors)
        result += tuple(Term(t.coefficient, term.bound + t.bound, t.factors) for t in product)
    return result, tuple(ties)


def _turned(factor: Factor) -> Mask | None:
    """The opposite mask, if this one is written the wrong way round."""
    if not isinstance(factor, Mask) or factor.relation != ">":
        return None
    left, right = factor.left, factor.right
    if isinstance(right, Fraction):
        return None
    if isinstance(left, Fraction) or entry_text(left) > entry_text(right):
        return Mask(">", right, left)
    return None


def _side_text(side: Entry | Fraction) -> str:
    return side.array if isinstance(side, Entry) else str(side)


def _cancelled(expr: Expr, rewriter: Rewriter) -> Expr:
    """The terms whose sum is not zero as a rational function of the entries, by SymPy's ``cancel``."""
    groups: dict[str, list[Term]] = {}
    for term in expr:
        bound = frozenset(term.bound)
        frame = tuple(
            (f, e)
            for f, e in term.factors
            if isinstance(f, (Delta, Mask, Condition)) or indices_of(f) & bound
        )
        groups.setdefault(term_key(Term(ONE, term.bound, frame)), []).append(term)
    remaining: list[Term] = []
    for terms in groups.values():
        frame_factors: set[Factor] = {
            f for t in terms for f, _ in t.factors if isinstance(f, (Delta, Mask, Condition))
        }
        if len(terms) > 1 and _is_zero_rationally(terms, frame_factors, rewriter):
            continue
        remaining += terms
    return tuple(remaining)


def _is_zero_rationally(terms: list[Term], frame: set[Factor], rewriter: Rewriter) -> bool:
    import sympy

    symbols: dict[str, Any] = {}
    total = sympy.Integer(0)
    for term in terms:
        bound = frozenset(term.bound)
        product = sympy.Rational(term.coefficient.numerator, term.coefficient.denominator)
        for factor, exponent in term.factors:
            if factor in frame or indices_of(factor) & bound:
                continue
            base = _rational(factor, rewriter, symbols, 0)
            product *= base ** sympy.Rational(exponent.numerator, exponent.denominator)
        total += product
    if len(symbols) > 24:
        return False
    return bool(sympy.cancel(sympy.together(total)) == 0)


def _rational(factor: Factor, rewriter: Rewriter, symbols: dict[str, Any], depth: int) -> Any:
    """A factor as a rational function of entries that have no such definition themselves."""
    import sympy

    definition = rewriter.definitions.get(factor.array) if isinstance(factor, Entry) else None
    if (
        isinstance(factor, Entry)
        and definition is not None
        and factor.array not in rewriter.keep
        and depth < 12
    ):
        entries = all(
            isinstance(f, Entry) and e.denominator == 1 for t in definition.expr for f, e in t.factors
        )
        if definition.expr and entries and not any(t.bound for t in definition.expr):
            mapping = {
                f: i for f, i in zip(definition.free, factor.indices, strict=True) if isinstance(f, Index)
            }
            total = sympy.Integer(0)
            for term in substitute(definition.expr, mapping):
                product = sympy.Rational(term.coefficient.numerator, term.coefficient.denominator)
                for inner, exponent in term.factors:
                    product *= _rational(inner, rewriter, symbols, depth + 1) ** int(exponent)
                total += product
            return total
    text = factor_text(factor)
    if text not in symbols:
        symbols[text] = sympy.Symbol(f"u{len(symbols)}", real=True)
    return symbols[text]
