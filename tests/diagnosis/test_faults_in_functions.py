"""Faults in programs of functions, layers and samples: told at the line that is to blame, not at code that others run rightly."""

from __future__ import annotations

import pytest

from tests.diagnosis.planted import Planted, assert_told, wrong

GATES = """\
import numpy as np
rng = np.random.default_rng(3)
N, D, H = 6, 3, 4
x, c, target = rng.normal(size=(D, N)), rng.normal(size=(H, N)), rng.normal(size=(H, N))
W, b = 0.5 * rng.normal(size=(3 * H, D)), np.zeros((3 * H, 1))
def sigmoid(v): return 1 / (1 + np.exp(-v))
for step in range(3):
    a = W @ x + b
    i, f, g = sigmoid(a[:H]), sigmoid(a[H:2 * H]), np.tanh(a[2 * H:])
    s = f * c + i * g
    loss = 0.5 * np.sum((s - target) ** 2)
    ds = s - target
    da = np.vstack([ds * g * i * (1 - i), ds * c * f * (1 - f), ds * i * (1 - g ** 2)])
    W -= 0.1 * da @ x.T
    b -= 0.1 * da.sum(axis=1, keepdims=True)
"""

NORMS = """\
import numpy as np
rng = np.random.default_rng(4)
N, D = 8, 5
X, Y = rng.normal(size=(N, D)), rng.normal(size=(N, D))
V, W, U = [0.4 * rng.normal(size=(D, D)) for _ in range(3)]
g1, g2 = np.ones(D), np.ones(D)
def norm(x, g):
    c = x - x.mean(axis=1, keepdims=True)
    r = 1 / np.sqrt((c ** 2).mean(axis=1, keepdims=True) + 1e-5)
    return c * r * g, (c * r, r)
def norm_back(d, g, cache):
    n, r = cache
    dn = d * g
    dx = r * (dn - dn.mean(axis=1, keepdims=True) - n * (dn * n).mean(axis=1, keepdims=True))
    return dx, (d * n).sum(axis=0)
for step in range(3):
    y1, cache1 = norm(X @ V, g1)
    h = np.tanh(y1 @ W)
    y2, cache2 = norm(h, g2)
    out = y2 @ U
    loss = np.mean((out - Y) ** 2)
    dout = 2 * (out - Y) / out.size
    dU = y2.T @ dout
    dh, dg2 = norm_back(dout @ U.T, g2, cache2)
    dz = dh * (1 - h ** 2)
    dW = y1.T @ dz
    dx, dg1 = norm_back(dz @ W.T, g1, cache1)
    dV = X.T @ dx
    for p, d in ((V, dV), (W, dW), (U, dU), (g1, dg1), (g2, dg2)):
        p -= 0.1 * d
"""

LAYERS = """\
import numpy as np
rng = np.random.default_rng(5)
class Dense:
    def __init__(self, a, b): self.W = rng.normal(size=(a, b)) / np.sqrt(a)
    def forward(self, x):
        self.x = x
        return x @ self.W
    def backward(self, d):
        self.dW = self.x.T @ d
        return d @ self.W.T
    def step(self): self.W -= 0.1 * self.dW
class Noise:
    def draw(self, shape):
        self.mask = (rng.random(shape) < 0.8) / 0.8
        return self.mask
    def forward(self, x):
        return np.tanh(x * self.draw(x.shape))
    def backward(self, d, out):
        return d * (1 - out ** 2) * self.mask
    def step(self): pass
X, Y = rng.normal(size=(9, 3)), rng.normal(size=(9, 2))
layers = [Dense(3, 6), Noise(), Dense(6, 6), Noise(), Dense(6, 2)]
for it in range(3):
    outs = [X]
    for layer in layers:
        outs.append(layer.forward(outs[-1]))
    loss = np.mean((outs[-1] - Y) ** 2)
    d = 2 * (outs[-1] - Y) / Y.size
    for k in range(4, -1, -1):
        d = layers[k].backward(d) if k % 2 == 0 else layers[k].backward(d, outs[k + 1])
    for layer in layers:
        layer.step()
"""

SAMPLES = """\
import numpy as np
rng = np.random.default_rng(6)
ws = [rng.normal(size=(4, 3)), rng.normal(size=(4, 4)), rng.normal(size=(2, 4))]
pairs = [(rng.normal(size=(3, 1)), rng.random(size=(2, 1))) for _ in range(6)]
def squash(z): return 1 / (1 + np.exp(-z))
def slope(z): return squash(z) * (1 - squash(z))
def back(x, y):
    acts, zs = [x], []
    for w in ws:
        z = w @ acts[-1]
        zs.append(z)
        acts.append(squash(z))
    grads = [None] * 3
    delta = (acts[-1] - y) * slope(zs[-1])
    grads[-1] = delta @ acts[-2].T
    for l in range(2, 4):
        delta = ws[-l + 1].T @ delta * slope(zs[-l])
        grads[-l] = delta @ acts[-l - 1].T
    return grads
for step in range(3):
    total = [np.zeros_like(w) for w in ws]
    for x, y in pairs[:3]:
        total = [t + g for t, g in zip(total, back(x, y))]
    ws = [w - 0.5 * t for w, t in zip(ws, total)]
"""

