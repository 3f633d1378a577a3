"""Faults in models that courses teach, written as people write them: found at their line, named, and mended by a line that is run."""

from __future__ import annotations

import pytest

from tests.diagnosis.planted import Planted, assert_told, wrong

INTERCEPT = """\
import numpy as np
rng = np.random.default_rng(0)
X, y = np.column_stack([np.ones(25), rng.normal(size=(25, 3))]), rng.integers(0, 2, 25).astype(float)
theta, lam, m = rng.normal(size=4), 0.5, 25
for step in range(4):
    h = 1 / (1 + np.exp(-X @ theta))
    cost = -np.mean(y * np.log(h) + (1 - y) * np.log(1 - h)) + lam / (2 * m) * np.sum(theta[1:] ** 2)
    grad = X.T @ (h - y) / m
    grad = grad + lam / m * np.r_[0.0, theta[1:]]
    theta = theta - 0.5 * grad
"""

BIAS_COLUMN = """\
import numpy as np
rng = np.random.default_rng(1)
X, Y = np.c_[rng.normal(size=(20, 3)), np.ones(20)], rng.normal(size=(20, 2))
W, decay = rng.normal(size=(4, 2)), 0.1
for step in range(4):
    error = X @ W - Y
    cost = 0.5 * np.sum(error ** 2) + 0.5 * decay * np.sum(W[:-1] ** 2)
    dW = X.T @ error + decay * np.concatenate((W[:-1], np.zeros((1, W.shape[1]))), axis=0)
    W -= 0.01 * dW
"""

CLAIMS = """\
import numpy as np
rng = np.random.default_rng(2)
X, weight = np.c_[np.ones(30), rng.normal(size=(30, 2))], rng.uniform(0.2, 1.0, 30)
count = rng.poisson(weight * np.exp(X @ np.array([0.3, -0.2, 0.4]))).astype(float)
def likelihood(beta):
    return np.mean(weight * np.exp(X @ beta) - count * (X @ beta + np.log(weight)))
def gradient(beta):
    expected = weight * np.exp(X @ beta)
    return X.T @ (expected - count) / len(count)
beta = np.zeros(3)
for step in range(30):
    if step % 10 == 0:
        print(likelihood(beta))
    beta = beta - 0.3 * gradient(beta)
"""

TIED = """\
import numpy as np
rng = np.random.default_rng(3)
X = rng.uniform(0.1, 0.9, size=(12, 6))
W, b, c = 0.3 * rng.normal(size=(6, 4)), np.zeros(4), np.zeros(6)
def squash(v): return 1 / (1 + np.exp(-v))
for step in range(4):
    h = squash(X @ W + b)
    z = squash(h @ W.T + c)
    loss = -np.sum(X * np.log(z) + (1 - X) * np.log(1 - z)) / len(X)
    dz = (z - X) / len(X)
    dh = dz @ W * h * (1 - h)
    dW = X.T @ dh + dz.T @ h
    W -= 0.5 * dW
    b -= 0.5 * dh.sum(axis=0)
    c -= 0.5 * dz.sum(axis=0)
"""

RATINGS = """\
import numpy as np
rng = np.random.default_rng(4)
ratings = [(u, i, float(rng.integers(1, 6))) for u in range(5) for i in range(4)]
P, Q, rate, reg = rng.normal(size=(5, 3)), rng.normal(size=(4, 3)), 0.02, 0.05
for sweep in range(3):
    total = 0.0
    for u, i, r in ratings:
        e = r - P[u] @ Q[i]
        pu = P[u].copy()
        P[u] += rate * (e * Q[i] - reg * P[u])
        Q[i] += rate * (e * pu - reg * Q[i])
        total += e ** 2
    print(total)
"""

GATED = """\
import numpy as np
rng = np.random.default_rng(5)
T, N, D, H = 4, 3, 2, 3
xs, target = rng.normal(size=(T, N, D)), rng.normal(size=(N, H))
Wz, Uz, Wn, Un = (0.6 * rng.normal(size=s) for s in ((D, H), (H, H), (D, H), (H, H)))
for step in range(3):
    h, seen = np.zeros((N, H)), []
    for t in range(T):
        z = 1 / (1 + np.exp(-(xs[t] @ Wz + h @ Uz)))
        n = np.tanh(xs[t] @ Wn + h @ Un)
        seen.append((xs[t], h, z, n))
        h = z * h + (1 - z) * n
    loss = 0.5 * np.sum((h - target) ** 2)
    dWz, dUz, dWn, dUn = (np.zeros_like(w) for w in (Wz, Uz, Wn, Un))
    dh = h - target
    for x, h, z, n in reversed(seen):
        dz = dh * (h - n) * z * (1 - z)
        dn = dh * (1 - z) * (1 - n ** 2)
        dWz += x.T @ dz
        dUz += h.T @ dz
        dWn += x.T @ dn
        dUn += h.T @ dn
        dh = dz @ Uz.T + dn @ Un.T + dh * z
    for w, dw in ((Wz, dWz), (Uz, dUz), (Wn, dWn), (Un, dUn)):
        w -= 0.1 * dw
"""

