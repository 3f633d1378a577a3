"""A mixture density network: the backward pass starts from the shares of each component."""

import numpy as np
rng = np.random.default_rng(0)
N, H, K, lr = 25, 6, 3, 0.02
x = rng.uniform(-1, 1, size=(N, 1)); y = np.sin(3 * x) + 0.1 * rng.normal(size=(N, 1))
W1, b1 = rng.normal(size=(1, H)), np.zeros(H)
Wp, bp = 0.5 * rng.normal(size=(H, K)), np.zeros(K)
Wm, bm = 0.5 * rng.normal(size=(H, K)), np.zeros(K)
Ws, bs = 0.5 * rng.normal(size=(H, K)), np.zeros(K)
for it in range(20):
    h = np.tanh(x @ W1 + b1)
    logits = h @ Wp + bp
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    pi = e / e.sum(axis=1, keepdims=True)
    mu = h @ Wm + bm
    sigma = np.exp(h @ Ws + bs)
    pdf = np.exp(-0.5 * ((y - mu) / sigma) ** 2) / (np.sqrt(2 * np.pi) * sigma)
    joint = pi * pdf
    gamma = joint / joint.sum(axis=1, keepdims=True)
    dpi = (pi - gamma) / N
    dmu = gamma * (mu - y) / sigma ** 2 / N
    dsig = gamma * (1 - ((y - mu) / sigma) ** 2) / N
    dWp, dbp = h.T @ dpi, dpi.sum(0)
    dWm, dbm = h.T @ dmu, dmu.sum(0)
    dWs, dbs = h.T @ dsig, dsig.sum(0)
    dh = (dpi @ Wp.T + dmu @ Wm.T + dsig @ Ws.T) * (1 - h ** 2)
    dW1, db1 = x.T @ dh, dh.sum(0)
    W1 -= lr * dW1; b1 -= lr * db1
    Wp -= lr * dWp; bp -= lr * dbp
    Wm -= lr * dWm; bm -= lr * dbm
    Ws -= lr * dWs; bs -= lr * dbs
