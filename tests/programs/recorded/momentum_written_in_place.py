import numpy as np
np.random.seed(0)

W, v = np.random.randn(4, 1), np.zeros((4, 1))
X, y = np.random.randn(9, 4), np.random.randn(9, 1)
for i in range(5):
    e = X.dot(W) - y
    loss = 0.5 * float(np.dot(e.T, e)[0, 0])
    np.multiply(v, 0.9, out=v)
    v -= 0.01 * X.T.dot(e)
    np.add(W, v, W)
print(round(loss, 6))
