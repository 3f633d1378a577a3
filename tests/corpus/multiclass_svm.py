"""The multi-class hinge loss with L2 regularisation, vectorised."""
import numpy as np

rng = np.random.default_rng(8)
N, D, C = 20, 4, 3
X = rng.normal(size=(N, D))
y = rng.integers(0, C, N)
W = rng.normal(size=(D, C)) * 0.1
reg, lr = 0.05, 0.1
for it in range(8):
    scores = X.dot(W)
    correct = scores[np.arange(N), y][:, np.newaxis]
    margins = np.maximum(0, scores - correct + 1)
    margins[np.arange(N), y] = 0
    loss = np.sum(margins) / N + 0.5 * reg * np.sum(W * W)
    binary = (margins > 0).astype(float)
    binary[np.arange(N), y] = -np.sum(binary, axis=1)
    dW = X.T.dot(binary) / N + reg * W
    W -= lr * dW
