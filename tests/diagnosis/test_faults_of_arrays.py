"""Faults in what a statement does to an array: another one is changed or read, or only a part, or nothing is done."""

from __future__ import annotations

import pytest

from tests.diagnosis.planted import Planted, assert_told, wrong

CLASSIFIER = """\
import numpy as np
rng = np.random.default_rng(0)
N, D, H, C = 12, 3, 5, 4
X, y = rng.normal(size=(N, D)), rng.integers(0, C, 12)
W1, W2 = rng.normal(size=(D, H)), rng.normal(size=(H, C))
for step in range(4):
    h = np.maximum(0, X @ W1)
    scores = h @ W2
    probs = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    loss = -np.log(probs[range(N), y]).mean()
    dscores = probs.copy()
    dscores[range(N), y] -= 1
    dscores /= N
    dW2 = h.T @ dscores
    dh = dscores @ W2.T
    dh[h <= 0] = 0
    dW1 = X.T @ dh
    W1 -= 0.5 * dW1
    W2 -= 0.5 * dW2
"""

RIDGE = """\
import numpy as np
rng = np.random.default_rng(1)
X, y = np.c_[np.ones(12), rng.normal(size=(12, 3))], rng.normal(size=12)
theta, lam, m = rng.normal(size=4), 0.5, 12
for step in range(4):
    error = X @ theta - y
    cost = np.sum(error ** 2) / (2 * m) + lam / (2 * m) * np.sum(theta ** 2)
    penalty = theta.copy()
    grad = X.T @ error / m
    grad += lam / m * penalty
    theta = theta - 0.3 * grad
"""

HIDDEN = """\
import numpy as np
rng = np.random.default_rng(2)
X, T = rng.normal(size=(12, 3)), rng.normal(size=(12, 2))
W1, W2 = rng.normal(size=(3, 5)), rng.normal(size=(5, 2))
def relu_backward(d, z):
    dx = d * (z > 0)
    return dx
for step in range(4):
    z = X @ W1
    h = np.maximum(z, 0)
    out = h @ W2
    loss = 0.5 * np.mean((out - T) ** 2)
    d_out = out - T
    dW2 = h.T @ d_out / len(X)
    dz = relu_backward(d_out @ W2.T, z)
    dW1 = X.T @ dz / len(X)
    W1 -= 0.1 * dW1
    W2 -= 0.1 * dW2
"""

SMOOTH = """\
import numpy as np
rng = np.random.default_rng(3)
X, hard = rng.normal(size=(12, 3)), np.eye(4)[rng.integers(0, 4, 12)]
soft = 0.9 * hard + 0.1 / 4
W = rng.normal(size=(3, 4))
for step in range(4):
    z = X @ W
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    loss = -np.sum(soft * np.log(p)) / len(X)
    dz = (p - soft) / len(X)
    dW = X.T @ dz
    W -= 0.1 * dW
"""

SAMPLES = """\
import numpy as np
rng = np.random.default_rng(4)
pairs = [(rng.normal(size=(3, 1)), rng.normal(size=(2, 1))) for _ in range(3)]
ws, bs = [rng.normal(size=(4, 3)), rng.normal(size=(2, 4))], [np.zeros((4, 1)), np.zeros((2, 1))]
def gradients(x, y):
    h = np.tanh(ws[0] @ x + bs[0])
    e = ws[1] @ h + bs[1] - y
    cost = 0.5 * np.sum(e ** 2)
    d = (ws[1].T @ e) * (1 - h ** 2)
    return cost, [d @ x.T, e @ h.T], [d, e]
for epoch in range(3):
    sum_w, sum_b = [np.zeros_like(w) for w in ws], [np.zeros_like(b) for b in bs]
    for x, y in pairs:
        cost, dws, dbs = gradients(x, y)
        sum_w = [s + d for s, d in zip(sum_w, dws)]
        sum_b = [s + d for s, d in zip(sum_b, dbs)]
    ws = [w - 0.1 * s for w, s in zip(ws, sum_w)]
    bs = [b - 0.1 * s for b, s in zip(bs, sum_b)]
"""

RESIDUAL = """\
import numpy as np
rng = np.random.default_rng(5)
X, T = rng.normal(size=(12, 3)), rng.normal(size=(12, 2))
W1, W2 = rng.normal(size=(3, 5)), rng.normal(size=(5, 2))
for step in range(4):
    h = np.tanh(X @ W1)
    out = h @ W2
    loss = 0.5 * np.mean((out - T) ** 2)
    d_out = (out - T) / T.size
    dW2 = h.T @ d_out
    dh = d_out @ W2.T
    dW1 = X.T @ (dh * (1 - h * h))
    W1 -= 0.1 * dW1
    W2 -= 0.1 * dW2
"""

