"""A network for a quantile: the slopes of its loss by np.where."""

import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3)); y = X @ np.array([1., -2, .5]) + rng.standard_t(2, size=40)
W1, b1 = 0.5 * rng.normal(size=(3, 5)), np.zeros(5)
w2, b2 = 0.5 * rng.normal(size=5), 0.0
tau, delta, lr, n = 0.8, 1.0, 0.05, 40
for it in range(30):
    a = X @ W1 + b1
    h = np.maximum(a, 0)
    pred = h @ w2 + b2
    r = pred - y
    g = np.where(r > 0, 1 - tau, -tau) / n
    dw2 = h.T @ g
    db2 = g.sum()
    dh = np.outer(g, w2)
    da = dh * (a > 0)
    dW1 = X.T @ da
    db1 = da.sum(axis=0)
    W1 -= lr * dW1
    b1 -= lr * db1
    w2 -= lr * dw2
    b2 -= lr * db2
