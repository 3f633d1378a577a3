"""Results defined by an equation: what is proved of roots, inverses and solutions, and what is not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from network import Network

from tracer.calculus import arrays_in, closed_form, entry, power, prove_equal, scale
from tracer.calculus.linearised import radicand


def _check(net: Network, root: str, wrt: str, right: str, wrong: tuple[str, ...]) -> None:
    """``right`` is ∂root/∂wrt in numbers and proved; each of ``wrong`` is neither."""
    free, derived = net.gradient(root, wrt)
    definitions = net.definitions()
    assert np.abs(net.difference(root, wrt, right)).max() < 1e-10
    assert prove_equal(derived, entry(right, *free), definitions).proved
    for name in wrong:
        assert np.abs(net.difference(root, wrt, name)).max() > 1e-3
        assert not prove_equal(derived, entry(name, *free), definitions).proved


def layer_norm() -> Network:
    """A layer norm with np.std, and its backward pass by hand."""
    rng = np.random.default_rng(0)
    net = Network(x=rng.normal(size=(5, 4)), g=rng.normal(size=(5, 4)))
    rows: dict[str, Any] = {"axis": 1, "keepdims": True}
    net.op("mean", "mu", "x", **rows)
    net.op("std", "sigma", "x", **rows)
    net.op("subtract", "centred", "x", "mu")
    net.op("divide", "xhat", "centred", "sigma")
    net.op("multiply", "weighed", "xhat", "g")
    net.op("sum", "L", "weighed")
    net.op("mean", "mean_g", "g", **rows)
    net.op("multiply", "gx", "g", "xhat")
    net.op("mean", "mean_gx", "gx", **rows)
    net.op("multiply", "along", "xhat", "mean_gx")
    net.op("subtract", "first", "g", "mean_g")
    net.op("subtract", "second", "first", "along")
    net.op("divide", "dx", "second", "sigma")
    net.op("divide", "forgot_along", "first", "sigma")
    return net


def test_a_layer_norm_with_a_standard_deviation_is_proved() -> None:
    _check(layer_norm(), "L", "x", "dx", ("forgot_along", "first", "g"))


def test_the_closed_form_of_a_layer_norm_names_no_square_of_the_deviation() -> None:
    net = layer_norm()
    _, derived = net.gradient("L", "x")
    known = ["x", "g", "mu", "sigma", "xhat"]
    closed = closed_form(derived, net.definitions(), known, budget_seconds=2.0)
    assert arrays_in(closed) <= set(known)


def test_a_standard_deviation_is_the_root_of_the_variance() -> None:
    net = Network(x=np.random.default_rng(0).normal(size=(4, 3)))
    net.op("var", "v", "x", axis=0)
    net.op("sqrt", "by_hand", "v")
    net.op("std", "s", "x", axis=0)
    net.op("std", "other", "x", axis=1)
    definitions = net.definitions()
    i = definitions["s"].free[0]
    assert prove_equal(entry("s", i), entry("by_hand", i), definitions).proved
    squared = power(entry("s", i), 2)
    assert prove_equal(squared, entry("v", i), definitions).proved
    assert not prove_equal(entry("s", i), entry("v", i), definitions).proved
    assert not prove_equal(scale(entry("s", i), 2), entry("by_hand", i), definitions).proved


def test_a_norm_divides_the_vector() -> None:
    net = Network(x=np.random.default_rng(0).normal(size=4))
    net.op("norm", "n", "x")
    net.op("divide", "unit", "x", "n")
    net.op("square", "nn", "n")
    net.op("divide", "wrong", "x", "nn")
    _check(net, "n", "x", "unit", ("wrong", "x"))


def linear_system() -> Network:
    rng = np.random.default_rng(0)
    net = Network(A=rng.normal(size=(3, 3)) + 3 * np.eye(3), b=rng.normal(size=3), g=rng.normal(size=3))
    net.op("linalg.solve", "x", "A", "b")
    net.op("multiply", "weighed", "x", "g")
    net.op("sum", "L", "weighed")
    net.op("transpose", "AT", "A")
    net.op("linalg.solve", "db", "AT", "g")
    net.op("linalg.solve", "not_transposed", "A", "g")
    net.op("outer", "product", "db", "x")
    net.op("negative", "dA", "product")
    net.op("outer", "turned", "x", "db")
    net.op("negative", "dA_turned", "turned")
    return net


@pytest.mark.parametrize(
    ("wrt", "right", "wrong"), [("b", "db", ("not_transposed",)), ("A", "dA", ("product", "dA_turned"))]
)
def test_the_gradients_of_a_linear_system_are_proved(wrt: str, right: str, wrong: tuple[str, ...]) -> None:
    _check(linear_system(), "L", wrt, right, wrong)


def test_the_gradients_of_an_inverse_and_of_a_log_determinant_are_proved() -> None:
    rng = np.random.default_rng(0)
    net = Network(A=rng.normal(size=(3, 3)) + 3 * np.eye(3), G=rng.normal(size=(3, 3)))
    net.op("linalg.inv", "B", "A")
    net.op("multiply", "weighed", "B", "G")
    net.op("sum", "L", "weighed")
    net.op("transpose", "BT", "B")
    net.op("matmul", "left", "BT", "G")
    net.op("matmul", "both", "left", "BT")
    net.op("negative", "dA", "both")
    net.op("matmul", "plain", "B", "G")
    net.op("matmul", "not_transposed", "plain", "B")
    net.op("negative", "wrong", "not_transposed")
    net.op("linalg.det", "d", "A")
    net.op("log", "logdet", "d")
    net.op("copy", "dlogdet", "BT")
    _check(net, "L", "A", "dA", ("both", "wrong"))
    _check(net, "logdet", "A", "dlogdet", ("B",))


def test_a_value_that_is_held_fixed_is_never_unfolded() -> None:
    """L · Lᵀ = A is true of a Cholesky factor, but what is written of it says only its differential."""
    x = np.random.default_rng(0).normal(size=(3, 3))
    net = Network(A=x @ x.T + np.eye(3))
    net.op("linalg.cholesky", "L", "A")
    net.op("transpose", "LT", "L")
    definitions = net.definitions()
    i, j = definitions["L"].free
    assert not prove_equal(entry("L", i, j), entry("LT", i, j), definitions).proved
    assert not prove_equal(entry("L", i, j), entry("A", i, j), definitions).proved
    assert not prove_equal(entry("L", i, j), (), definitions).proved


def test_only_a_root_has_a_radicand() -> None:
    net = linear_system()
    net.op("norm", "n", "x")
    definitions = net.definitions()
    assert [name for name, d in definitions.items() if radicand(d) is not None] == ["n"]
