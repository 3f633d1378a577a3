"""A network for the values of actions, with a target that it estimates itself and that is held constant."""

import numpy as np
rng = np.random.default_rng(0)
n_s, n_h, n_a, gamma, lr, B = 4, 8, 3, 0.95, 0.01, 16
W1, b1 = 0.5 * rng.normal(size=(n_s, n_h)), np.zeros(n_h)
W2, b2 = 0.5 * rng.normal(size=(n_h, n_a)), np.zeros(n_a)
for step in range(20):
    s, s2 = rng.normal(size=(B, n_s)), rng.normal(size=(B, n_s))
    a, r, done = rng.integers(n_a, size=B), rng.normal(size=B), rng.uniform(size=B) < .1
    h = np.maximum(0, s @ W1 + b1)
    q = h @ W2 + b2
    q2 = np.maximum(0, s2 @ W1 + b1) @ W2 + b2
    target = r + gamma * q2.max(axis=1) * (1 - done)
    dq = np.zeros_like(q)
    dq[np.arange(B), a] = (q[np.arange(B), a] - target) / B
    dW2 = h.T @ dq
    db2 = dq.sum(axis=0)
    dh = dq @ W2.T
    dh[h <= 0] = 0
    dW1 = s.T @ dh
    db1 = dh.sum(axis=0)
    W1 -= lr * dW1
    b1 -= lr * db1
    W2 -= lr * dW2
    b2 -= lr * db2
