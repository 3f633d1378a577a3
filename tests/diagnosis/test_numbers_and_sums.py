"""Gradients that are numbers, steps with limits, averages under a gradient's name, and sums whose axes are lost."""

from __future__ import annotations

import pytest

from tests.building.explained import analysed_source
from tests.diagnosis.planted import Planted, assert_told, wrong
from tracer.diagnosis import targets

COUNTS = """\
import numpy as np
rng = np.random.default_rng(0)
X, y = rng.normal(size=(20, 3)), rng.poisson(2.0, 20)
w, offset = np.zeros(3), np.zeros(1)
for step in range(1, 6):
    rate = np.exp(X @ w + offset)
    loss = np.mean(rate - y * np.log(rate))
    error = rate - y
    dw = X.T @ error / len(X)
    doffset = np.mean(error)
    eta = 0.5 / (1 + 0.01 * step)
    w -= eta * dw
    offset -= np.clip(eta * doffset, -0.01, 0.01)
"""

ATTENTION = """\
import numpy as np
rng = np.random.default_rng(1)
T = 5
X, Y = rng.normal(size=(T, 4)), rng.normal(size=(T, 3))
Wq, Wk, Wv = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
for step in range(3):
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    S = Q @ K.T / np.sqrt(3)
    A = np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)
    out = A @ V
    loss = 0.5 * np.sum((out - Y) ** 2)
    dout = out - Y
    dA = dout @ V.T
    inner = (dA * A).sum(axis=1, keepdims=True)
    dS = A * (dA - inner) / np.sqrt(3)
    dWv = X.T @ (A.T @ dout)
    dWq = X.T @ (dS @ K)
    dWk = X.T @ (dS.T @ Q)
    Wq -= 0.1 * dWq
    Wk -= 0.1 * dWk
    Wv -= 0.1 * dWv
"""

VELOCITIES = """\
import numpy as np
rng = np.random.default_rng(2)
X, Y = rng.normal(size=(2, 15)), rng.normal(size=(1, 15))
parameters = {"W1": rng.normal(size=(4, 2)), "b1": np.zeros((4, 1)), "W2": rng.normal(size=(1, 4)), "b2": np.zeros((1, 1))}
v = {"d" + k: np.zeros_like(p) for k, p in parameters.items()}
for i in range(4):
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    Z2 = parameters["W2"] @ A1 + parameters["b2"]
    cost = np.sum((Z2 - Y) ** 2) / (2 * 15)
    dZ2 = (Z2 - Y) / 15
    dZ1 = parameters["W2"].T @ dZ2 * (1 - A1 ** 2)
    grads = {"dW2": dZ2 @ A1.T, "db2": dZ2.sum(axis=1, keepdims=True)}
    grads["dW1"] = dZ1 @ X.T
    grads["db1"] = dZ1.sum(axis=1, keepdims=True)
    for s in ("W1", "b1", "W2", "b2"):
        v["d" + s] = 0.9 * v["d" + s] + (1 - 0.9) * grads["d" + s]
        parameters[s] = parameters[s] - 0.3 * v["d" + s]
"""

FAULTS = {
    "a slope, where the steps are averages that are called gradients": Planted(
        VELOCITIES, " * (1 - A1 ** 2)", " * (1 - A1)", "missing derivative",
        'dZ1 = parameters["W2"].T @ dZ2 * (1 - A1**2)',
    ),
    "a sum for a mean, in the gradient by an array of one number whose step has a limit": Planted(
        COUNTS, "doffset = np.mean(error)", "doffset = np.sum(error)", "factor", "doffset = np.mean(error)"
    ),
    "a sum that loses its axis, and fits by accident": Planted(
        ATTENTION, ".sum(axis=1, keepdims=True)\n    dS", ".sum(axis=1)\n    dS", "axis",
        "inner = (dA * A).sum(axis=1, keepdims=True)",
    ),
    "a sum over the other axis": Planted(
        ATTENTION, ".sum(axis=1, keepdims=True)\n    dS", ".sum(axis=0, keepdims=True)\n    dS", "axis",
        "inner = (dA * A).sum(axis=1, keepdims=True)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_by_its_kind_and_mended(name: str) -> None:
    assert_told(FAULTS[name])


@pytest.mark.parametrize("program", [COUNTS, ATTENTION, VELOCITIES])
def test_the_same_programs_without_the_fault_are_right(program: str) -> None:
    assert not wrong(program)


OUTPUTS = """\
import numpy as np
rng = np.random.default_rng(3)
X, Y = rng.normal(size=(2, 3, 4, 1)), rng.normal(size=(2, 3, 2, 1))
Wy, by = rng.normal(size=(2, 4)), np.zeros((2, 1))
for step in range(4):
    loss, sums = 0.0, [np.zeros_like(Wy), np.zeros_like(by)]
    for x, y in zip(X, Y):
        parts = [np.zeros_like(Wy), np.zeros_like(by)]
        for t in range(3):
            o = Wy @ x[t] + by
            loss = loss + 0.5 * np.sum((o - y[t]) ** 2)
            do = o - y[t]
            parts[0] += do @ x[t].T
            parts[1] += do
        sums = [s + p for s, p in zip(sums, parts)]
    Wy -= 0.1 * sums[0]
    by -= 0.1 * sums[1]
"""


def test_the_gradient_by_an_output_is_not_taken_for_that_by_the_bias_within_it() -> None:
    found = analysed_source(OUTPUTS)
    meant = targets(found)
    assert {name for t in meant for name in found.tape.nodes[t.wrt].names} >= {"Wy", "by"}
    assert not any(t.is_wrong for t in meant)
    assert not any("do" in found.tape.nodes[t.node].names for t in meant)
