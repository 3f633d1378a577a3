import numpy as np
np.random.seed(0)

W, X, y = np.random.randn(3), np.random.randn(4, 3), np.random.randn(4)
for it in range(4):
    grad = np.zeros(3)
    loss = 0.
    for i in range(4):
        out = 0.
        for j in range(3):
            out += W[j] * X[i, j]
        error = out - y[i]
        loss += error ** 2
        for j in range(3):
            grad[j] += 2 * error * X[i][j]
    for j in range(3):
        W[j] -= 0.05 * grad[j]
print(round(loss, 6))
