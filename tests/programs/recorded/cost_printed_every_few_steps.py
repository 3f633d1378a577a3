import numpy as np
np.random.seed(0)

X, y, W = np.random.randn(8, 3), np.random.randn(8, 1), np.random.randn(3, 1)
def loss(W): return 0.5 * np.mean((X @ W - y) ** 2)
history = []
for it in range(13):
    if it % 5 == 4:
        history.append(loss(W))
        print(it, round(history[-1], 6))
    W -= 0.1 * (X.T @ (X @ W - y)) / len(X)
