"""Weights as a direction and a length: the gradient of the direction is free of its own component."""
import numpy as np

rng = np.random.default_rng(55)
X, y = rng.normal(size=(16, 5)), rng.normal(size=(16, 3))
V = rng.normal(size=(5, 3))
g = np.ones(3)
b = np.zeros(3)
for epoch in range(5):
    norm = np.linalg.norm(V, axis=0)
    W = g * V / norm
    pred = X @ W + b
    loss = 0.5 * np.mean(np.sum((pred - y) ** 2, axis=1))
    dpred = (pred - y) / len(X)
    dW = X.T @ dpred
    db = dpred.sum(axis=0)
    dg = np.sum(dW * V, axis=0) / norm
    dV = g / norm * dW - g * dg / norm**2 * V
    V, g, b = V - 0.1 * dV, g - 0.1 * dg, b - 0.1 * db
