"""As many examples as inputs as hidden units: equal numbers, different things."""
import numpy as np

rng = np.random.default_rng(4)
N = 4
D = 4
H = 4
X = rng.standard_normal((N, D))
Y = rng.standard_normal((N, 1))
W = rng.standard_normal((D, H))
V = rng.standard_normal((H, 1))
rate = 0.01
for i in range(20):
    Z = X @ W
    A = np.tanh(Z)
    out = A @ V
    err = out - Y
    loss = 0.5 * np.sum(err ** 2)
    dV = A.T @ err
    dA = err @ V.T
    dZ = dA * (1 - A ** 2)
    dW = X.T @ dZ
    V -= rate * dV
    W -= rate * dW
