"""Two branches with shared weights: similar pairs come close, others are pushed beyond a margin."""
import numpy as np

rng = np.random.default_rng(64)
n, d = 14, 3
left, right = rng.normal(size=(n, d)), rng.normal(size=(n, d))
same = rng.integers(0, 2, n)
W, b = rng.normal(size=(d, 4)) * 0.6, np.zeros(4)


def branch(x):
    return np.tanh(x @ W + b)


for turn in range(4):
    u, v = branch(left), branch(right)
    diff = u - v
    dist = np.sqrt(np.sum(diff**2, axis=1) + 1e-9)
    gap = np.maximum(2.0 - dist, 0)
    loss = np.mean(same * dist**2 + (1 - same) * gap**2)
    ddist = (2 * same * dist - 2 * (1 - same) * gap) / n
    ddiff = ddist[:, None] * diff / dist[:, None]
    du = ddiff * (1 - u**2)
    dv = -ddiff * (1 - v**2)
    dW = left.T @ du + right.T @ dv
    db = du.sum(0) + dv.sum(0)
    W -= 0.1 * dW
    b -= 0.1 * db
