"""A residual block: the gradient of the input of the block comes along two paths."""
import numpy as np

rng = np.random.default_rng(13)
N, D = 10, 4
X = rng.normal(size=(N, D))
T = rng.normal(size=(N, D))
W1, W2, W3 = (rng.normal(size=(D, D)) * 0.4 for _ in range(3))
lr = 0.05
for it in range(6):
    h = np.tanh(X @ W1)
    r = np.maximum(h @ W2, 0)
    s = h + r
    out = s @ W3
    loss = np.mean((out - T) ** 2)
    dout = 2 * (out - T) / out.size
    dW3 = s.T @ dout
    ds = dout @ W3.T
    dr = ds * (r > 0)
    dW2 = h.T @ dr
    dh = ds + dr @ W2.T
    dW1 = X.T @ (dh * (1 - h * h))
    W1 -= lr * dW1
    W2 -= lr * dW2
    W3 -= lr * dW3
