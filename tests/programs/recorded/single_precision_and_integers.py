import numpy as np
np.random.seed(0)

X, y = np.random.randn(6, 3).astype(np.float32), np.arange(6) % 2
W = np.random.randn(3, 2).astype('float32')
rate = np.float32(0.1)
for i in range(4):
    s = X @ W
    e = np.exp(s - s.max(axis=1)[:, None])
    p = e / e.sum(axis=1)[:, None]
    loss = -np.mean(np.log(p[np.arange(6), y]))
    onehot = np.eye(2, dtype=np.float32)[y]
    W -= rate * (X.T @ (p - onehot)) / 6
print(loss.dtype, W.dtype, round(float(loss), 5), np.mean(p.argmax(1) == y))
