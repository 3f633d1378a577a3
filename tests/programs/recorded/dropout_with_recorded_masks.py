import numpy as np
np.random.seed(0)

X, y = np.random.randn(6, 4), np.random.randn(6, 1)
W1, W2 = np.random.randn(4, 8) * 0.5, np.random.randn(8, 1) * 0.5
keep = 0.8
for step in range(4):
    h = np.maximum(0, X @ W1)
    mask = (np.random.rand(*h.shape) < keep) / keep
    h *= mask
    out = h @ W2
    loss = np.mean((out - y) ** 2)
    dout = 2 * (out - y) / len(y)
    dW2 = h.T @ dout
    dh = dout @ W2.T * mask
    dh[h <= 0] = 0
    dW1 = X.T @ dh
    W1 -= 0.05 * dW1
    W2 -= 0.05 * dW2
print(float(loss) > 0)
