"""A factor or a term that sets one gradient apart from the others, which no size of a step explains."""

from __future__ import annotations

import pytest

from tests.diagnosis.planted import Planted, assert_told, wrong

DROPPED = """\
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(9, 3)), rng.normal(size=(9, 1))
W1, W2, keep = rng.normal(size=(3, 6)), rng.normal(size=(6, 1)), 0.8
for step in range(4):
    h = np.maximum(0, X @ W1)
    D = rng.uniform(size=h.shape) < keep
    h = h * D / keep
    loss = np.mean((h @ W2 - Y) ** 2)
    d = 2 * (h @ W2 - Y) / len(Y)
    dW2 = h.T @ d
    dh = d @ W2.T * D / keep
    dh[h <= 0] = 0
    dW1 = X.T @ dh
    W1 -= 0.1 * dW1
    W2 -= 0.1 * dW2
"""

LAYERS = """\
import numpy as np
rng = np.random.default_rng(1)
X, Y = rng.normal(size=(3, 9)), rng.normal(size=(2, 9))
W1, W2, W3 = rng.normal(size=(4, 3)), rng.normal(size=(4, 4)), rng.normal(size=(2, 4))
b3, m = np.zeros((2, 1)), 9
for step in range(4):
    A1 = np.tanh(W1 @ X)
    A2 = np.tanh(W2 @ A1)
    out = W3 @ A2 + b3
    cost = np.sum((out - Y) ** 2) / (2 * m)
    grads = {}
    dZ = out - Y
    grads["b3"] = dZ.sum(axis=1, keepdims=True) / m
    for l, A, before, W in ((3, A2, A2, W3), (2, A1, A1, W2), (1, X, X, W1)):
        grads[f"W{l}"] = dZ @ A.T / m
        dZ = W.T @ dZ * (1 - before ** 2)
    W1 -= 0.1 * grads["W1"]
    W2 -= 0.1 * grads["W2"]
    W3 -= 0.1 * grads["W3"]
    b3 -= 0.1 * grads["b3"]
"""

PENALTY = """\
import numpy as np
rng = np.random.default_rng(2)
X, Y = rng.normal(size=(9, 3)), rng.normal(size=(9, 1))
W, V, reg = rng.normal(size=(3, 4)), rng.normal(size=(4, 1)), 0.1
for step in range(4):
    h = np.tanh(X @ W)
    loss = 0.5 * np.sum((h @ V - Y) ** 2) + 0.5 * reg * (np.sum(W ** 2) + np.sum(V ** 2))
    d = h @ V - Y
    dV = h.T @ d + reg * V
    dW = X.T @ (d @ V.T * (1 - h ** 2)) + reg * W
    W -= 0.01 * dW
    V -= 0.01 * dV
"""

LINE = """\
import numpy as np
rng = np.random.default_rng(3)
X, y = rng.normal(size=(30, 3)), rng.normal(size=30)
w, b = np.zeros(3), 0.0
for step in range(4):
    error = X @ w + b - y
    w -= 0.1 * X.T @ error / 30
    b -= 0.1 * error.mean()
"""

FAULTS = {
    "a sign, where the rate stands within the product of the other step": Planted(
        LINE, "    b -= 0.1 * error.mean()", "    b += 0.1 * error.mean()", "sign", "b -= 0.1 * error.mean()"
    ),
    "what dropout keeps": Planted(
        DROPPED, "    dh = d @ W2.T * D / keep", "    dh = d @ W2.T * D", "factor", "dh = d @ W2.T * D / keep"
    ),
    "a mean that is taken in every layer": Planted(
        LAYERS,
        "        dZ = W.T @ dZ * (1 - before ** 2)",
        "        dZ = W.T @ dZ * (1 - before ** 2) / m",
        "factor",
        "dZ = W.T @ dZ * (1 - before ** 2)",
    ),
    "a penalty that is taken twice": Planted(
        PENALTY, "    W -= 0.01 * dW", "    dW += reg * W\n    W -= 0.01 * dW", "extra derivative", "pass"
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_by_its_kind_and_mended(name: str) -> None:
    assert_told(FAULTS[name])


@pytest.mark.parametrize("program", [DROPPED, LAYERS, PENALTY, LINE])
def test_the_same_programs_without_the_fault_are_right(program: str) -> None:
    assert not wrong(program)


def test_rates_of_their_own_set_no_gradient_apart() -> None:
    rates = LAYERS.replace("W1 -= 0.1 *", "W1 -= 0.05 *").replace("W2 -= 0.1 *", "W2 -= 0.02 *")
    assert rates.count("0.1 *") == 2
    assert not wrong(rates)
