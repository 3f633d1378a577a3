import numpy as np
np.random.seed(0)

W, a, b = np.random.randn(5, 3) * 0.1, np.zeros(5), np.zeros(3)
data = (np.random.rand(8, 5) > 0.5).astype(float)
sigmoid = lambda z: 1 / (1 + np.exp(-z))
for epoch in range(3):
    ph = sigmoid(data @ W + b)
    h = (ph > np.random.rand(*ph.shape)).astype(float)
    pv = sigmoid(h @ W.T + a)
    ph2 = sigmoid(pv @ W + b)
    error = np.sum((data - pv) ** 2)
    W += 0.1 * (data.T @ ph - pv.T @ ph2) / 8
    a += 0.1 * (data - pv).mean(0)
    b += 0.1 * (ph - ph2).mean(0)
print(round(error, 6))
