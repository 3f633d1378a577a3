"""Proof that two expressions are equal, for all sizes and all values.

In come two expressions with the same free indices, definitions and lemmas; out goes a `Proof`.
Invariant, above all: what differs is never proved.  What is not proved may still be equal.  Nothing is proved of complex
numbers, and nothing is unfolded that was made from them.

The difference is tested for zero: as it is; unfolded and rewritten; as a rational function
cancelled by SymPy; under the assumption that no two values that are compared are exactly equal; and last in
the cases of the sign of what is compared with 0.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from tracer.calculus.adjoint import TooLarge
from tracer.calculus.algebra import add, arrays_in, constant, multiply, of_factor, scale
from tracer.calculus.canonical import simplify
from tracer.calculus.cases import IsZero, Keeping, by_cases
from tracer.calculus.complex_values import holds_complex, of_real_numbers
from tracer.calculus.definitions import ancestors, at_entry, only_factor
from tracer.calculus.indexing import NotRepresentable, entry_text
from tracer.calculus.patterns import Lemma
from tracer.calculus.rational import cancelled
from tracer.calculus.renaming import definition_with_sizes, mentions_positions, rename_arrays, with_sizes
from tracer.calculus.rewriting import Rewriter
from tracer.calculus.symmetric import unmarked
from tracer.calculus.terms import (
    Axis,
    Definition,
    Delta,
    Entry,
    Expr,
    Factor,
    Index,
    Mask,
    Term,
)

#: What a proof relies on that holds for some sizes only.
SIZES_OF_THIS_RUN = "the sizes are those of this run"


class Proof(Struct, frozen=True):
    """Whether two expressions are equal, and what that rests on.

    Attributes:
        proved: whether they are; ``False`` means not proved.
        left, right: their normal form if they are equal, else both as they are.
        used: the arrays whose definitions were used, what lemmas say, and assumptions about ties.
        difference: the normal form of left − right; empty if proved.
    """

    proved: bool
    left: Expr
    right: Expr
    used: tuple[str, ...]
    difference: Expr


#: Most equalities follow from so many definitions nearest to them; what those rest on stands for itself at first.
_NEAR = 300
#: And no more than so many are looked at: with thousands of them it takes long to find out that nothing follows.
_FAR = 1000


def prove_equal(
    a: Expr,
    b: Expr,
    definitions: Mapping[str, Definition],
    *,
    keep: Iterable[str] = frozenset(),
    aside: Iterable[str] = frozenset(),
    lemmas: Iterable[Lemma] = (),
    sizes: Mapping[str, int] | None = None,
    counts: Mapping[Axis, Entry] | None = None,
    symmetric: Mapping[str, str] | None = None,
    budget_seconds: float = 1.0,
) -> Proof:
    """Try to prove that two expressions are equal.

    Args:
        a, b: expressions in the same free indices.
        definitions: what arrays are; in program order.
        keep: arrays that stand for themselves, such as adjoints that are proved already.
        aside: arrays that stand for themselves at first: what they are made from seldom matters.
        lemmas: equalities to rely on; those that were used are named in the proof.
        sizes: if given, and there is no proof for all sizes, one is tried for these sizes where places along
            axes are named (``A[:, 5:10]`` beside ``hstack``); the proof says so.
        counts: the scalars of the program that hold the sizes of axes.
        symmetric: if given, a proof is also tried in which arrays that equal their transposes are known as such: those
            that are seen to by their definitions, and these inputs, each with what says so.
        budget_seconds: after this time it is not proved.
    """
    lemmas, keep, aside = tuple(lemmas), tuple(keep), frozenset(aside)
    start = time.thread_time()
    names = arrays_in(a).union(arrays_in(b), *(arrays_in((lemma.pattern,)) for lemma in lemmas))
    if aside:
        near = ancestors(names, {n: d for n, d in definitions.items() if n not in aside}, _NEAR)
        if any(not aside.isdisjoint(arrays_in(d.expr)) for d in near.values()):
            proof = _prove(a, b, near, keep, lemmas, budget_seconds / 2, counts)
            if proof.proved:
                return proof
    if len(definitions) > _NEAR:
        near = ancestors(names, definitions, _NEAR)
        proof = _prove(a, b, near, keep, lemmas, budget_seconds / 2, counts)
        if proof.proved:
            return proof
        definitions = ancestors(names, definitions, _FAR)
        if len(definitions) > len(near):
            proof = _prove(a, b, definitions, keep, lemmas, budget_seconds, counts)
    else:
        proof = _prove(a, b, definitions, keep, lemmas, budget_seconds, counts)
    left_over = budget_seconds - (time.thread_time() - start)
    if not proof.proved and keep and left_over > budget_seconds / 2:
        unfolded = _prove(a, b, definitions, (), lemmas, left_over, counts)  # what is kept may have to do with the rest
        proof = unfolded if unfolded.proved else proof
    left_over = budget_seconds - (time.thread_time() - start)
    if not proof.proved and symmetric is not None and left_over > budget_seconds / 4:
        either_way = _prove(a, b, definitions, keep, lemmas, left_over, counts, symmetric)
        proof = either_way if either_way.proved else proof
    if proof.proved or sizes is None:
        return proof
    reached = ancestors(arrays_in(a) | arrays_in(b), definitions)
    if time.thread_time() - start > budget_seconds / 2 or not any(mentions_positions(d.expr) for d in reached.values()):
        return proof
    numbered = {n: definition_with_sizes(d, sizes) for n, d in reached.items()}
    told = tuple(Lemma(with_sizes((i.pattern,), sizes)[0], with_sizes(i.value, sizes), i.says) for i in lemmas)
    left_over = budget_seconds - (time.thread_time() - start)
    of_this_run = _prove(with_sizes(a, sizes), with_sizes(b, sizes), numbered, keep, told, left_over)
    if not of_this_run.proved:
        return proof
    return replace(of_this_run, used=(*of_this_run.used, SIZES_OF_THIS_RUN))


def _prove(
    a: Expr,
    b: Expr,
    definitions: Mapping[str, Definition],
    keep: tuple[str, ...],
    lemmas: tuple[Lemma, ...],
    budget_seconds: float,
    counts: Mapping[Axis, Entry] | None = None,
    symmetric: Mapping[str, str] | None = None,
) -> Proof:
    start = time.thread_time()
    difference = simplify(add(a, scale(b, -1)))
    if holds_complex(a) or holds_complex(b):
        return Proof(False, simplify(a), simplify(b), (), difference)  # what is relied on here is true of real numbers
    if not difference:
        return Proof(True, simplify(a), simplify(b), (), ())
    names = arrays_in(difference).union(*(arrays_in((lemma.pattern,)) for lemma in lemmas))
    known = of_real_numbers(ancestors(names, definitions))
    rewriter = Rewriter(known, lemmas, keep, counts=counts, symmetric=symmetric)
    try:
        normal = rewriter.normal(difference, budget_seconds)
    except (TooLarge, NotRepresentable):
        return Proof(False, simplify(a), simplify(b), (), difference)
    reached = names.union(*(arrays_in(d.expr) for d in known.values()))
    used = {**rewriter.used, **{says: None for array, says in (symmetric or {}).items() if array in reached}}
    if normal:
        left_over = budget_seconds - (time.thread_time() - start)
        normal = cancelled(normal, rewriter.definitions, rewriter.keep) if left_over > 0 else normal
    if normal:
        untied, ties = without_ties(normal, rewriter.definitions)
        if ties and not cancelled(simplify(untied), rewriter.definitions, rewriter.keep):
            normal = ()
            used.update(dict.fromkeys(ties))
    if normal and symmetric is None:
        deadline = start + budget_seconds
        cases = by_cases(
            rename_arrays(difference, rewriter.same),
            rewriter.definitions,
            _keeping(difference, known, keep, lemmas, counts, deadline),
            _zero_test(keep, lemmas, counts, deadline),
        )
        if cases is not None:
            normal = ()
            used.update({f"no entry of `{cases.array}` equals 0": None} if cases.tie else {cases.array: None})
    if normal:
        return Proof(False, simplify(a), simplify(b), (), rewriter.joined(normal))
    form = rewriter.joined(_normal_or_plain(rewriter, a, budget_seconds))  # equal things have one normal form
    names_used = dict.fromkeys(rewriter.squares.get(name, name) for name in map(unmarked, used))
    return Proof(True, form, form, tuple(names_used), ())


def _keeping(
    difference: Expr,
    definitions: Mapping[str, Definition],
    keep: tuple[str, ...],
    lemmas: tuple[Lemma, ...],
    counts: Mapping[Axis, Entry] | None,
    deadline: float,
) -> Keeping:
    """The normal form of a difference in which one more array stands for itself, until a time of the processor."""

    def keeping(array: str) -> tuple[Expr, Mapping[str, Definition]] | None:
        rewriter = Rewriter(definitions, lemmas, (*keep, array), counts=counts)
        try:
            return rewriter.normal(difference, max(deadline - time.thread_time(), 0)), rewriter.definitions
        except (TooLarge, NotRepresentable):
            return None

    return keeping


def _zero_test(
    keep: tuple[str, ...], lemmas: tuple[Lemma, ...], counts: Mapping[Axis, Entry] | None, deadline: float
) -> IsZero:
    """Whether an expression is zero by other definitions, until a time of the processor.

    Of the lemmas only those count that say a number: others may bring in entries of which no sign is assumed.
    """
    lemmas = tuple(lemma for lemma in lemmas if not arrays_in(lemma.value))

    def is_zero(expr: Expr, definitions: Mapping[str, Definition]) -> bool:
        left_over = deadline - time.thread_time()
        if left_over <= 0:
            return False
        rewriter = Rewriter(definitions, lemmas, keep, counts=counts)
        try:
            normal = rewriter.normal(expr, left_over)
        except (TooLarge, NotRepresentable):
            return False
        return not normal or not cancelled(normal, rewriter.definitions, rewriter.keep)

    return is_zero


def _normal_or_plain(rewriter: Rewriter, expr: Expr, budget_seconds: float) -> Expr:
    try:
        return rewriter.normal(expr, budget_seconds)
    except (TooLarge, NotRepresentable):
        return simplify(expr)


def without_ties(
    expr: Expr, definitions: Mapping[str, Definition] | None = None
) -> tuple[Expr, tuple[str, ...]]:
    """What holds where values that are compared are not exactly equal; and what must not be.

    [b > a] is 1 − [a > b] where a ≠ b; [X[i, j] == m[i]] with m the largest entries is δ(j, argmax[i]) where each is
    the only one.
    """
    ties: dict[str, None] = {}
    result: Expr = ()
    for term in expr:
        kept: list[tuple[Factor, Fraction]] = []
        factors: Expr = constant(1)
        for factor, exponent in term.factors:
            turned = _turned(factor)
            at = _place_of_extreme(factor, definitions or {})
            if at is not None:
                assert isinstance(factor, Mask)
                left, right = (_side_text(s) for s in (factor.left, factor.right))
                ties[f"only one entry of {left} at a time equals {right}"] = None
                factors = multiply(factors, at)
                continue
            if turned is None:
                kept.append((factor, exponent))
                continue
            left, right = (_side_text(s) for s in (turned.left, turned.right))
            ties[f"no entry of {left} equals {right}"] = None
            factors = multiply(factors, add(constant(1), scale(of_factor(turned), -1)))
        product = multiply((Term(term.coefficient, (), tuple(kept)),), factors)
        result += tuple(Term(t.coefficient, term.bound + t.bound, t.factors) for t in product)
    return result, tuple(ties)


def _place_of_extreme(factor: Factor, definitions: Mapping[str, Definition]) -> Expr | None:
    """Π δ(j, argmax[i]) for the mask [X[i, j] == m[i]], where m[i] = X[i, argmax[i]]."""
    if not isinstance(factor, Mask) or factor.relation != "==":
        return None
    for entry, extreme in ((factor.left, factor.right), (factor.right, factor.left)):
        if not isinstance(entry, Entry) or not isinstance(extreme, Entry) or extreme.array not in definitions:
            continue
        inner: Factor | None = extreme
        while isinstance(inner, Entry) and inner.array != entry.array:  # it may be looked at with other axes of size one
            named = definitions.get(inner.array)
            inner = None if named is None else only_factor(at_entry(named, inner))
        if not isinstance(inner, Entry):
            continue
        pairs = list(zip(entry.indices, inner.indices, strict=True))
        other = [(one, at) for one, at in pairs if one != at]
        if other and all(isinstance(one, Index) and isinstance(at, Entry) for one, at in other):
            return multiply(*(of_factor(Delta(one, at)) for one, at in other if isinstance(one, Index)))
    return None


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
    return f"`{side.array}`" if isinstance(side, Entry) else str(side)
