"""A linear support vector machine that is trained from the mask of its margins."""

import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3)); y = np.sign(X @ np.array([1., -2, .5]) + 0.3 * rng.normal(size=40))
w = np.zeros(3); b = 0.0
lam, lr, n = 0.01, 0.1, 40
for it in range(50):
    margin = y * (X @ w + b)
    mask = margin < 1
    dw = -(X.T @ (y * mask)) / n + lam * w
    db = -np.sum(y * mask) / n
    w = w - lr * dw
    b = b - lr * db
