"""A maxout layer: of three linear pieces the largest speaks, and only it learns."""
import numpy as np

np.random.seed(29)
N, D, H, P = 9, 3, 4, 3
X, T = np.random.randn(N, D), np.random.randn(N, 1)
W, b = np.random.randn(D, H, P) * 0.5, np.zeros((H, P))
V = np.random.randn(H, 1) * 0.5
for it in range(4):
    pieces = np.einsum("nd,dhp->nhp", X, W) + b
    winner = pieces.argmax(axis=2)
    h = pieces.max(axis=2)
    out = h.dot(V)
    E = 0.5 * np.sum((out - T) ** 2)
    d_out = out - T
    dV = h.T.dot(d_out)
    dh = d_out.dot(V.T)
    d_pieces = dh[:, :, None] * (winner[:, :, None] == np.arange(P))
    dW = np.einsum("nd,nhp->dhp", X, d_pieces)
    db = d_pieces.sum(axis=0)
    V -= 0.03 * dV
    W -= 0.03 * dW
    b -= 0.03 * db
