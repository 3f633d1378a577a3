"""Swish, the tanh form of GELU and ELU, one after the other, each with its derivative written by hand."""
import numpy as np

np.random.seed(52)
N, D = 12, 4
X, Y = np.random.randn(N, D), np.random.randn(N, 2)
W1, W2, W3 = np.random.randn(D, 5) * 0.5, np.random.randn(5, 4) * 0.5, np.random.randn(4, 2) * 0.5
k = np.sqrt(2 / np.pi)
for it in range(4):
    z1 = X @ W1
    sig = 1 / (1 + np.exp(-z1))
    a1 = z1 * sig
    z2 = a1 @ W2
    th = np.tanh(k * (z2 + 0.044715 * z2**3))
    a2 = 0.5 * z2 * (1 + th)
    z3 = a2 @ W3
    out = np.where(z3 > 0, z3, np.exp(z3) - 1)
    loss = ((out - Y) ** 2).sum() / (2 * N)

    dout = (out - Y) / N
    dz3 = dout * np.where(z3 > 0, 1, out + 1)
    dW3 = a2.T @ dz3
    da2 = dz3 @ W3.T
    dz2 = da2 * (0.5 * (1 + th) + 0.5 * z2 * (1 - th**2) * k * (1 + 3 * 0.044715 * z2**2))
    dW2 = a1.T @ dz2
    da1 = dz2 @ W2.T
    dz1 = da1 * (sig + z1 * sig * (1 - sig))
    dW1 = X.T @ dz1
    W1 -= 0.1 * dW1
    W2 -= 0.1 * dW2
    W3 -= 0.1 * dW3
