"""One head of scaled dot-product attention, every gradient written out."""
import numpy as np

rng = np.random.default_rng(12)
n, d, k = 5, 6, 4
X = rng.normal(size=(n, d))
Y = rng.normal(size=(n, k))
Wq, Wk, Wv = (rng.normal(size=(d, k)) * 0.5 for _ in range(3))
for it in range(5):
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    S = Q @ K.T / np.sqrt(k)
    E = np.exp(S - S.max(axis=1, keepdims=True))
    A = E / E.sum(axis=1, keepdims=True)
    O = A @ V
    loss = np.sum((O - Y) ** 2) / n
    dO = 2 * (O - Y) / n
    dV = A.T @ dO
    dA = dO @ V.T
    dS = A * (dA - np.sum(dA * A, axis=1, keepdims=True))
    dQ = dS @ K / np.sqrt(k)
    dK = dS.T @ Q / np.sqrt(k)
    dWq, dWk, dWv = X.T @ dQ, X.T @ dK, X.T @ dV
    Wq -= 0.05 * dWq
    Wk -= 0.05 * dWk
    Wv -= 0.05 * dWv
