import numpy as np
np.random.seed(0)

B, S, D = 2, 3, 4
X, T = np.random.randn(B, S, D), np.random.randn(B, S, D)
Wq, Wk, Wv = (np.random.randn(D, D) * 0.4 for _ in range(3))
for step in range(3):
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    A = np.einsum('bid,bjd->bij', Q, K) / np.sqrt(D)
    A = np.where(np.tril(np.ones((S, S))) > 0, A, -1e9)
    P = np.exp(A - A.max(-1, keepdims=True))
    P = P / P.sum(-1, keepdims=True)
    O = P @ V
    loss = 0.5 * ((O - T) ** 2).sum()
    dO = O - T
    dV = np.einsum('bij,bid->bjd', P, dO)
    dP = dO @ V.transpose(0, 2, 1)
    dA = P * (dP - (dP * P).sum(-1, keepdims=True)) / np.sqrt(D)
    dQ, dK = dA @ K, dA.swapaxes(1, 2) @ Q
    Wq -= 0.05 * np.einsum('bsd,bsf->df', X, dQ)
    Wk -= 0.05 * np.tensordot(X, dK, axes=([0, 1], [0, 1]))
    Wv -= 0.05 * np.einsum('bsd,bsf->df', X, dV)
print(np.round(loss, 6))