MARGINS = """\
import numpy as np
rng = np.random.default_rng(6)
N = 10
X, y = rng.normal(size=(N, 3)), rng.integers(0, 4, N)
W, reg = rng.normal(size=(3, 4)), 0.01
for step in range(4):
    S = X @ W
    M = np.maximum(0, S - S[np.arange(N), y][:, None] + 1)
    M[np.arange(N), y] = 0
    loss = M.sum() / N + reg * np.sum(W * W)
    mask = (M > 0).astype(float)
    mask[np.arange(N), y] = -np.sum(mask, axis=1)
    dW = X.T @ mask / N + 2 * reg * W
    W -= 0.1 * dW
"""

WEIGHTED = """\
import numpy as np
rng = np.random.default_rng(7)
X, y, weight = rng.normal(size=(10, 3)), rng.integers(0, 2, (10, 1)).astype(float), rng.uniform(0.5, 1.5, 10)
W, b = np.zeros((3, 1)), 0.0
for step in range(4):
    p = 1 / (1 + np.exp(-(X @ W + b)))
    loss = -np.mean(weight[:, None] * (y * np.log(p) + (1 - y) * np.log(1 - p)))
    dz = (p - y) * weight[:, None] / len(y)
    dW = X.T @ dz.sum(axis=1, keepdims=True)
    db = dz.sum()
    W -= 0.3 * dW
    b -= 0.3 * db
"""

STRIDED = """\
import numpy as np
rng = np.random.default_rng(8)
x, target = rng.normal(size=7), rng.normal(size=4)
gain, w, k, s, pad = rng.normal(size=7), rng.normal(size=3), 3, 2, 1
for step in range(4):
    a = np.zeros(9)
    a[pad:-pad] = x * gain
    out = np.zeros(4)
    for i in range(4):
        out[i] = np.dot(a[i * s:i * s + k], w)
    loss = 0.5 * np.sum((out - target) ** 2)
    d_out = out - target
    dw, da = np.zeros(k), np.zeros(9)
    for i in range(4):
        dw += d_out[i] * a[i * s:i * s + k]
        da[i * s:i * s + k] += d_out[i] * w
    d_gain = da[pad:-pad] * x
    w -= 0.05 * dw
    gain -= 0.05 * d_gain
"""

POOLED = """\
import numpy as np
rng = np.random.default_rng(9)
image, target = rng.normal(size=(4, 6)), rng.normal(size=(2, 3))
gain = 1 + 0.1 * rng.normal(size=(4, 6))
for step in range(4):
    a = image * gain
    out = np.zeros((2, 3))
    for i in range(2):
        for j in range(3):
            out[i, j] = np.max(a[2 * i:2 * i + 2, 2 * j:2 * j + 2])
    loss = 0.5 * np.sum((out - target) ** 2)
    d_out = out - target
    d_a = np.zeros_like(a)
    for i in range(2):
        for j in range(3):
            window = a[2 * i:2 * i + 2, 2 * j:2 * j + 2]
            r, c = np.unravel_index(np.argmax(window), window.shape)
            d_a[2 * i + r, 2 * j + c] += d_out[i, j]
    d_gain = d_a * image
    gain -= 0.05 * d_gain
"""

