"""The weights of all layers in one array of objects, which is updated as a whole."""

import numpy as np

np.random.seed(8)
sizes = [3, 5, 4, 1]
L = len(sizes) - 1
W, B = np.empty(L, dtype=object), np.empty(L, dtype=object)
for k in range(L):
    W[k] = np.random.randn(sizes[k + 1], sizes[k])
    B[k] = np.zeros((sizes[k + 1], 1))
X = np.random.rand(3, 9)
Y = np.prod(X, axis=0, keepdims=True)
momentum = np.array([np.zeros_like(w) for w in W], dtype=object)
for step in range(6):
    A = [X]
    for k in range(L):
        A.append(1.0 / (1.0 + np.exp(-(W[k] @ A[-1] + B[k]))))
    E = A[-1] - Y
    loss = np.mean(E * E)
    D = [None] * L
    D[-1] = 2 * E / E.size * A[-1] * (1 - A[-1])
    for k in range(L - 2, -1, -1):
        D[k] = W[k + 1].T @ D[k + 1] * A[k + 1] * (1 - A[k + 1])
    momentum = 0.9 * momentum + np.array([d @ a.T for d, a in zip(D, A)], dtype=object)
    W = W - 2.0 * momentum
    B -= 2.0 * np.array([d.sum(1, keepdims=True) for d in D] + [None], dtype=object)[:-1]
print(f"{loss:.6f}", W[0].shape, W.dtype)