STANDARDISED = """\
import numpy as np
rng = np.random.default_rng(6)
X, Y = rng.normal(size=(10, 3)), rng.normal(size=(10, 4))
W, gain = rng.normal(size=(3, 4)), np.ones(4)
for step in range(4):
    a = X @ W
    centred = a - a.mean(axis=0)
    spread = np.sqrt(np.mean(centred ** 2, axis=0) + 1e-5)
    norm = centred / spread
    loss = 0.5 * np.sum((gain * norm - Y) ** 2)
    dout = gain * norm - Y
    dgain = np.sum(dout * norm, axis=0)
    dnorm = dout * gain
    da = (dnorm - dnorm.mean(axis=0) - norm * np.mean(dnorm * norm, axis=0)) / spread
    W -= 0.01 * X.T @ da
    gain -= 0.01 * dgain
"""

RECTIFIED = """\
import numpy as np
rng = np.random.default_rng(7)
X, Y = rng.normal(size=(15, 3)), rng.normal(size=(15, 2))
W, V = rng.normal(size=(3, 6)), rng.normal(size=(6, 2))
for step in range(4):
    hidden = np.maximum(0, X @ W)
    error = hidden @ V - Y
    loss = 0.5 * np.sum(error ** 2)
    dV = hidden.T @ error
    dhidden = error @ V.T
    dhidden[hidden <= 0] = 0
    dW = X.T @ dhidden
    W -= 0.01 * dW
    V -= 0.01 * dV
"""

SHARED_ROWS = """\
import numpy as np
rng = np.random.default_rng(8)
table, centre = rng.normal(size=(6, 3)), rng.normal(size=3)
drawn = [2, 4, 2, 5]
def loss_and_gradients(table, centre):
    dtable, dcentre, loss = np.zeros_like(table), np.zeros_like(centre), 0.0
    for k in drawn:
        p = 1 / (1 + np.exp(table[k] @ centre))
        loss -= np.log(p)
        dcentre += (1 - p) * table[k]
        dtable[k] += (1 - p) * centre
    return loss, dtable, dcentre
for step in range(4):
    loss, dtable, dcentre = loss_and_gradients(table, centre)
    table -= 0.1 * dtable
    centre -= 0.1 * dcentre
"""

SQUARE_LAYER = """\
import numpy as np
rng = np.random.default_rng(9)
X, Y = rng.normal(size=(9, 4)), rng.normal(size=(9, 4))
A, B = (0.5 * rng.normal(size=(4, 4)) for _ in range(2))
moments = [(np.zeros((4, 4)), np.zeros((4, 4))) for _ in range(2)]
for step in range(1, 5):
    h = np.tanh(X @ A.T)
    loss = 0.5 * np.sum((h @ B.T - Y) ** 2)
    d = h @ B.T - Y
    dB = d.T @ h
    dh = d @ B
    dA = (dh * (1 - h ** 2)).T @ X
    for w, g, (m, v) in zip((A, B), (dA, dB), moments):
        m[...] = 0.9 * m + 0.1 * g
        v[...] = 0.99 * v + 0.01 * g ** 2
        w -= 0.01 * (m / (1 - 0.9 ** step)) / (np.sqrt(v / (1 - 0.99 ** step)) + 1e-8)
"""

