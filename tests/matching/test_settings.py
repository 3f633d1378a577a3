"""Settings that are written twice, numbers that only keep a logarithm from zero, and paths that have no derivative."""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source
from tracer.explanation.model import Part

PROGRAM = """\
import numpy as np
rng = np.random.default_rng(1)
X, t = rng.normal(size=(8, 3)), rng.integers(0, 2, (8, 1)).astype(float)
W, V = rng.normal(size=(3, 4)), rng.normal(size=(4, 1))
eps = {eps}

def leaky(x, slope=0.1):
    return np.where(x > 0, x, slope * x)

def leaky_grad(x, slope={slope}):
    return np.where(x > 0, 1.0, slope)

for i in range(5):
    z = X @ W
    h = leaky(z)
    p = 1 / (1 + np.exp(-h @ V))
    loss = -np.mean(t * np.log(p + eps) + (1 - t) * np.log(1 - p + eps))
    d = (p - t) / len(X)
    dV = h.T @ d
    dz = (d @ V.T) * leaky_grad(z)
    dW = X.T @ dz
    W -= 0.1 * dW
    V -= 0.1 * dV
"""


def gradients(source: str) -> dict[str, Part]:
    found = judged_source(source)
    return {p.target: p for line in found.lines for p in line.parts if p.target and p.whole and p.verdict}


def test_equal_defaults_of_two_functions_are_one_setting_and_a_small_guard_does_not_count() -> None:
    found = gradients(PROGRAM.format(eps="1e-8", slope=0.1))
    assert {name: p.verdict for name, p in found.items()} == dict.fromkeys(("d", "dV", "dz", "dW"), "checked")
    evidence = found["dW"].evidence
    assert evidence is not None
    assert "size of eps is negligible" in evidence.assumptions


def test_another_default_is_another_setting() -> None:
    found = gradients(PROGRAM.format(eps="1e-8", slope=0.2))
    assert found["dV"].verdict == "checked"
    assert found["dW"].verdict not in ("proved", "checked") or found["dW"].given


def test_a_guard_that_is_no_small_number_counts() -> None:
    found = gradients(PROGRAM.format(eps="0.1", slope=0.1))
    assert "wrong" in {p.verdict for p in found.values()}


HIDDEN = """\
import numpy as np
rng = np.random.default_rng(0)
X, t = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
W, V = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
for i in range(3):
    h = X @ W
    out = {call} @ V
    loss = 0.5 * np.sum((out - t) ** 2) + 0.5 * np.sum(W * W)
    d = out - t
    dV = {call}.T @ d
    dW = X.T @ (d @ V.T) + W
    V -= 0.1 * dV
    W -= 0.1 * dW
"""


@pytest.mark.parametrize("call", ["np.diff(h, prepend=0.0)", "(h * np.tanh(np.quantile(h, [0.5])))"])
def test_where_a_path_has_no_derivative_here_nothing_behind_it_is_claimed(call: str) -> None:
    """Half of ∂loss/∂W passes through a call without a formula: the other half must not be taken for all of it."""
    found = gradients(HIDDEN.format(call=call))
    assert found["d"].verdict in ("proved", "checked")
    assert found["dW"].verdict == "unexplained"


def test_the_same_with_a_path_that_has_one() -> None:
    assert gradients(HIDDEN.format(call="np.copy(h)"))["dW"].verdict == "proved"
