import numpy as np
np.random.seed(0)

X, K = np.random.randn(2, 5, 5), np.random.randn(3, 3) * 0.2
y = np.random.randn(2)
for step in range(3):
    out = np.zeros((2, 3, 3))
    for n in range(2):
        for i in range(3):
            for j in range(3):
                out[n, i, j] = np.sum(X[n, i:i + 3, j:j + 3] * K)
    act = np.maximum(out, 0)
    score = act.sum(axis=(1, 2))
    loss = 0.5 * np.sum((score - y) ** 2)
    dact = np.ones_like(act) * (score - y)[:, None, None]
    dout = dact * (out > 0)
    dK = np.zeros_like(K)
    for n in range(2):
        for i in range(3):
            for j in range(3):
                dK += dout[n, i, j] * X[n, i:i + 3, j:j + 3]
    K -= 0.01 * dK
print('loss', loss.round(6))