FAULTS = {
    "a value that nothing reads is changed": Planted(
        CLASSIFIER,
        "    dscores[range(N), y] -= 1",
        "    scores[range(N), y] -= 1",
        "wrong operand",
        "dscores[range(N), y] -= 1",
    ),
    "a value that the backward pass still needs is changed": Planted(
        CLASSIFIER, "    dscores[range(N), y] -= 1", "    h[range(N), y] -= 1", "wrong operand", "dscores[range(N), y] -= 1"
    ),
    "a penalty is taken of a part of a parameter": Planted(
        RIDGE,
        "    grad += lam / m * penalty",
        "    grad[1:] += lam / m * theta[1:]",
        "missing term",
        "grad += lam / m * theta",
    ),
    "a penalty is taken away from the intercept": Planted(
        RIDGE, "    grad = X.T", "    penalty[0] = 0\n    grad = X.T", "missing term", "pass"
    ),
    "a slope is forgotten, so that a value only gets another name": Planted(
        HIDDEN, "    dx = d * (z > 0)", "    dx = d", "missing mask", "dx = d * (z > 0)"
    ),
    "an output is taken for its gradient": Planted(
        HIDDEN, "    d_out = out - T", "    d_out = out", "missing term", "d_out = out - T"
    ),
    "of the weights' sums only the last sample's is kept": Planted(
        SAMPLES,
        "        sum_w = [s + d for s, d in zip(sum_w, dws)]",
        "        sum_w = [d for s, d in zip(sum_w, dws)]",
        "accumulation",
        "sum_w = [s + d for s, d in zip(sum_w, dws)]",
    ),
    "of the biases' sums only the last sample's is kept": Planted(
        SAMPLES,
        "        sum_b = [s + d for s, d in zip(sum_b, dbs)]",
        "        sum_b = [d for s, d in zip(sum_b, dbs)]",
        "accumulation",
        "sum_b = [s + d for s, d in zip(sum_b, dbs)]",
    ),
    "a slope stands alone": Planted(
        RESIDUAL,
        "    dW1 = X.T @ (dh * (1 - h * h))",
        "    dW1 = X.T @ (1 - h * h)",
        "missing derivative",
        "dW1 = X.T @ ((1 - h * h) * dh)",
    ),
    "one is subtracted for all margins that are not met": Planted(
        MARGINS,
        "    mask[np.arange(N), y] = -np.sum(mask, axis=1)",
        "    mask[np.arange(N), y] = -1",
        "wrong operand",
        "mask[np.arange(N), y] = -np.sum(mask, axis=1)",
    ),
    "the same in place": Planted(
        MARGINS,
        "    mask[np.arange(N), y] = -np.sum(mask, axis=1)",
        "    mask[np.arange(N), y] -= 1",
        "wrong operand",
        "mask[np.arange(N), y] -= np.sum(mask, axis=1)",
    ),
    "weights of samples meet a column": Planted(
        WEIGHTED,
        "    dz = (p - y) * weight[:, None] / len(y)",
        "    dz = (p - y) * weight / len(y)",
        "axis",
        "dz = (p - y) * weight[:, None] / len(y)",
    ),
    "a stride is forgotten": Planted(
        STRIDED,
        "        da[i * s:i * s + k] += d_out[i] * w",
        "        da[i:i + k] += d_out[i] * w",
        "wrong operand",
        "da[i * s:i * s + k] += d_out[i] * w",
    ),
    "the borders are cut off wrongly": Planted(
        STRIDED,
        "    d_gain = da[pad:-pad] * x",
        "    d_gain = da[2 * pad:] * x",
        "wrong operand",
        "d_gain = da[pad:-pad] * x",
    ),
    "row and column of a maximum are exchanged": Planted(
        POOLED,
        "            d_a[2 * i + r, 2 * j + c] += d_out[i, j]",
        "            d_a[2 * i + c, 2 * j + r] += d_out[i, j]",
        "wrong operand",
        "d_a[2 * i + r, 2 * j + c] += d_out[i, j]",
    ),
    "hard labels stand for soft ones": Planted(
        SMOOTH, "    dz = (p - soft) / len(X)", "    dz = (p - hard) / len(X)", "wrong operand", "dz = (p - soft) / len(X)"
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_by_its_kind_and_mended(name: str) -> None:
    assert_told(FAULTS[name])


BRANCHES = """\
import numpy as np
rng = np.random.default_rng(10)
class Branch:
    def __init__(self):
        self.W = 0.5 * rng.normal(size=(4, 3))
    def forward(self, x):
        self.x, self.h = x, np.tanh(x @ self.W)
        return self.h
    def backward(self, dh):
        self.dW += self.x.T @ (dh * (1 - self.h ** 2))
net, A, B = Branch(), rng.normal(size=(8, 4)), rng.normal(size=(8, 4))
for step in range(4):
    net.dW = np.zeros_like(net.W)
    one = net.forward(A)
    other = net.forward(B)
    loss = np.mean(np.sum((one - other) ** 2, axis=1))
    d = 2 * (one - other) / len(A)
    net.backward(-d)
    net.forward(A)
    net.backward(d)
    net.W -= 0.1 * net.dW
"""


def test_what_a_second_forward_pass_overwrote_is_told_at_the_call_that_reads_it() -> None:
    assert not wrong(BRANCHES)
    [(_, part)] = wrong(BRANCHES.replace("    net.forward(A)\n", ""))
    assert part.source == "net.backward(d)"
    assert part.diagnosis is not None
    assert part.diagnosis.kind == "stale operand"
    [edit] = part.diagnosis.edits
    assert [line.strip() for line in edit.new.split("\n")] == ["net.forward(A)", "net.backward(d)", "net.forward(B)"]


@pytest.mark.parametrize("program", [CLASSIFIER, RIDGE, HIDDEN, SMOOTH, SAMPLES, RESIDUAL, MARGINS, WEIGHTED, STRIDED, POOLED])
def test_the_same_programs_without_the_fault_are_right(program: str) -> None:
    assert not wrong(program)
