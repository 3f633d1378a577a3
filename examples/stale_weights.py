"""A network that learns, although one of its gradients is wrong: find out which, and why.

It fits y = sin(x) with one ReLU layer.  (The mistake is planted: W2 is changed before it is used to
send the error back to the hidden layer.)
"""

import numpy as np

np.random.seed(1)

m = 64
x = np.linspace(-3, 3, m).reshape(m, 1)
target = np.sin(x)

units = 32
W1 = 0.5 * np.random.randn(1, units)
b1 = 0.1 * np.random.randn(units)
W2 = 0.5 * np.random.randn(units, 1)
b2 = np.zeros(1)
alpha = 0.05

for i in range(3000):
    z1 = x @ W1 + b1
    a1 = np.maximum(z1, 0)
    out = a1 @ W2 + b2
    loss = np.mean((out - target) ** 2)

    d_out = 2 * (out - target) / m
    dW2 = a1.T @ d_out
    db2 = d_out.sum(axis=0)
    W2 -= alpha * dW2
    b2 -= alpha * db2

    d_a1 = d_out @ W2.T
    d_z1 = d_a1 * (z1 > 0)
    dW1 = x.T @ d_z1
    db1 = d_z1.sum(axis=0)
    W1 -= alpha * dW1
    b1 -= alpha * db1

print("loss", loss)
