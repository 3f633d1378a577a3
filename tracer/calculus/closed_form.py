"""Closed forms over several operations: (P − 1_y)/N for softmax with cross-entropy, A(1 − A) for a sigmoid.

In comes an expression, the definitions, and the names that the reader knows; out goes an equal expression
that is shorter in those names, or the same one.  Every step is an equality: unfolding, lemmas,
and definitions solved for one of their entries.  The search is best first under a time budget.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from tracer.calculus.adjoint import TooLarge
from tracer.calculus.algebra import (
    ONE,
    add,
    arrays_in_term,
    entry,
    make_term,
    multiply,
    power,
    scale,
    substitute,
)
from tracer.calculus.canonical import canonical_key, simplify
from tracer.calculus.complex_values import holds_complex, of_real_numbers
from tracer.calculus.deadline import Deadline
from tracer.calculus.definitions import ancestors
from tracer.calculus.indexing import NotRepresentable, indices_of
from tracer.calculus.patterns import Lemma
from tracer.calculus.rational import folded
from tracer.calculus.renaming import rename_arrays
from tracer.calculus.rewriting import Rewriter
from tracer.calculus.terms import Definition, Delta, Entry, Expr, Factor, Function, Index, Term

#: After so many expressions that are no shorter the search ends.
_PATIENCE = 16

Cost = tuple[int, int, int, int, Fraction, int]


def cost(expr: Expr, named: frozenset[str]) -> Cost:
    """How long an expression is to read: unknown names first, then terms, sums, factors, exponents, names.

    A scalar function counts as two terms: y (1 − y) is shorter than exp(−z) y².
    """
    names = {
        e.array
        for t in expr
        for f, _ in t.factors
        for e in (f.arguments if isinstance(f, Function) else (f,))
        if isinstance(e, Entry)
    }
    functions = {f for t in expr for f, _ in t.factors if isinstance(f, Function)}
    return (
        len(names - named),
        len(expr) + 2 * len(functions),
        sum(len(t.bound) for t in expr),
        sum(1 for t in expr for f, _ in t.factors if not isinstance(f, Delta)),
        sum((abs(e) for t in expr for _, e in t.factors), Fraction(0)),
        len(names),
    )


def closed_form(
    expr: Expr,
    definitions: Mapping[str, Definition],
    named: Iterable[str],
    budget_seconds: float = 0.5,
    lemmas: Iterable[Lemma] = (),
) -> Expr:
    """The shortest equal expression that is found in the names that the reader knows.

    Args:
        expr: what is to be shortened, such as a composed adjoint.
        definitions: what arrays are; in program order.
        named: arrays that the reader knows by name, leaves included.
        budget_seconds: the search ends after this time of the processor (not of the clock, so that a busy
            machine gives the same answer).
        lemmas: further equalities to rely on.

    Returns:
        An equal expression; the input, with like terms collected, if nothing shorter is found.
    """
    known = frozenset(named)
    plain = simplify(expr)
    if holds_complex(plain):
        return plain  # what is relied on here is true of real numbers
    deadline = Deadline(budget_seconds)
    lemmas = tuple(lemmas)
    # To fold back, definitions of arrays that come later than those in the expression are needed too.
    mentioned = frozenset().union(*(arrays_in_term(t) for t in plain)) | known
    whole = of_real_numbers(ancestors(mentioned, definitions))
    rewriter = Rewriter(whole, lemmas)
    preferred = _preferred_names(rewriter, known)
    known = known | frozenset(rewriter.same.get(k, k) for k in known)
    starts = [plain]
    for keep in ((), known):
        try:
            starts.append(Rewriter(whole, lemmas, keep).normal(plain, budget_seconds / 2))
        except TooLarge:
            continue
    mined = tuple(_sums_of_entries(starts, rewriter, deadline))
    if mined:
        rewriter = Rewriter(whole, (*lemmas, *mined))
        starts += [rewriter.reduce(s) for s in starts]
    best = min((_search(s, rewriter, known, deadline) for s in starts), key=lambda e: cost(e, known))
    functions = any(isinstance(f, Function) for t in best for f, _ in t.factors)
    if cost(best, known)[0] or len(best) > 2 or functions:
        best = _rational_form(best, starts, rewriter, known, deadline)
    # Folding may have made new sums that are known.
    mined = tuple(_sums_of_entries([best], rewriter, deadline))
    if mined:
        best = Rewriter(whole, (*lemmas, *mined)).reduce(best)
    best = rewriter.joined(best)
    best = best if cost(best, known) < cost(plain, known) else plain
    return rename_arrays(best, preferred)


def _sums_of_entries(exprs: Iterable[Expr], rewriter: Rewriter, deadline: Deadline) -> Iterator[Lemma]:
    """Lemmas Σ_i A[…, i] = value for the sums that occur and whose value is at most a single product.

    Rows that were centred sum to zero, rows that were divided by their sum to one.
    """
    seen: set[tuple[str, int, Fraction]] = set()
    for term in itertools.chain.from_iterable(exprs):
        for index in term.bound:
            under = [(f, e) for f, e in term.factors if index in indices_of(f)]
            if len(under) != 1:
                continue
            found, exponent = under[0]
            if not isinstance(found, Entry) or exponent not in (1, 2):
                continue
            definition = rewriter.definitions.get(found.array)
            places = [p for p, i in enumerate(found.indices) if i == index]
            if definition is None or len(places) != 1 or (found.array, places[0], exponent) in seen:
                continue
            seen.add((found.array, places[0], exponent))
            over = definition.free[places[0]]
            if not isinstance(over, Index) or over.axis != index.axis or deadline.is_over():
                continue
            pattern = Term(ONE, (over,), ((Entry(found.array, definition.free), exponent),))
            try:
                value = rewriter.normal((pattern,), deadline.left)
            except TooLarge:
                continue
            if not value or (len(value) == 1 and not value[0].bound):
                yield Lemma(pattern, value, f"a sum over {found.array}")


def _preferred_names(rewriter: Rewriter, known: frozenset[str]) -> dict[str, str]:
    """Where equal arrays share a name that the reader does not know, one that the reader does know."""
    preferred: dict[str, str] = {}
    for name, representative in rewriter.same.items():
        if name in known and representative not in known:
            preferred.setdefault(representative, name)
    return preferred


def _rational_form(
    best: Expr, starts: list[Expr], rewriter: Rewriter, known: frozenset[str], deadline: Deadline
) -> Expr:
    """What cancelling as a rational function gives, if that is shorter."""
    for candidate in (best, *starts):
        if deadline.is_over():
            break
        shorter = folded(candidate, rewriter.definitions, known)
        if shorter is not None and cost(shorter, known) < cost(best, known):
            best = shorter
    return best


def _search(start: Expr, rewriter: Rewriter, known: frozenset[str], deadline: Deadline) -> Expr:
    """Best first over the definitions that can be solved for an entry of the expression."""
    numbers = itertools.count()
    best, best_cost = start, cost(start, known)
    heap = [(best_cost, next(numbers), 0, start)]
    seen: set[object] = set()
    found_at = 0
    while heap and not deadline.is_over() and len(seen) < found_at + _PATIENCE:
        current_cost, _, depth, current = heapq.heappop(heap)
        key = canonical_key(current)
        if key in seen:
            continue
        seen.add(key)
        if current_cost < best_cost:
            best, best_cost, found_at = current, current_cost, len(seen)
        if depth == 5:
            continue
        for new in _steps(current, rewriter):
            new_cost = cost(new, known)
            if new_cost[1] <= current_cost[1] + 6:
                heapq.heappush(heap, (new_cost, next(numbers), depth + 1, new))
    return best


def _steps(expr: Expr, rewriter: Rewriter) -> Iterator[Expr]:
    """The expression with one array replaced by means of a definition that mentions it."""
    present = {f.array for t in expr for f, _ in t.factors if isinstance(f, Entry) and f.indices}
    for definition in rewriter.definitions.values():
        for term in definition.expr:
            if term.bound:
                continue
            for factor, exponent in term.factors:
                if isinstance(factor, Entry) and factor.array in present:
                    solved = _solve(definition, term, factor, exponent)
                    if solved is None:
                        continue
                    new = _replace(expr, factor, solved)
                    if new is not None:
                        try:
                            yield rewriter.reduce(new)
                        except TooLarge:
                            continue


def _solve(definition: Definition, term: Term, factor: Entry, exponent: Fraction) -> Expr | None:
    """factor = an expression in the defined array, without dividing by anything that may be zero."""
    free = {i for i in definition.free if isinstance(i, Index)}
    if any(not isinstance(i, (Index, int)) for i in factor.indices) or not free <= set(factor.indices):
        return None
    if len({i for i in factor.indices if isinstance(i, Index)}) < sum(
        isinstance(i, Index) for i in factor.indices
    ):
        return None
    others = [(f, e) for f, e in term.factors if f != factor]
    name = entry(definition.array, *definition.free)
    if len(definition.expr) == 1 and not others and term.coefficient == 1:
        inverse = 1 / exponent
        # y = x² does not say what x is: only roots and reciprocals can be undone.
        return power(name, inverse) if exponent == -1 or inverse.denominator == 1 else None
    if exponent != 1 or any(not isinstance(f, Entry) or e > 0 for f, e in others):
        return None
    rest = tuple(t for t in definition.expr if t is not term)
    if rest and others:
        return None
    inverse_factors = make_term(1 / term.coefficient, (), [(f, -e) for f, e in others])
    assert inverse_factors is not None
    return multiply((inverse_factors,), add(name, scale(rest, -1)))


def _replace(expr: Expr, factor: Entry, solved: Expr) -> Expr | None:
    """Every entry of the array replaced by what it was solved for."""
    result: list[Term] = []
    for term in expr:
        value: Expr = (
            Term(term.coefficient, (), tuple(x for x in term.factors if not _is_of(x[0], factor))),
        )
        for found, exponent in term.factors:
            if not isinstance(found, Entry) or found.array != factor.array:
                continue
            pairs = list(zip(factor.indices, found.indices, strict=True))
            if any(isinstance(p, int) and p != f for p, f in pairs):
                return None
            if exponent.denominator != 1 and (len(solved) != 1 or len(solved[0].factors) != 1):
                # √(n s) is not √n √s: both may be negative.
                return None
            try:
                inner = substitute(solved, {p: f for p, f in pairs if isinstance(p, Index)})
                value = multiply(value, power(inner, exponent))
            except (NotRepresentable, ValueError):
                return None
        result += (Term(t.coefficient, term.bound + t.bound, t.factors) for t in value)
    return tuple(result)


def _is_of(factor: Factor, entry_of: Entry) -> bool:
    return isinstance(factor, Entry) and factor.array == entry_of.array
