"""Scalar functions: derivatives by SymPy, in terms of the output where that is shorter, and the cache of them."""

from __future__ import annotations

import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest

from tracer.calculus import NoDerivative, canonical_key, constant, equal, evaluate, multiply, of_factor, scale
from tracer.calculus.algebra import add
from tracer.calculus.scalar import apply, derivative_template, derive, numeric, parse
from tracer.calculus.scalar_table import COMMON, DERIVATIVES
from tracer.calculus.terms import Axis, Entry, Function, Index, Mask

X, OTHER, Y = Entry("x0"), Entry("x1"), Entry("y")


@pytest.mark.parametrize("key", DERIVATIVES, ids=str)
def test_the_cached_derivatives_are_those_of_sympy(key: tuple[str, int, bool]) -> None:
    assert canonical_key(DERIVATIVES[key]) == canonical_key(derive(*key))


@pytest.mark.parametrize("text", sorted(COMMON))
def test_the_text_of_a_common_function_is_in_final_form(text: str) -> None:
    assert str(parse(text)) == text
    at = dict.fromkeys(parse(text).free_symbols, 0.3)
    assert numeric(text, 1)(0.3) == pytest.approx(float(parse(text).xreplace(at)))


def test_the_slope_of_tanh_is_one_minus_its_square() -> None:
    y = of_factor(Y)
    assert equal(derivative_template("tanh(x0)", 0, True), add(constant(1), scale(multiply(y, y), -1)))


def test_the_slope_of_a_sigmoid_is_y_times_one_minus_y() -> None:
    y = of_factor(Y)
    found = derivative_template("1/(1 + exp(-x0))", 0, True)
    assert equal(found, multiply(y, add(constant(1), scale(y, -1))))


def test_without_the_output_the_slope_is_written_in_the_argument() -> None:
    found = derivative_template("tanh(x0)", 0, False)
    assert Function("tanh(x0)", (X,)) in {f for t in found for f, _ in t.factors}


def test_the_slope_of_a_maximum_is_a_mask() -> None:
    assert equal(derivative_template("Max(x0, x1)", 0, True), of_factor(Mask(">", X, OTHER)))


def test_the_slope_of_an_absolute_value_has_both_signs() -> None:
    zero = Fraction(0)
    both = add(of_factor(Mask(">", X, zero)), scale(of_factor(Mask(">", zero, X)), -1))
    assert equal(derivative_template("Abs(x0)", 0, True), both)


def test_a_number_among_the_arguments_is_put_into_the_text() -> None:
    (term,) = apply("x0**x1", [X, Fraction(1, 2)])
    assert term.factors == ((X, Fraction(1, 2)),)


def test_an_unknown_derivative_is_refused() -> None:
    with pytest.raises(NoDerivative):
        derivative_template("floor(x0)", 0, True)


def test_a_root_of_a_square_is_not_the_number() -> None:
    i = Index("i", Axis("N"))
    found = apply("sqrt(x0**2)", [Entry("x", (i,))])
    values = {"x": np.array([-2.0, 3.0])}
    assert np.array_equal(evaluate(found, (i,), values, {"N": 2}), [2.0, 3.0])


def test_the_usual_functions_need_no_import_of_sympy() -> None:
    program = (
        "import sys, tracer.calculus as c; from tracer.ops import AxisTable, define; t = AxisTable();"
        "d = define('tanh', 'h', (t.operand('z', (3,)),), {}, t, (3,)); c.vector_jacobian(d, 'z', 'G');"
        "assert 'sympy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
