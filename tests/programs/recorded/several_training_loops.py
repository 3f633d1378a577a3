import numpy as np
np.random.seed(0)

X, y = np.random.randn(6, 3), np.random.randn(6, 1)
W = np.zeros((3, 1))
for i in range(4):
    d = X.dot(W) - y
    loss = np.sum(d ** 2)
    W -= 0.01 * 2 * X.T.dot(d)
print(round(loss, 6))
V = np.random.randn(3, 1)
for i in range(4):
    p = 1 / (1 + np.exp(-X.dot(V)))
    loss = -np.sum(np.log(np.where(y > 0, p, 1 - p)))
    V -= 0.1 * X.T.dot(p - (y > 0))
print(round(loss, 6))