MOMENTUM = """\
import numpy as np
rng = np.random.default_rng(7)
sizes = [3, 5, 5, 2]
Ws = [rng.normal(size=(a, b)) / np.sqrt(a) for a, b in zip(sizes, sizes[1:])]
vs = [np.zeros_like(W) for W in Ws]
X, Y = rng.normal(size=(10, 3)), rng.normal(size=(10, 2))
for step in range(4):
    acts = [X]
    for W in Ws:
        acts.append(np.tanh(acts[-1] @ W))
    loss = 0.5 * np.mean((acts[-1] - Y) ** 2)
    delta = (acts[-1] - Y) / Y.size * (1 - acts[-1] ** 2)
    for l in (2, 1, 0):
        W = Ws[l].copy()
        vs[l] = 0.9 * vs[l] - 0.1 * acts[l].T @ delta
        Ws[l] += vs[l]
        if l > 0:
            delta = (delta @ W.T) * (1 - acts[l] ** 2)
"""

SLOPES = """\
import numpy as np
rng = np.random.default_rng(8)
X, Y = rng.normal(size=(12, 4)), rng.normal(size=(12, 2))
W1, W2, W3 = rng.normal(size=(4, 6)), rng.normal(size=(6, 6)), rng.normal(size=(6, 2))
def relu(v): return np.maximum(v, 0)
def relu_prime(v): return (v > 0).astype(float)
for step in range(3):
    z1 = X @ W1
    z2 = relu(z1) @ W2
    out = relu(z2) @ W3
    loss = 0.5 * np.sum((out - Y) ** 2)
    d3 = out - Y
    d2 = d3 @ W3.T * relu_prime(z2)
    d1 = d2 @ W2.T * relu_prime(z1)
    W3 -= 0.01 * relu(z2).T @ d3
    W2 -= 0.01 * relu(z1).T @ d2
    W1 -= 0.01 * X.T @ d1
"""

HANDED = """\
import numpy as np
rng = np.random.default_rng(9)
class Net:
    def __init__(self): self.W = rng.normal(size=(4, 3))
    def forward(self, x): return np.tanh(x @ self.W)
    def backward(self, d, x, out): self.gW += x.T @ (d * (1 - out ** 2))
net = Net()
a, p, n = [rng.normal(size=(10, 4)) for _ in range(3)]
for step in range(3):
    fa, fp, fn = net.forward(a), net.forward(p), net.forward(n)
    loss = np.mean(np.sum((fa - fp) ** 2, axis=1) - np.sum((fa - fn) ** 2, axis=1))
    net.gW = np.zeros_like(net.W)
    net.backward(2 * (fn - fp) / 10, a, fa)
    net.backward(2 * (fp - fa) / 10, p, fp)
    net.backward(2 * (fa - fn) / 10, n, fn)
    net.W -= 0.1 * net.gW
"""

WORDS = """\
import numpy as np
rng = np.random.default_rng(10)
table, words, target = rng.normal(size=(9, 4)), np.array([3, 1, 3, 7, 1]), rng.normal(size=(5, 4))
for step in range(3):
    vectors = table[words]
    loss = 0.5 * np.sum((vectors - target) ** 2)
    dvectors = vectors - target
    dtable = np.zeros_like(table)
    np.add.at(dtable, words, dvectors)
    table -= 0.1 * dtable
"""

BATCHES = """\
import numpy as np
rng = np.random.default_rng(11)
class Norm:
    def forward(self, x):
        mu, self.std = x.mean(axis=0), np.sqrt(x.var(axis=0) + 1e-5)
        self.n = (x - mu) / self.std
        return self.n
    def backward(self, d):
        return (d - d.mean(axis=0) - self.n * (d * self.n).mean(axis=0)) / self.std
X, Y = rng.normal(size=(12, 4)), rng.normal(size=(12, 3))
W1, W2, W3 = rng.normal(size=(4, 5)), rng.normal(size=(5, 5)), rng.normal(size=(5, 3))
first, second = Norm(), Norm()
for step in range(3):
    h1 = np.tanh(first.forward(X @ W1))
    h2 = np.tanh(second.forward(h1 @ W2))
    out = h2 @ W3
    loss = np.mean((out - Y) ** 2)
    dout = 2 * (out - Y) / out.size
    dz2 = second.backward(dout @ W3.T * (1 - h2 ** 2))
    dz1 = first.backward(dz2 @ W2.T * (1 - h1 ** 2))
    W3 -= 0.1 * h2.T @ dout
    W2 -= 0.1 * h1.T @ dz2
    W1 -= 0.1 * X.T @ dz1
"""

