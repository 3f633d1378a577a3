"""Inverted dropout after the hidden layer; the mask of the forward pass comes again in the backward pass."""
import numpy as np

np.random.seed(7)
N, D, H = 16, 5, 8
X = np.random.randn(N, D)
t = np.random.randn(N, 1)
W1, b1 = np.random.randn(D, H) * 0.4, np.zeros((1, H))
W2, b2 = np.random.randn(H, 1) * 0.4, np.zeros((1, 1))
keep = 0.8
for epoch in range(8):
    a1 = np.maximum(0, X.dot(W1) + b1)
    mask = (np.random.rand(*a1.shape) < keep) / keep
    d1 = a1 * mask
    out = d1.dot(W2) + b2
    loss = np.mean((out - t) ** 2)
    dout = 2 * (out - t) / N
    dW2 = d1.T.dot(dout)
    db2 = np.sum(dout, axis=0, keepdims=True)
    dd1 = dout.dot(W2.T)
    da1 = dd1 * mask
    dz1 = da1 * (a1 > 0)
    dW1 = X.T.dot(dz1)
    db1 = np.sum(dz1, axis=0, keepdims=True)
    W1 -= 0.1 * dW1
    b1 -= 0.1 * db1
    W2 -= 0.1 * dW2
    b2 -= 0.1 * db2
