"""The chain rule through one definition, checked by numbers and by what it says."""

from __future__ import annotations

import numpy as np
import pytest

from tracer.calculus import (
    add,
    constant,
    contract,
    differentiate,
    entry,
    equal,
    evaluate,
    multiply,
    of_factor,
    scale,
    sum_over,
    vector_jacobian,
)
from tracer.calculus.scalar import apply
from tracer.calculus.terms import Axis, Definition, Delta, Entry, Index, Size

N, D, K = Axis("N"), Axis("D"), Axis("K")
i, j, k = Index("i", N), Index("j", D), Index("k", K)
SIZES = {"N": 4, "D": 3, "K": 2}

MATMUL = Definition("out", (i, k), sum_over(j, multiply(entry("A", i, j), entry("B", j, k))))


def test_the_gradient_of_a_product_by_its_left_factor_is_g_times_b_transposed() -> None:
    step = vector_jacobian(MATMUL, "A", "G")
    a, b = step.free
    assert equal(step.result, sum_over(k, multiply(entry("G", a, k), entry("B", b, k))))


def test_the_gradient_of_a_product_by_its_right_factor_is_a_transposed_times_g() -> None:
    step = vector_jacobian(MATMUL, "B", "G")
    a, b = step.free
    assert equal(step.result, sum_over(i, multiply(entry("A", i, a), entry("G", i, b))))


def test_an_untransposed_gradient_is_a_different_one() -> None:
    step = vector_jacobian(MATMUL, "A", "G")
    a, b = step.free
    assert not equal(step.result, sum_over(k, multiply(entry("G", a, k), entry("B", k, b))))


def test_every_substitution_of_the_contraction_is_recorded() -> None:
    step = vector_jacobian(MATMUL, "A", "G")
    a, b = step.free
    assert [r for _, r in step.contracted] == [a, b]
    assert len({index for index, _ in step.contracted}) == 2


def test_a_bias_that_was_broadcast_has_the_sum_over_axis_0_as_its_gradient() -> None:
    definition = Definition("out", (i, k), add(entry("A", i, k), entry("b", 0, k)))
    step = vector_jacobian(definition, "b", "G")
    assert step.free[0] == 0
    assert equal(step.result, sum_over(i, entry("G", i, step.free[1])))


def test_an_array_that_is_used_twice_collects_both_uses() -> None:
    definition = Definition("out", (), sum_over((i, j), multiply(entry("W", i, j), entry("W", i, j))))
    step = vector_jacobian(definition, "W", "G")
    assert equal(step.result, scale(multiply(entry("G"), entry("W", *step.free)), 2))


def test_tanh_is_derived_in_terms_of_its_output() -> None:
    definition = Definition("h", (i, k), apply("tanh(x0)", [Entry("z", (i, k))]))
    step = vector_jacobian(definition, "z", "G")
    g, h = entry("G", *step.free), entry("h", *step.free)
    assert equal(step.result, multiply(g, add(constant(1), scale(multiply(h, h), -1))))


def test_a_gather_sends_its_gradient_back_to_the_looked_up_class() -> None:
    picked = Definition("out", (i,), entry("P", i, Entry("y", (i,))))
    step = vector_jacobian(picked, "P", "G", axes=(N, K))
    a, b = step.free
    assert isinstance(b, Index)
    assert equal(step.result, multiply(entry("G", a), of_factor(Delta(b, Entry("y", (a,))))))


def test_an_axis_that_a_definition_does_not_show_must_be_given() -> None:
    picked = Definition("out", (i,), entry("P", i, Entry("y", (i,))))
    with pytest.raises(KeyError, match="axis 1 of P"):
        vector_jacobian(picked, "P", "G")


def test_a_sum_over_something_without_the_index_is_the_size_of_the_axis_times_it() -> None:
    assert equal(sum_over(i, entry("x", j)), multiply(of_factor(Size(N)), entry("x", j)))


def test_a_delta_between_axes_of_different_size_is_not_summed_the_wrong_way_round() -> None:
    """Σ_k δ(a, k) f(k) is f(a) only where a lies in the range of k."""
    a = Index("a", N)
    kept = sum_over(k, multiply(of_factor(Delta(a, k)), entry("f", k)))
    assert equal(contract(kept), kept)
    values = {"f": np.array([5.0, 7.0])}
    assert np.array_equal(evaluate(contract(kept), (a,), values, SIZES), [5.0, 7.0, 0.0, 0.0])


def test_a_bound_index_of_the_same_name_is_not_captured() -> None:
    total = sum_over(i, entry("x", i))
    squared = multiply(total, total)
    x = np.arange(1.0, 5.0)
    assert evaluate(squared, (), {"x": x}, SIZES) == x.sum() ** 2


def test_evaluating_the_definition_of_a_product_multiplies_matrices() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 3)), rng.normal(size=(3, 2))
    assert np.allclose(evaluate(MATMUL.expr, MATMUL.free, {"A": a, "B": b}, SIZES), a @ b)


def test_the_derivative_of_an_array_that_does_not_occur_is_zero() -> None:
    assert differentiate(MATMUL.expr, "C", (i, k)) == ()
