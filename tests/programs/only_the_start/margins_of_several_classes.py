"""A support vector machine of several classes, from the mask of its margins, with weight decay."""

import numpy as np
rng = np.random.default_rng(0)
N, D, C = 30, 4, 3
X = rng.normal(size=(N, D)); y = rng.integers(C, size=N)
W = 0.01 * rng.normal(size=(D, C))
reg, lr = 1e-2, 0.1
for it in range(30):
    scores = X @ W
    correct = scores[np.arange(N), y].reshape(-1, 1)
    margins = np.maximum(0, scores - correct + 1)
    margins[np.arange(N), y] = 0
    binary = margins
    binary[margins > 0] = 1
    row_sum = np.sum(binary, axis=1)
    binary[np.arange(N), y] = -row_sum
    dW = X.T.dot(binary) / N
    dW += 2 * reg * W
    W -= lr * dW
