"""Arrays that equal their transposes: A[i, j] and A[j, i] are one entry, and nothing else is taken for symmetric."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tracer.calculus import add, constant, entry, multiply, power, prove_equal, scale, sum_over
from tracer.calculus.algebra import of_factor
from tracer.calculus.symmetric import equals_transpose, marked, oriented
from tracer.calculus.terms import Axis, Definition, Entry, Expr, Function, Index

N, M = Axis("n"), Axis("m")
i, j, k, c = (Index(name, N) for name in "ijkc")
m = Index("m", M)


def distances(weight: int = 1) -> dict[str, Definition]:
    """D[i, j] = Σ_m (Y[i, m] − w Y[j, m])², q = 1 / (1 + D), e = exp(−D)."""
    between = add(entry("Y", i, m), scale(entry("Y", j, m), -weight))
    return {
        "D": Definition("D", (i, j), sum_over(m, power(between, 2))),
        "d": Definition("d", (i, j), add(constant(1), entry("D", i, j))),
        "q": Definition("q", (i, j), power(entry("d", i, j), -1)),
        "minus": Definition("minus", (i, j), scale(entry("D", i, j), -1)),
        "e": Definition("e", (i, j), of_factor(Function("exp(x0)", (Entry("minus", (i, j)),)))),
    }


def proved(one: Expr, other: Expr, definitions: dict[str, Definition], given: dict[str, str] | None) -> tuple[bool, tuple[str, ...]]:
    proof = prove_equal(one, other, definitions, symmetric=given)
    return proof.proved, proof.used


@pytest.mark.parametrize("array", ["D", "d", "q", "e"])
def test_what_is_symmetric_by_its_definition_equals_its_transpose(array: str) -> None:
    weights = entry("G", i, j)
    one, other = (sum_over(j, multiply(weights, entry(array, *at))) for at in ((i, j), (j, i)))
    assert proved(one, other, distances(), {})[0]
    assert not proved(one, other, distances(2), {})[0]


def test_a_prover_that_takes_any_square_array_for_symmetric_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracer.calculus.rewriting.equals_transpose", lambda definition, expr: True)
    one, other = (sum_over(j, multiply(entry("G", i, j), entry("q", *at))) for at in ((i, j), (j, i)))
    assert proved(one, other, distances(2), {})[0]


def test_an_input_is_symmetric_only_if_it_is_said_to_be_and_the_proof_says_so() -> None:
    one, other = (sum_over(j, multiply(entry("A", *at), entry("x", j))) for at in ((i, j), (j, i)))
    assert proved(one, other, {}, {"A": "entries of A are symmetric"}) == (True, ("entries of A are symmetric",))
    assert not proved(one, other, {}, {})[0]
    assert not proved(one, other, {}, {"B": "entries of B are symmetric"})[0]


def test_entries_of_a_symmetric_array_cancel_and_add_up() -> None:
    a, turned = entry("A", i, j), entry("A", j, i)
    given = {"A": "said"}
    assert proved(multiply(a, power(turned, -1)), constant(1), {}, given)[0]
    assert proved(multiply(a, turned), power(a, 2), {}, given)[0]
    assert not proved(multiply(a, turned), power(a, 3), {}, given)[0]
    assert not proved(entry("A", i, i), entry("A", j, j), {}, given)[0]


def test_other_rows_and_columns_are_not_exchanged() -> None:
    """Σ_j A[i, j] B[j, k] is not Σ_j A[i, j] B[k, j] where only A is symmetric."""
    one = sum_over(j, multiply(entry("A", i, j), entry("B", j, k)))
    other = sum_over(j, multiply(entry("A", j, i), entry("B", k, j)))
    assert not proved(one, other, {}, {"A": "said"})[0]
    assert proved(one, other, {}, {"A": "said", "B": "said too"})[0]


def test_the_normal_form_has_the_names_of_the_program() -> None:
    one, other = sum_over(j, entry("q", i, j)), sum_over(j, entry("q", j, i))
    proof = prove_equal(one, other, distances(), symmetric={})
    assert all(isinstance(f, Entry) and f.array == "d" for t in proof.left for f, _ in t.factors)
    assert set(proof.used) <= distances().keys()


def test_a_product_of_symmetric_arrays_need_not_be_symmetric() -> None:
    product = sum_over(k, multiply(entry(marked("A"), i, k), entry(marked("B"), k, j)))
    assert not equals_transpose(Definition("C", (i, j), product), product)
    square = sum_over(k, multiply(entry(marked("A"), i, k), entry(marked("A"), k, j)))
    assert equals_transpose(Definition("C", (i, j), square), square)


def test_indices_are_put_in_order_within_functions_too() -> None:
    a = of_factor(Function("log(x0)", (Entry(marked("A"), (j, i)),)), Fraction(2))
    assert oriented(a) == of_factor(Function("log(x0)", (Entry(marked("A"), (i, j)),)), Fraction(2))