FOCAL = """\
import numpy as np
rng = np.random.default_rng(12)
X, y = rng.normal(size=(30, 4)), rng.integers(0, 2, 30).astype(float)
w, b = rng.normal(size=4), 0.3
for step in range(3):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    pt = np.where(y == 1, p, 1 - p)
    loss = np.mean(-(1 - pt) ** 2 * np.log(pt))
    dpt = 2 * (1 - pt) * np.log(pt) - (1 - pt) ** 2 / pt
    dz = np.where(y == 1, dpt, -dpt) * p * (1 - p) / len(y)
    w -= 0.5 * X.T @ dz
    b -= 0.5 * dz.sum()
"""

RESIDUAL = """\
import numpy as np
rng = np.random.default_rng(13)
X, T = rng.normal(size=(3, 9)), rng.normal(size=(3, 9))
blocks = [{"W": 0.4 * rng.normal(size=(3, 3)), "b": np.zeros((3, 1))} for _ in range(3)]
def forward(p, h):
    a = np.tanh(p["W"] @ h + p["b"])
    return h + a, (h, a)
def backward(p, cache, dout):
    h, a = cache
    dz = dout * (1 - a ** 2)
    grads = {"W": dz @ h.T, "b": dz.sum(axis=1, keepdims=True)}
    dh = p["W"].T @ dz + dout
    return dh, grads
for step in range(3):
    h, caches = X, []
    for p in blocks:
        h, cache = forward(p, h)
        caches.append(cache)
    loss = 0.5 * np.sum((h - T) ** 2)
    delta = h - T
    for p, cache in zip(blocks[::-1], caches[::-1]):
        delta, grads = backward(p, cache, delta)
        for k in p:
            p[k] -= 0.05 * grads[k]
"""

SKIPS = """\
import numpy as np
rng = np.random.default_rng(14)
X, T = rng.normal(size=(9, 4)), rng.normal(size=(9, 1))
class Skip:
    def __init__(self): self.W = 0.5 * rng.normal(size=(5, 5))
    def forward(self, x):
        self.x, self.z = x, x @ self.W
        return x + np.maximum(self.z, 0)
    def backward(self, dout):
        dz = dout.copy()
        dz[self.z <= 0] = 0
        self.dW = self.x.T @ dz
        return dout + dz @ self.W.T
layers, first, last = [Skip(), Skip()], rng.normal(size=(4, 5)), rng.normal(size=(5, 1))
for step in range(3):
    h = X @ first
    for layer in layers:
        h = layer.forward(h)
    out = h @ last
    loss = 0.5 * np.mean((out - T) ** 2)
    dout = (out - T) / len(X)
    dlast, d = h.T @ dout, dout @ last.T
    for layer in reversed(layers):
        d = layer.backward(d)
    first -= 0.1 * X.T @ d
    last -= 0.1 * dlast
    for layer in layers:
        layer.W -= 0.1 * layer.dW
"""

STEPS = """\
import numpy as np
rng = np.random.default_rng(15)
N, T, D, H = 5, 4, 3, 4
X, Y = rng.normal(size=(T, N, D)), rng.normal(size=(T, N, H))
Wx, Wh = rng.normal(size=(D, H)), 0.5 * rng.normal(size=(H, H))
def step_forward(x, prev_h, prev_c):
    g = np.tanh(x @ Wx + prev_h @ Wh)
    next_c = 0.7 * prev_c + g
    next_h = np.tanh(next_c)
    return next_h, next_c, (x, prev_h, g, next_h)
def step_backward(dnext_h, dnext_c, cache):
    x, prev_h, g, next_h = cache
    dc = dnext_h * (1 - next_h ** 2) + dnext_c
    dz = dc * (1 - g ** 2)
    return dz @ Wh.T, 0.7 * dc, x.T @ dz, prev_h.T @ dz
for it in range(3):
    h, c, hs, caches = np.zeros((N, H)), np.zeros((N, H)), [], []
    for t in range(T):
        h, c, cache = step_forward(X[t], h, c)
        hs.append(h)
        caches.append(cache)
    loss = 0.5 * sum(np.sum((hs[t] - Y[t]) ** 2) for t in range(T))
    dprev_h, dprev_c, dWx, dWh = np.zeros((N, H)), np.zeros((N, H)), np.zeros_like(Wx), np.zeros_like(Wh)
    for t in reversed(range(T)):
        dprev_h, dprev_c, dwx, dwh = step_backward(hs[t] - Y[t] + dprev_h, dprev_c, caches[t])
        dWx += dwx
        dWh += dwh
    Wx -= 0.01 * dWx
    Wh -= 0.01 * dWh
"""

