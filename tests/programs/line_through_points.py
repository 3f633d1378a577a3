"""Linear regression: the offset is a plain number, and a running total is no parameter."""
import numpy as np

np.random.seed(6)
n, d = 11, 3
x = np.random.randn(n, d)
t = x.dot(np.array([2.0, -1.0, 0.5])) + 0.5 + 0.1 * np.random.randn(n)
w = np.zeros(d)
offset = 0.0
lr = 0.1
so_far = 0.0
for k in range(20):
    guess = x.dot(w) + offset
    error = guess - t
    cost = np.sum(error ** 2) / n
    so_far += cost
    dw = 2 * x.T.dot(error) / n
    d_offset = 2 * np.sum(error) / n
    w -= lr * dw
    offset -= lr * d_offset
