"""Logistic regression with binary cross-entropy, a weight vector and a scalar bias."""
import numpy as np

rng = np.random.default_rng(0)
m, n = 40, 5
X = rng.normal(size=(m, n))
y = (X @ rng.normal(size=n) + 0.3 > 0).astype(float)
w = np.zeros(n)
b = 0.0
alpha = 0.5
for epoch in range(20):
    z = X @ w + b
    p = 1 / (1 + np.exp(-z))
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    dz = (p - y) / m
    dw = X.T @ dz
    db = np.sum(dz)
    w = w - alpha * dw
    b = b - alpha * db
