"""Complex values: conjugates and real parts of expressions, and that nothing is proved by what is true of real numbers only."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from tracer.calculus import (
    add,
    closed_form,
    constant,
    entry,
    evaluate,
    multiply,
    of_factor,
    power,
    prove_equal,
    simplify,
)
from tracer.calculus.complex_values import (
    UNIT,
    as_real_part,
    conjugate,
    conjugate_of,
    holds_complex,
    is_complex,
    marked,
    of_real_numbers,
    real_part,
)
from tracer.calculus.terms import Axis, Definition, Expr, Function, Index

i, j = Index("i", Axis("n")), Index("j", Axis("n"))
Z, W, X = marked("z", True), marked("w", True), "x"
UNITS = of_factor(UNIT)


def values() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(2)
    z, w, x = rng.normal(size=3) + 1j * rng.normal(size=3), rng.normal(size=3) + 1j, rng.normal(size=3)
    plain = {Z: z, W: w, X: x}
    return {**plain, **{conjugate_of(n): np.conj(v) for n, v in plain.items() if is_complex(n)}}


EXPRESSIONS: list[Expr] = [
    entry(Z, i),
    multiply(entry(Z, i), entry(W, i), UNITS),
    add(multiply(UNITS, entry(X, i)), power(entry(Z, i), 3)),
    multiply(entry(conjugate_of(Z), i), power(entry(W, i), -2), power(UNITS, 3)),
    of_factor(Function("exp(I*x0)", entry(X, i)[0].factors[0][:1])),
    of_factor(Function("exp(x0)", entry(Z, i)[0].factors[0][:1])),
]


@pytest.mark.parametrize("expr", EXPRESSIONS)
def test_the_conjugate_of_an_expression_is_that_of_its_value(expr: Expr) -> None:
    found = evaluate(conjugate(expr), (i,), values(), {"n": 3})
    np.testing.assert_allclose(found, np.conj(evaluate(expr, (i,), values(), {"n": 3})), rtol=1e-12)
    assert simplify(conjugate(conjugate(expr))) == simplify(expr)


@pytest.mark.parametrize("expr", EXPRESSIONS)
def test_the_real_part_of_an_expression_is_that_of_its_value_and_is_seen_again(expr: Expr) -> None:
    whole = real_part(expr)
    np.testing.assert_allclose(
        evaluate(whole, (i,), values(), {"n": 3}), evaluate(expr, (i,), values(), {"n": 3}).real, rtol=1e-12, atol=1e-14
    )
    inner = as_real_part(whole)
    assert inner is not None
    assert len(inner) <= len(simplify(expr))  # what is imaginary falls away
    np.testing.assert_allclose(
        evaluate(inner, (i,), values(), {"n": 3}).real, evaluate(whole, (i,), values(), {"n": 3}), rtol=1e-12, atol=1e-14
    )


def test_what_is_no_real_part_is_not_taken_for_one() -> None:
    assert as_real_part(entry(Z, i)) is None
    assert as_real_part(add(entry(Z, i), entry(conjugate_of(W), i))) is None
    assert as_real_part(entry(X, i)) is None


@pytest.mark.parametrize(("exponent", "sign", "unit"), [(0, 1, 0), (1, 1, 1), (2, -1, 0), (3, -1, 1), (4, 1, 0), (-1, -1, 1)])
def test_powers_of_the_imaginary_unit(exponent: int, sign: int, unit: int) -> None:
    wanted = multiply(constant(sign), UNITS if unit else constant(1))
    assert power(UNITS, exponent) == wanted
    np.testing.assert_allclose(evaluate(power(UNITS, exponent), (), {}, {}), 1j**exponent, atol=1e-15)


def test_a_fractional_power_of_the_imaginary_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="fractional power of i"):
        power(UNITS, Fraction(1, 2))


def of_name(array: str) -> tuple[Expr, Expr, dict[str, Definition]]:
    """√(a²) unfolded, and a: equal for positive numbers, and not for complex ones."""
    square = Definition(f"s{array}", (i,), power(entry(array, i), 2))
    return multiply(entry(square.array, j)), power(entry(array, j), 2), {square.array: square}


def test_nothing_of_complex_numbers_is_proved_not_even_what_is_plainly_equal() -> None:
    left, right, definitions = of_name(X)
    assert prove_equal(left, right, definitions).proved  # the negative control: the same of real numbers
    left, right, definitions = of_name(Z)
    assert not prove_equal(left, right, definitions).proved
    assert not prove_equal(entry(Z, i), entry(Z, i), {}).proved
    assert not prove_equal(UNITS, UNITS, {}).proved


def test_what_was_made_from_complex_numbers_is_not_unfolded() -> None:
    """|z|² would be z² if the conjugate were forgotten; as it is p stands for itself."""
    size = Definition("p", (i,), multiply(entry(Z, i), entry(conjugate_of(Z), i)))
    double = Definition("q", (i,), multiply(constant(2), entry("p", i)))
    definitions = {"p": size, "q": double}
    assert of_real_numbers(definitions) == {"q": double}
    assert prove_equal(entry("q", i), multiply(constant(2), entry("p", i)), definitions).proved
    assert not prove_equal(entry("p", i), power(entry(Z, i), 2), definitions).proved
    assert not prove_equal(entry("p", i), multiply(entry(Z, i), entry(conjugate_of(Z), i)), definitions).proved


def test_no_shorter_form_of_complex_numbers_is_looked_for() -> None:
    doubled = multiply(entry(Z, i), entry(Z, i), power(entry(Z, i), -1))
    assert holds_complex(doubled)
    assert closed_form(doubled, {}, {Z}) == simplify(doubled)
