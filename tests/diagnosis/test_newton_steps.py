"""A step of Newton's method: its gradient is the right side of the equations, and the matrix is not judged as one."""

from __future__ import annotations

import pytest

from tests.diagnosis.planted import Planted, assert_told, wrong

CURVE = """\
import numpy as np
t = np.linspace(0, 3, 12)
seen = 2.0 * np.exp(-1.3 * t) + 0.4
p = np.array([1.0, 1.0, 0.1])
for step in range(4):
    a, k, c = p
    r = a * np.exp(-k * t) + c - seen
    sse = 0.5 * np.sum(r ** 2)
    J = np.column_stack([np.exp(-k * t), -a * t * np.exp(-k * t), np.ones_like(t)])
    g = J.T @ r
    p = p - np.linalg.solve(J.T @ J + 1e-3 * np.eye(3), g)
"""

LOGISTIC = """\
import numpy as np
rng = np.random.default_rng(0)
X, y = np.c_[np.ones(20), rng.normal(size=(20, 2))], rng.integers(0, 2, 20).astype(float)
beta, lam = np.zeros(3), 0.1
for step in range(4):
    mu = 1 / (1 + np.exp(-X @ beta))
    loss = -np.sum(y * np.log(mu) + (1 - y) * np.log(1 - mu)) + 0.5 * lam * beta @ beta
    grad = X.T @ (mu - y) + lam * beta
    S = mu * (1 - mu)
    H = X.T @ (X * S[:, None]) + lam * np.eye(3)
    beta = beta - np.linalg.inv(H) @ grad
"""

ESTIMATED = LOGISTIC.replace("beta, lam", "B = np.eye(3)\nbeta, lam").replace("np.linalg.inv(H) @ grad", "0.1 * B.dot(grad)")

FAULTS = {
    "a column of a Jacobian with the wrong sign": Planted(
        CURVE,
        "    J = np.column_stack([np.exp(-k * t), -a * t * np.exp(-k * t), np.ones_like(t)])",
        "    J = np.column_stack([np.exp(-k * t), a * t * np.exp(-k * t), np.ones_like(t)])",
        "sign",
        "J = np.column_stack([np.exp(-k * t), -a * t * np.exp(-k * t), np.ones_like(t)])",
    ),
    "a penalty that is subtracted": Planted(
        LOGISTIC,
        "    grad = X.T @ (mu - y) + lam * beta",
        "    grad = X.T @ (mu - y) - lam * beta",
        "sign",
        "grad = X.T @ (mu - y) + lam * beta",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_by_its_kind_and_mended(name: str) -> None:
    assert_told(FAULTS[name])


@pytest.mark.parametrize("program", [CURVE, LOGISTIC, ESTIMATED], ids=["solved", "inverted", "estimated"])
def test_a_right_step_is_not_blamed_for_the_matrix(program: str) -> None:
    assert not wrong(program)
