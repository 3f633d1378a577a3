# logistic regression whose input gradient is penalised
import numpy as np
rng = np.random.default_rng(0)
N, D, H = 20, 5, 7
X = rng.normal(size=(N, D))
y = (X[:, 0] + X[:, 1] > 0).astype(float)
W1 = rng.normal(size=(D, H)) * 0.5
w2 = rng.normal(size=H) * 0.5
lam, lr = 0.1, 0.05
for it in range(30):
    Z = X @ W1
    A = np.tanh(Z)
    s = A @ w2
    p = 1 / (1 + np.exp(-s))
    # gradient of s with respect to the input, written by hand
    V = (1 - A ** 2) * w2          # N, H
    gx = V @ W1.T                  # N, D
    bce = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    penalty = lam * np.mean(np.sum(gx ** 2, axis=1))
    loss = bce + penalty
    # backward
    ds = (p - y) / N
    dgx = 2 * lam * gx / N
    dV = dgx @ W1
    dW1 = dgx.T @ V
    dA = np.outer(ds, w2) + dV * w2 * (-2 * A)
    dw2 = A.T @ ds + np.sum(dV * (1 - A ** 2), axis=0)
    dZ = dA * (1 - A ** 2)
    dW1 += X.T @ dZ
    W1 -= lr * dW1
    w2 -= lr * dw2