#: The program, the right text, the wrong one, the kind, and the line as it should be.
PLANTED = {
    "what the later step hands to a cell": (
        STEPS, "(1 - next_h ** 2) + dnext_c", "(1 - next_h ** 2)", "missing term", "dc = dnext_h * (1 - next_h ** 2) + dnext_c",
    ),
    "what the later step hands to the state": (
        STEPS, "hs[t] - Y[t] + dprev_h, dprev_c", "hs[t] - Y[t], dprev_c", "missing term",
        "dprev_h, dprev_c, dwx, dwh = step_backward(hs[t] - Y[t] + dprev_h, dprev_c, caches[t])",
    ),
    "a mask that is put on an array which is still read under its other name": (
        SKIPS, "dz = dout.copy()", "dz = dout", "stale operand", "dz = dout.copy()",
    ),
    "the way around a layer": (
        RESIDUAL, 'p["W"].T @ dz + dout', 'p["W"].T @ dz', "missing term", 'dh = p["W"].T @ dz + dout',
    ),
    "two parts in the wrong order": (
        GATES, "ds * g * i * (1 - i), ds * c * f * (1 - f),", "ds * c * f * (1 - f), ds * g * i * (1 - i),", "wrong operand",
        "da = np.vstack([ds * g * i * (1 - i), ds * c * f * (1 - f), ds * i * (1 - g ** 2)])",
    ),
    "the cache of another layer": (
        NORMS, "norm_back(dz @ W.T, g1, cache1)", "norm_back(dz @ W.T, g1, cache2)", "wrong operand",
        "dx, dg1 = norm_back(dz @ W.T, g1, cache1)",
    ),
    "new masks in every layer": (
        LAYERS, "return d * (1 - out ** 2) * self.mask", "return d * (1 - out ** 2) * self.draw(d.shape)",
        "fresh random numbers", "return d * (1 - out ** 2) * self.mask",
    ),
    "the slope of the activation for every sample": (
        SAMPLES, "delta * slope(zs[-l])", "delta * slope(acts[-l])", "wrong operand",
        "delta = ws[-l + 1].T @ delta * slope(zs[-l])",
    ),
    "weights that move under another name": (
        MOMENTUM, "W = Ws[l].copy()", "W = Ws[l]", "stale operand", "W = Ws[l].copy()",
    ),
    "the mask of another layer": (
        SLOPES, "d2 @ W2.T * relu_prime(z1)", "d2 @ W2.T * relu_prime(z2)", "wrong operand",
        "d1 = d2 @ W2.T * relu_prime(z1)",
    ),
    "what a call is handed": (
        HANDED, "net.backward(2 * (fn - fp) / 10, a, fa)", "net.backward(2 * (fa - fp) / 10, a, fa)", "wrong operand",
        "net.backward(2 * (fn - fp) / 10, a, fa)",
    ),
    "an index that repeats": (
        WORDS, "np.add.at(dtable, words, dvectors)", "dtable[words] += dvectors", "accumulation",
        "np.add.at(dtable, words, dvectors)",
    ),
    "statistics for constants in both layers": (
        BATCHES, "return (d - d.mean(axis=0) - self.n * (d * self.n).mean(axis=0)) / self.std", "return d / self.std",
        "constant statistics",
        "return d / self.std - (d / self.std).mean(axis=0) - self.n * (d / self.std * self.n).mean(axis=0)",
    ),
    "a sign where every gradient rests on it, a single number too": (
        FOCAL, "np.log(pt) - (1 - pt) ** 2 / pt", "np.log(pt) + (1 - pt) ** 2 / pt", "sign",
        "dpt = 2 * (1 - pt) * np.log(pt) - (1 - pt) ** 2 / pt",
    ),
}  # fmt: skip


#: Where it shows is not where it is put right.
ELSEWHERE = (
    "weights that move under another name",
    "a mask that is put on an array which is still read under its other name",
)


@pytest.mark.parametrize("what", PLANTED)
def test_a_fault_is_told_at_its_line_by_its_kind_and_mended(what: str) -> None:
    assert_told(Planted(*PLANTED[what]), what not in ELSEWHERE)


@pytest.mark.parametrize("what", PLANTED)
def test_without_it_nothing_is_called_wrong(what: str) -> None:
    assert wrong(PLANTED[what][0]) == []
