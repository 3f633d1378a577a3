"""A one-dimensional convolution written as loops over positions, and a linear output."""
import numpy as np

rng = np.random.default_rng(14)
N, L, F, K = 6, 9, 3, 2
x = rng.normal(size=(N, L))
t = rng.normal(size=(N, 1))
w = rng.normal(size=(F, K)) * 0.5
b = np.zeros(F)
V = rng.normal(size=(F * (L - K + 1), 1)) * 0.3
for step in range(5):
    out = np.zeros((N, F, L - K + 1))
    for p in range(L - K + 1):
        out[:, :, p] = x[:, p : p + K] @ w.T + b
    act = np.maximum(out, 0)
    flat = act.reshape(N, -1)
    pred = flat @ V
    loss = 0.5 * np.mean((pred - t) ** 2)
    dpred = (pred - t) / N
    dV = flat.T @ dpred
    dact = (dpred @ V.T).reshape(act.shape)
    dout = dact * (out > 0)
    dw, db = np.zeros_like(w), np.zeros_like(b)
    for p in range(L - K + 1):
        dw += dout[:, :, p].T @ x[:, p : p + K]
        db += dout[:, :, p].sum(axis=0)
    w -= 0.1 * dw
    b -= 0.1 * db
    V -= 0.1 * dV
