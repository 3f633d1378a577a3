import numpy as np
np.random.seed(0)

def batches(X, y, size):
    for at in range(0, len(X), size):
        yield X[at:at + size], y[at:at + size]

def epochs(n):
    yield from range(n)

X, y, W = np.random.randn(8, 3), np.random.randn(8, 1), np.random.randn(3, 1)
for e in epochs(3):
    for xb, yb in batches(X, y, 4):
        d = xb @ W - yb
        loss = 0.5 * np.sum(d ** 2)
        W -= 0.05 * xb.T @ d
print(round(loss, 6))
