"""A linear embedding that is trained on triplets, from the mask of those that are too near."""

import numpy as np
rng = np.random.default_rng(0)
B, D, E, m, lr = 12, 5, 3, 1.0, 0.05
W = 0.5 * rng.normal(size=(D, E))
for it in range(20):
    a, p, q = rng.normal(size=(B, D)), rng.normal(size=(B, D)), rng.normal(size=(B, D))
    fa, fp, fn = a @ W, p @ W, q @ W
    d_pos = np.sum((fa - fp) ** 2, axis=1)
    d_neg = np.sum((fa - fn) ** 2, axis=1)
    mask = (d_pos - d_neg + m > 0).astype(float)[:, None]
    dfa = 2 * mask * (fn - fp) / B
    dfp = -2 * mask * (fa - fp) / B
    dfn = 2 * mask * (fa - fn) / B
    dW = a.T @ dfa + p.T @ dfp + q.T @ dfn
    W -= lr * dW
