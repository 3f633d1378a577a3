"""Open grids and loops: what is printed is run, and compared with an evaluation entry by entry."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from tracer.calculus.printing import DeclaredNames, Letters, NoForm, loops, open_code
from tracer.calculus.terms import Axis, Entry, Function, Index, Mask, Size, Term

N, h, K = Axis("N"), Axis("h"), Axis("K")
n, a, k = Index("n", N), Index("a", h), Index("k", K)
NAMES = DeclaredNames({"dscores": (N, K), "W2": (h, K), "hidden": (N, h), "y": (N,)})
BACK = (
    Term(Fraction(1), (k,), ((Entry("dscores", (n, k)), Fraction(1)), (Entry("W2", (a, k)), Fraction(1)))),
)


def test_an_open_grid_gives_the_values_and_the_shape_of_the_formula(case: Any, world: Any) -> None:
    value = world.run(open_code(case.expr, case.free, world.names))
    assert np.shape(value) == world.shape(case.free)
    np.testing.assert_allclose(value, world.evaluate(case.expr, case.free), rtol=1e-12)


def test_loops_give_the_values_and_the_shape_of_the_formula(case: Any, world: Any) -> None:
    value = world.run(loops(case.expr, case.free, world.names, "answer"), "answer")
    assert np.shape(value) == world.shape(case.free)
    np.testing.assert_allclose(value, world.evaluate(case.expr, case.free), rtol=1e-12)


def _corruptions(expr: tuple[Term, ...]) -> list[tuple[Term, ...]]:
    first, *rest = expr
    altered = [
        replace(first, coefficient=first.coefficient * 2),
        replace(first, coefficient=-first.coefficient),
    ]
    for place, (factor, exponent) in enumerate(first.factors):
        if isinstance(factor, (Entry, Size, Function)) and not (
            isinstance(factor, Entry) and factor.array == "on"
        ):
            factors = list(first.factors)
            factors[place] = (factor, exponent + 1)
            altered.append(replace(first, factors=tuple(factors)))
    return [(term, *rest) for term in altered]


def test_an_altered_coefficient_sign_or_exponent_gives_another_value(case: Any, world: Any) -> None:
    if not case.expr:
        return
    right = world.evaluate(case.expr, case.free)
    for wrong in _corruptions(case.expr):
        assert not np.allclose(world.run(open_code(wrong, case.free, world.names)), right)
        assert not np.allclose(world.run(loops(wrong, case.free, world.names, "answer"), "answer"), right)


def test_an_open_grid_reads_like_the_formula() -> None:
    assert open_code(BACK, (n, a), NAMES) == (
        "i, j, k = np.ogrid[:dscores.shape[0], :W2.shape[0], :dscores.shape[1]]\n"
        "result = np.sum(dscores[i, k] * W2[j, k], axis=2)"
    )


def test_loops_read_as_people_first_write_them() -> None:
    names = dataclasses.replace(NAMES, sizes={N: "N", h: "h", K: "K"})
    assert loops(BACK, (n, a), names, "dhidden") == (
        "dhidden = np.zeros((N, h))\n"
        "for i in range(N):\n"
        "    for j in range(h):\n"
        "        total = 0.0\n"
        "        for k in range(K):\n"
        "            total += dscores[i, k] * W2[j, k]\n"
        "        dhidden[i, j] = total"
    )


def test_loops_that_fill_an_array_they_read_work_on_a_new_one() -> None:
    flipped = (Term(Fraction(1), (), ((Entry("S", (a, n)), Fraction(1)),)),)
    names = DeclaredNames({"S": (N, N)})
    square = Index("a", N)
    flipped = (Term(Fraction(1), (), ((Entry("S", (square, n)), Fraction(1)),)),)
    code = loops(flipped, (n, square), names, "S")
    space: dict[str, Any] = {"S": np.arange(9.0).reshape(3, 3)}
    exec(code, {"np": np}, space)
    assert np.array_equal(space["S"], np.arange(9.0).reshape(3, 3).T)


def test_letters_avoid_the_names_of_arrays_and_come_in_order() -> None:
    names = DeclaredNames({"i": (N, K), "k": (h, K)})
    expr = (Term(Fraction(1), (k,), ((Entry("i", (n, k)), Fraction(1)), (Entry("k", (a, k)), Fraction(1)))),)
    code = open_code(expr, (n, a), names)
    assert code.startswith("j, l, m = np.ogrid[")
    space: dict[str, Any] = {"i": np.ones((2, 3)), "k": np.ones((4, 3))}
    exec(code, {"np": np}, space)
    assert np.array_equal(space["result"], np.full((2, 4), 3.0))


def test_letters_stay_the_same_from_step_to_step() -> None:
    letters = Letters.of((n, a), BACK)
    assert [letters[index] for index in (n, a, k)] == ["i", "j", "k"]
    other = Index("other", K)
    later = letters.extended(
        (n, a), (Term(Fraction(1), (other,), ((Entry("W2", (a, other)), Fraction(1)),)),)
    )
    assert [later[index] for index in (n, a, k)] == ["i", "j", "k"]
    assert later[other] == "k", "bound in another term, so the letter is free again"


def test_two_indices_of_one_term_never_share_a_letter() -> None:
    other = Index("other", K)
    apart = Letters({n: "i", k: "k", other: "k"})
    factors = ((Entry("dscores", (n, k)), Fraction(1)), (Entry("dscores", (n, other)), Fraction(1)))
    letters = apart.extended((n,), (Term(Fraction(1), (k, other), factors),))
    assert letters[k] != letters[other]


def test_there_are_letters_for_any_number_of_indices() -> None:
    many = tuple(Index(f"x{number}", N) for number in range(40))
    letters = Letters.of(many)
    assert len({letters[index] for index in many}) == 40


def test_an_array_that_is_called_by_an_expression_is_put_in_parentheses() -> None:
    names = DeclaredNames({"W1": (h, K), "step": ()}, texts={"W1": "grads['W1']", "step": "1. / m"})
    expr = (Term(Fraction(1), (), ((Entry("W1", (a, k)), Fraction(1)), (Entry("step"), Fraction(-1)))),)
    code = open_code(expr, (a, k), names)
    assert "grads['W1'][i, j] / (1. / m)" in code
    space: dict[str, Any] = {"grads": {"W1": np.ones((2, 3))}, "m": 4.0}
    exec(code, {"np": np}, space)
    assert np.array_equal(space["result"], np.full((2, 3), 4.0))


def test_an_array_called_result_is_read_before_it_is_replaced() -> None:
    names = DeclaredNames({"result": (N, K), "W2": (h, K), "total": (N, h)})
    expr = (
        Term(Fraction(1), (), ((Entry("total", (n, a)), Fraction(1)),)),
        Term(
            Fraction(-1), (k,), ((Entry("result", (n, k)), Fraction(1)), (Entry("W2", (a, k)), Fraction(1)))
        ),
    )
    arrays = {"result": np.ones((2, 3)), "W2": np.ones((4, 3)), "total": np.full((2, 4), 5.0)}
    for code in (open_code(expr, (n, a), names), loops(expr, (n, a), names, "result")):
        space: dict[str, Any] = {name: array.copy() for name, array in arrays.items()}
        exec(code, {"np": np}, space)
        assert np.array_equal(space["result"], np.full((2, 4), 2.0)), code


def test_a_number_stands_on_the_right_of_a_comparison() -> None:
    expr = (Term(Fraction(1), (), ((Mask(">", Fraction(0), Entry("hidden", (n, a))), Fraction(1)),)),)
    assert open_code(expr, (n, a), NAMES).endswith("1.0 * (hidden[i, j] < 0)")


def test_an_exponential_below_a_fraction_is_an_exponential_of_minus() -> None:
    expr = (Term(Fraction(1), (), ((Function("exp(x0)", (Entry("hidden", (n, a)),)), Fraction(-1)),)),)
    assert open_code(expr, (n, a), NAMES).endswith("np.exp(-hidden[i, j])")


def test_a_size_that_nothing_has_is_an_error_that_names_the_axis() -> None:
    with pytest.raises(NoForm, match="axis T"):
        open_code(BACK, (Index("t", Axis("T")),), NAMES)


def test_a_function_that_numpy_lacks_is_an_error_that_names_it() -> None:
    expr = (Term(Fraction(1), (), ((Function("zeta(x0)", (Entry("y", (n,)),)), Fraction(1)),)),)
    with pytest.raises(NoForm, match="zeta"):
        open_code(expr, (n,), NAMES)
