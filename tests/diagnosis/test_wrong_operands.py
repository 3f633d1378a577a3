"""A wrong variable in a product or a difference: of another shape, or the same on both sides."""

from __future__ import annotations

import pytest

from tests.diagnosis.planted import Planted, assert_told, wrong

HINGES = """\
import numpy as np
rng = np.random.default_rng(0)
A, P, T = rng.normal(size=(9, 3)), rng.normal(size=(9, 3)), rng.normal(size=(9, 3))
M = rng.normal(size=(3, 2))
for step in range(4):
    a, p, n = A @ M, P @ M, T @ M
    gap = np.sum((a - p) ** 2, axis=1) - np.sum((a - n) ** 2, axis=1) + 1
    loss = np.sum(np.maximum(0, gap))
    on = (gap > 0).astype(float)[:, None]
    dp = on * -2 * (a - p)
    dn = on * 2 * (a - n)
    dM = P.T @ dp + T.T @ dn - A.T @ (dp + dn)
    M -= 0.01 * dM
"""

WORDS = """\
import numpy as np
rng = np.random.default_rng(1)
left, right = rng.normal(size=(6, 3)), rng.normal(size=(6, 3))
for step in range(4):
    u, v = left[step], right[step + 1]
    p = 1 / (1 + np.exp(-u @ v))
    loss = -np.log(p)
    du = (p - 1) * v
    dv = (p - 1) * u
    left[step] -= 0.1 * du
    right[step + 1] -= 0.1 * dv
"""

FIT = """\
import numpy as np
rng = np.random.default_rng(2)
X, y = rng.normal(size=(9, 3)), rng.integers(0, 2, 9).astype(float)
w, b, lam = rng.normal(size=3), 0.1, 0.2
for step in range(4):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    loss = -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p)) + 0.5 * lam * np.sum(w * w)
    error = p - y
    dw = X.T @ error + lam * w
    w -= 0.1 * dw
    b -= 0.1 * error.sum()
"""

ATTENTION = """\
import numpy as np
rng = np.random.default_rng(3)
X, Y = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))
Wq, Wv = rng.normal(size=(3, 5)), rng.normal(size=(3, 2))
for step in range(4):
    S, V = X @ Wq, X @ Wv
    A = np.exp(S) / np.exp(S).sum(axis=-1, keepdims=True)
    loss = np.mean((A @ V - Y) ** 2)
    dO = 2 * (A @ V - Y) / Y.size
    dV = A.T @ dO
    dA = dO @ V.T
    dS = A * (dA - (A * dA).sum(axis=-1, keepdims=True))
    Wq -= 0.1 * X.T @ dS
    Wv -= 0.1 * X.T @ dV
"""

CENTRES = """import numpy as np
rng = np.random.default_rng(4)
inside, outside = rng.normal(size=(6, 3)), rng.normal(size=(3, 6))
for center, context in [(0, 3), (2, 1), (4, 5)]:
    h = inside[center]
    u = h @ outside
    p = np.exp(u) / np.exp(u).sum()
    loss = -np.log(p[context])
    e = p.copy()
    e[context] -= 1
    d_out = np.outer(h, e)
    d_h = outside @ e
    outside -= 0.1 * d_out
    inside[center] -= 0.1 * d_h
"""

STATES = """import numpy as np
rng = np.random.default_rng(5)
xs, y = rng.normal(size=(3, 4)), rng.normal(size=2)
U, W, V = rng.normal(size=(2, 4)), rng.normal(size=(2, 2)), rng.normal(size=(2, 2))
for step in range(4):
    h = np.zeros(2)
    hs = []
    for x in xs:
        h = np.tanh(U @ x + W @ h)
        hs.append(h)
    loss = 0.5 * np.sum((V @ hs[-1] - y) ** 2)
    d = V @ hs[-1] - y
    dV, dU, dW, dh = np.outer(d, hs[-1]), np.zeros_like(U), np.zeros_like(W), V.T @ d
    for t in reversed(range(3)):
        dz = (1 - hs[t] ** 2) * dh
        dU += np.outer(dz, xs[t])
        if t > 0:
            dW += np.outer(dz, hs[t - 1])
        dh = W.T @ dz
    U -= 0.1 * dU
    W -= 0.1 * dW
    V -= 0.1 * dV
"""

FAULTS = {
    "the last state for the one before the first": Planted(
        STATES,
        "        if t > 0:\n            dW += np.outer(dz, hs[t - 1])",
        "        dW += np.outer(dz, hs[t - 1])",
        "wrong operand",
        "dW += np.outer(dz, hs[t - 1] if t > 0 else np.zeros_like(hs[t]))",
    ),
    "an array for a column of zeros and ones": Planted(
        HINGES, "    dn = on * 2 * (a - n)", "    dn = p * 2 * (a - n)", "wrong operand", "dn = on * 2 * (a - n)"
    ),
    "a number for an array": Planted(
        WORDS, "    du = (p - 1) * v", "    du = (p - 1) * loss", "wrong operand", "du = (p - 1) * v"
    ),
    "a sum of a softmax without its weights": Planted(
        ATTENTION,
        "    dS = A * (dA - (A * dA).sum(axis=-1, keepdims=True))",
        "    dS = A * (dA - dA.sum(axis=-1, keepdims=True))",
        "missing derivative",
        "dS = A * (dA - (A * dA).sum(axis=-1, keepdims=True))",
    ),
    "the wrong number in an index": Planted(
        CENTRES, "    e[context] -= 1", "    e[center] -= 1", "wrong operand", "e[context] -= 1"
    ),
    "a number squared": Planted(
        FIT, "    dw = X.T @ error + lam * w", "    dw = X.T @ error + lam * lam", "wrong operand", "dw = X.T @ error + lam * w"
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_by_its_kind_and_mended(name: str) -> None:
    assert_told(FAULTS[name])


@pytest.mark.parametrize("program", [HINGES, WORDS, FIT, ATTENTION, CENTRES, STATES])
def test_the_same_programs_without_the_fault_are_right(program: str) -> None:
    assert not wrong(program)
