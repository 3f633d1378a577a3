"""The canonical form: invariant under renaming and reordering, and never the same for what differs."""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracer.calculus import add, canonical_key, entry, equal, evaluate, is_zero, multiply, simplify, sum_over
from tracer.calculus.algebra import fresh_index, make_term, replace_in_factor
from tracer.calculus.terms import Axis, Condition, Delta, Entry, Expr, Factor, Index, Mask, Term

N, M = Axis("N"), Axis("M")
SIZES = {"N": 3, "M": 2}
_rng = np.random.default_rng(0)
ARRAYS: dict[str, tuple[Axis, ...]] = {
    "u": (N,),
    "P": (N, N),
    "Q": (N, N),
    "R": (N, M),
    "v": (M,),
    "Z": (N, N, N),
}
VALUES: dict[str, Any] = {
    **{name: _rng.normal(size=[SIZES[a.name] for a in axes]) for name, axes in ARRAYS.items()},
    "y": np.array([2, 0, 2]),
}
FREE = (Index("a", N), Index("b", N))


@st.composite
def terms(draw: st.DrawFn) -> Term:
    bound = tuple(Index(f"s{n}", draw(st.sampled_from([N, N, M]))) for n in range(draw(st.integers(0, 4))))
    pool = {axis: [i for i in (*FREE, *bound) if i.axis == axis] for axis in (N, M)}
    factors: list[tuple[Factor, Fraction]] = []
    for _ in range(draw(st.integers(1, 5))):
        name = draw(st.sampled_from([n for n, axes in ARRAYS.items() if all(pool[a] for a in axes)]))
        indices = tuple(draw(st.sampled_from(pool[a])) for a in ARRAYS[name])
        factors.append((Entry(name, indices), Fraction(draw(st.sampled_from([1, 1, 1, 2, -1])))))
    pick = st.sampled_from(pool[N])
    match draw(st.integers(0, 5)):
        case 0:
            factors.append((Delta(draw(pick), draw(pick)), Fraction(1)))
        case 1:
            factors.append((Delta(draw(pick), Entry("y", (draw(pick),))), Fraction(1)))
        case 2:
            factors.append((Mask(">", Entry("P", (draw(pick), draw(pick))), Fraction(0)), Fraction(1)))
        case 3:
            factors.append((Condition("<=", draw(pick), draw(pick)), Fraction(1)))
        case _:
            pass
    term = make_term(Fraction(draw(st.sampled_from([1, 2, -1]))), bound, factors)
    return term if term is not None else Term(Fraction(1), (), ((Entry("u", (FREE[0],)), Fraction(1)),))


def scrambled(term: Term, seed: int) -> Term:
    """The same term with other names, another order of sums and of factors."""
    order = random.Random(seed)
    renamed = {i: fresh_index(i.axis, order.choice("ijkz")) for i in term.bound}
    bound, factors = list(renamed.values()), list(term.factors)
    order.shuffle(bound)
    order.shuffle(factors)
    new = make_term(term.coefficient, tuple(bound), [(replace_in_factor(f, renamed), e) for f, e in factors])
    assert new is not None
    return new


def number(expr: Expr) -> Any:
    return evaluate(expr, FREE, VALUES, SIZES)


@given(terms(), st.integers(0, 10**6))
@settings(max_examples=250, deadline=None)
def test_names_and_order_make_no_difference(term: Term, seed: int) -> None:
    assert canonical_key((term,)) == canonical_key((scrambled(term, seed),))


@given(terms())
@settings(max_examples=250, deadline=None)
def test_simplifying_keeps_the_value(term: Term) -> None:
    np.testing.assert_allclose(number(simplify((term,))), number((term,)), rtol=1e-8, atol=1e-9)


@given(terms(), terms())
@settings(max_examples=250, deadline=None)
def test_what_is_called_equal_is_equal(one: Term, other: Term) -> None:
    if canonical_key((one,)) == canonical_key((other,)):
        np.testing.assert_allclose(number((one,)), number((other,)), rtol=1e-8, atol=1e-9)


@given(terms(), terms())
@settings(max_examples=100, deadline=None)
def test_a_product_has_the_product_of_the_values(one: Term, other: Term) -> None:
    product = multiply((one,), (other,))
    np.testing.assert_allclose(number(product), number((one,)) * number((other,)), rtol=1e-8, atol=1e-9)


def test_terms_that_cancel_are_zero() -> None:
    i, j = Index("i", N), Index("j", N)
    one = sum_over(i, multiply(entry("u", i), entry("P", i, FREE[0])))
    other = sum_over(j, multiply(entry("P", j, FREE[0]), entry("u", j)))
    assert is_zero(add(one, tuple(Term(-t.coefficient, t.bound, t.factors) for t in other)))


@pytest.mark.parametrize("swapped", [("P", "Q"), ("Q", "P")])
def test_the_trace_of_a_product_is_cyclic_and_that_of_a_transpose_is_not(swapped: tuple[str, str]) -> None:
    i, j = Index("i", N), Index("j", N)
    cycle = sum_over((i, j), multiply(entry("P", i, j), entry("Q", j, i)))
    first, second = swapped
    assert equal(cycle, sum_over((i, j), multiply(entry(first, i, j), entry(second, j, i))))
    assert not equal(cycle, sum_over((i, j), multiply(entry(first, i, j), entry(second, i, j))))


def test_a_sum_over_another_axis_of_the_same_size_is_another_sum() -> None:
    other = Axis("K")
    i, k = Index("i", N), Index("k", other)
    assert not equal(sum_over(i, entry("u", i)), sum_over(k, entry("u", k)))


def test_a_number_of_symmetric_indices_takes_no_factorial_time() -> None:
    bound = [Index(f"q{n}", N) for n in range(8)]
    cyclic = sum_over(bound, multiply(*(entry("P", bound[n], bound[(n + 1) % 8]) for n in range(8))))
    assert canonical_key(cyclic) == canonical_key(cyclic)
