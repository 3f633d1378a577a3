"""A restricted Boltzmann machine that is trained with one step of contrastive divergence."""

import numpy as np
rng = np.random.default_rng(0)
sigmoid = lambda z: 1 / (1 + np.exp(-z))
nv, nh, n, lr = 6, 4, 20, 0.1
data = (rng.uniform(size=(n, nv)) < .4).astype(float)
W = 0.1 * rng.normal(size=(nv, nh)); a = np.zeros(nv); b = np.zeros(nh)
for epoch in range(20):
    v0 = data
    ph0 = sigmoid(v0 @ W + b)
    h0 = (rng.uniform(size=ph0.shape) < ph0).astype(float)
    pv1 = sigmoid(h0 @ W.T + a)
    v1 = (rng.uniform(size=pv1.shape) < pv1).astype(float)
    ph1 = sigmoid(v1 @ W + b)
    W += lr * (v0.T @ ph0 - v1.T @ ph1) / n
    a += lr * (v0 - v1).mean(axis=0)
    b += lr * (ph0 - ph1).mean(axis=0)