#: The program, the right text, the wrong one, the kind, the line as it should be.
PLANTED = {
    "a penalty on the intercept too": (
        INTERCEPT, "np.r_[0.0, theta[1:]]", "theta", "wrong operand", "grad = grad + lam / m * np.r_[0.0, theta[1:]]",
    ),
    "a penalty on the row of biases too": (
        BIAS_COLUMN, "np.concatenate((W[:-1], np.zeros((1, W.shape[1]))), axis=0)", "W", "wrong operand",
        "dW = X.T @ error + decay * np.concatenate((W[:-1], np.zeros((1, W.shape[1]))), axis=0)",
    ),
    "the weights of the samples": (
        CLAIMS, "expected = weight * np.exp(X @ beta)", "expected = np.exp(X @ beta)", "missing derivative",
        "expected = np.exp(X @ beta) * weight",
    ),
    "the second use of a tied weight": (
        TIED, "dW = X.T @ dh + dz.T @ h", "dW = X.T @ dh", "missing term", "dW = X.T @ dh + dz.T @ h",
    ),
    "the way around the gate": (
        GATED, "dh = dz @ Uz.T + dn @ Un.T + dh * z", "dh = dz @ Uz.T + dn @ Un.T", "missing term",
        "dh = dz @ Uz.T + dn @ Un.T + dh * z",
    ),
    "the division by the standard deviation": (
        STANDARDISED, "np.mean(dnorm * norm, axis=0)) / spread", "np.mean(dnorm * norm, axis=0))", "missing derivative",
        "da = (dnorm - dnorm.mean(axis=0) - norm * np.mean(dnorm * norm, axis=0)) / spread",
    ),
    "a division turned round": (
        STANDARDISED, "np.mean(dnorm * norm, axis=0)) / spread", "np.mean(dnorm * norm, axis=0)) * spread", "factor",
        "da = (dnorm - dnorm.mean(axis=0) - norm * np.mean(dnorm * norm, axis=0)) / spread",
    ),
    "the variance for a constant": (
        STANDARDISED, "(dnorm - dnorm.mean(axis=0) - norm * np.mean(dnorm * norm, axis=0)) / spread",
        "(dnorm - dnorm.mean(axis=0)) / spread", "constant statistics",
        "da = (dnorm - dnorm.mean(axis=0)) / spread - norm * np.sum(dnorm * norm, axis=0, keepdims=True)"
        " / (centred.shape[0] * spread)",
    ),
    "a mask that cuts off nothing": (
        RECTIFIED, "dhidden[hidden <= 0] = 0", "dhidden[hidden < 0] = 0", "missing mask", "dhidden[hidden <= 0] = 0",
    ),
    "a row that is drawn twice": (
        SHARED_ROWS, "dtable[k] += (1 - p) * centre", "dtable[k] = (1 - p) * centre", "accumulation",
        "dtable[k] += (1 - p) * centre",
    ),
    "a transpose behind an optimiser that writes in place": (
        SQUARE_LAYER, "dh = d @ B\n", "dh = d @ B.T\n", "transpose", "dh = d @ B",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", PLANTED)
def test_it_is_told_at_its_line_by_its_kind_and_mended(what: str) -> None:
    assert_told(Planted(*PLANTED[what]))


@pytest.mark.parametrize("what", PLANTED)
def test_without_it_nothing_is_called_wrong(what: str) -> None:
    assert wrong(PLANTED[what][0]) == []


def test_a_row_that_is_no_copy_is_told_where_it_shows_and_mended_where_it_was_taken() -> None:
    found = wrong(RATINGS.replace("P[u].copy()", "P[u]"))
    assert {line for line, _ in found} == {11}
    [diagnosis] = {p.diagnosis.says: p.diagnosis for _, p in found if p.diagnosis is not None}.values()
    assert (diagnosis.kind, diagnosis.fix) == ("stale operand", "pu = P[u].copy()")
    assert "Line 9 only gives the array another name" in diagnosis.says
    assert wrong(RATINGS) == []


def test_a_gradient_that_nothing_is_added_to_is_told_where_it_was_made() -> None:
    found = wrong(GATED.replace("        dUz += h.T @ dz\n", ""))
    assert [(line, p.diagnosis and p.diagnosis.kind) for line, p in found] == [(14, "missing term")]


ONE_ARRAY = """\
import numpy as np
rng = np.random.default_rng(10)
X, Y = rng.normal(size=(10, 4)), rng.normal(size=(10, 4))
W1 = 0.4 * rng.normal(size=(4, 4))
W2 = W1
for step in range(4):
    h = np.tanh(X @ W1)
    out = h @ W2
    loss = 0.5 * np.sum((out - Y) ** 2)
    d = out - Y
    dW2 = h.T @ d
    dW1 = X.T @ (d @ W2.T * (1 - h ** 2))
    W2 -= 0.01 * dW2
    W1 -= 0.01 * dW1
"""


def test_one_array_under_two_names_may_go_down_its_gradient_in_two_steps() -> None:
    assert wrong(ONE_ARRAY) == []
    assert wrong(ONE_ARRAY.replace("(1 - h ** 2))", "(1 - h))")) != []


MEAN = """\
import numpy as np
rng = np.random.default_rng(11)
X, Y = rng.normal(size=(10, 4)), rng.normal(size=(10, 3))
A, B, c = 0.4 * rng.normal(size=(4, 5)), 0.4 * rng.normal(size=(5, 3)), np.zeros(3)
for step in range(4):
    h = np.tanh(X @ A)
    d = h @ B + c - Y
    loss = 0.5 * np.sum(d ** 2) / len(X)
    dB = h.T @ d
    dc = d.mean(axis=0)
    dA = X.T @ (d @ B.T * (1 - h ** 2))
    A -= 0.01 * dA
    B -= 0.01 * dB
    c -= 0.01 * dc
"""


def test_a_gradient_that_is_exact_is_not_blamed_because_two_others_lack_a_factor() -> None:
    assert wrong(MEAN) == []
    assert [line for line, _ in wrong(MEAN.replace("h.T @ d\n", "h.T @ d / len(X)\n"))] == [11]
