"""An autoencoder whose decoder is the encoder transposed: the gradient has two terms."""
import numpy as np

rng = np.random.default_rng(9)
X = rng.uniform(size=(14, 6))
W = rng.normal(size=(6, 3)) * 0.5
b, c = np.zeros(3), np.zeros(6)
for it in range(8):
    H = np.tanh(X @ W + b)
    R = H @ W.T + c
    E = R - X
    loss = 0.5 * np.sum(E**2)
    dc = E.sum(axis=0)
    dH = E @ W
    dZ = dH * (1 - H**2)
    dW = X.T @ dZ + E.T @ H
    db = dZ.sum(axis=0)
    W -= 0.01 * dW
    b -= 0.01 * db
    c -= 0.01 * dc
