"""A classifier for rare positives: the focal loss weighs each sample by how wrong it is."""
import numpy as np

rng = np.random.default_rng(81)
X = rng.normal(size=(50, 4))
y = (X[:, 0] + 0.5 * rng.normal(size=50) > 1.2).astype(float)
w, b, gamma = np.zeros(4), -1.0, 2.0
for step in range(5):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    pt = np.where(y == 1, p, 1 - p)
    loss = np.mean(-((1 - pt) ** gamma) * np.log(pt))
    dpt = gamma * (1 - pt) ** (gamma - 1) * np.log(pt) - (1 - pt) ** gamma / pt
    dp = np.where(y == 1, dpt, -dpt) / len(y)
    dz = dp * p * (1 - p)
    w -= 2.0 * (X.T @ dz)
    b -= 2.0 * dz.sum()
