"""Closed forms over several operations, each equal to the step-by-step form in numbers."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from network import Network, classifier

from tracer.calculus import Lemma, add, closed_form, constant, entry, equal, multiply, power, scale, sum_over
from tracer.calculus.algebra import of_factor
from tracer.calculus.terms import Axis, Definition, Delta, Entry, Expr, Function, Index, Size, Term

rng = np.random.default_rng(5)


def fold(net: Network, root: str, wrt: str, named: str, **more: Any) -> tuple[tuple[Any, ...], Expr]:
    """The closed form of an adjoint, checked in numbers against the composed one."""
    free, derived = net.gradient(root, wrt)
    closed = closed_form(derived, net.definitions(), named.split(), budget_seconds=5.0, **more)
    np.testing.assert_allclose(net.number(free, closed), net.number(free, derived), rtol=1e-9, atol=1e-12)
    return free, closed


def test_nothing_is_divided_by_that_may_be_zero() -> None:
    """Of y = z / (1 + exp(−z)): the derivative is not written with y / z, which is 0 / 0 where z is 0."""
    axis = Axis("a")
    i = Index("i", axis)
    exponential = of_factor(Function("exp(x0)", (Entry("m", (i,)),)))
    definitions = {
        "d": Definition("d", (i,), add(constant(1), exponential)),
        "y": Definition("y", (i,), multiply(entry("z", i), power(entry("d", i), -1))),
    }
    slope = multiply(exponential, entry("y", i), power(entry("d", i), -1))
    found = closed_form(slope, definitions, {"z", "y", "m"})
    assert all(e > 0 for t in found for f, e in t.factors if isinstance(f, Entry) and f.array in ("z", "y"))


def test_a_sigmoid_is_its_own_slope_also_where_its_exponential_has_no_name() -> None:
    i = Index("i", Axis("a"))
    exponential = of_factor(Function("exp(x0)", (Entry("m", (i,)),)))
    definitions = {
        "d": Definition("d", (i,), add(constant(1), exponential)),
        "y": Definition("y", (i,), power(entry("d", i), -1)),
    }
    slope = multiply(exponential, power(entry("d", i), -2))
    found = closed_form(slope, definitions, {"y", "m"})
    assert equal(found, add(entry("y", i), scale(power(entry("y", i), 2), -1)))


@pytest.mark.parametrize("shifted", [False, True], ids=["plain", "shifted"])
def test_softmax_with_cross_entropy_is_probabilities_minus_one_at_the_class(shifted: bool) -> None:
    net = classifier(shifted)
    (i, k), closed = fold(net, "loss", "scores", "scores probs e N y")
    hit = of_factor(Delta(k, Entry("y", (i,))))
    assert equal(closed, multiply(power(entry("N"), -1), add(entry("probs", i, k), scale(hit, -1))))


def _sigmoid(net: Network) -> None:
    net.op("negative", "n", "z")
    net.op("exp", "e", "n")
    net.op("add", "d", 1, "e")
    net.op("divide", "A", 1, "d")


def test_the_slope_of_a_sigmoid_is_a_times_one_minus_a() -> None:
    net = Network(z=rng.normal(size=(4, 3)), G=rng.normal(size=(4, 3)))
    _sigmoid(net)
    net.op("multiply", "w", "A", "G")
    net.op("sum", "L", "w")
    free, closed = fold(net, "L", "z", "z A G")
    a = entry("A", *free)
    assert equal(closed, multiply(entry("G", *free), a, add(constant(1), scale(a, -1))))


def test_a_sigmoid_with_binary_cross_entropy_is_a_minus_y() -> None:
    net = Network(z=rng.normal(size=(4, 3)), Y=(rng.random((4, 3)) > 0.5) * 1.0)
    _sigmoid(net)
    net.op("log", "log_a", "A")
    net.op("multiply", "first", "Y", "log_a")
    net.op("subtract", "other", 1, "A")
    net.op("log", "log_other", "other")
    net.op("subtract", "no", 1, "Y")
    net.op("multiply", "second", "no", "log_other")
    net.op("add", "both", "first", "second")
    net.op("mean", "m", "both")
    net.op("negative", "L", "m")
    free, closed = fold(net, "L", "z", "z Y A")
    count = [power(of_factor(Size(i.axis)), -1) for i in free if isinstance(i, Index)]
    assert equal(closed, multiply(*count, add(entry("A", *free), scale(entry("Y", *free), -1))))


def test_indicator_targets_fold_with_the_lemma_about_their_rows() -> None:
    net = Network(A=rng.normal(size=(4, 3)), T=np.eye(3)[[0, 2, 1, 1]])
    net.op("exp", "e", "A")
    net.op("sum", "s", "e", axis=1, keepdims=True)
    net.op("divide", "Y", "e", "s")
    net.op("log", "log_y", "Y")
    net.op("multiply", "tot", "T", "log_y")
    net.op("sum", "cost", "tot")
    net.definitions()
    i, k = (Index(n, a) for n, a in zip("ik", net.axes()["T"], strict=True) if a is not None)
    rows = Lemma(Term(Fraction(1), (k,), entry("T", i, k)[0].factors), constant(1), "rows of T sum to 1")
    free, closed = fold(net, "cost", "A", "A Y T", lemmas=[rows])
    assert equal(closed, add(entry("T", *free), scale(entry("Y", *free), -1)))
    free, without = fold(net, "cost", "A", "A Y T")
    assert not equal(without, add(entry("T", *free), scale(entry("Y", *free), -1)))


@pytest.mark.parametrize("axis", [0, 1], ids=["batch", "layer"])
def test_normalisation_folds_into_three_terms(axis: int) -> None:
    net = Network(x=rng.normal(size=(4, 3)), G=rng.normal(size=(4, 3)), eps=1e-3)
    net.op("mean", "mu", "x", axis=axis, keepdims=True)
    net.op("subtract", "xc", "x", "mu")
    net.op("square", "sq", "xc")
    net.op("mean", "var", "sq", axis=axis, keepdims=True)
    net.op("add", "ve", "var", "eps")
    net.op("sqrt", "std", "ve")
    net.op("divide", "xh", "xc", "std")
    net.op("multiply", "w", "xh", "G")
    net.op("sum", "L", "w")
    free, closed = fold(net, "L", "x", "x G mu std xh")
    over = free[axis]
    assert isinstance(over, Index)
    run = Index("run", over.axis)
    inside = tuple(run if p == axis else i for p, i in enumerate(free))
    g, xh, n = entry("G", *inside), entry("xh", *inside), power(of_factor(Size(over.axis)), -1)
    std = entry("std", *(0 if p == axis else i for p, i in enumerate(free)))
    centred = add(
        entry("G", *free),
        scale(multiply(n, sum_over(run, g)), -1),
        scale(multiply(n, entry("xh", *free), sum_over(run, multiply(g, xh))), -1),
    )
    assert equal(closed, multiply(power(std, -1), centred))


def test_a_square_is_not_undone_by_a_root() -> None:
    net = Network(w=np.array([-2.0, 3.0]), reg=0.1)
    net.op("square", "ww", "w")
    net.op("sum", "s", "ww")
    net.op("multiply", "L", "reg", "s")
    free, closed = fold(net, "L", "w", "ww reg")
    assert equal(closed, scale(multiply(entry("reg"), entry("w", *free)), 2))


def test_the_root_of_a_product_is_not_taken_apart() -> None:
    """√(n s) is not √n √s where both are negative."""
    net = Network(v=np.array([2.0, 3.0]), s=np.array([-1.0, -2.0]))
    net.op("divide", "n", "v", "s")
    net.op("sqrt", "r", "v")
    net.op("sum", "L", "r")
    fold(net, "L", "v", "n s")


def test_nothing_is_divided_by_a_mask() -> None:
    with pytest.raises(ValueError, match="condition does not hold"):
        power(of_factor(Delta(Index("a", Axis("N")), 0)), -1)


def test_without_time_the_input_comes_back() -> None:
    net = classifier()
    _, derived = net.gradient("loss", "scores")
    assert equal(closed_form(derived, net.definitions(), ["probs"], budget_seconds=0.0), derived)
