import numpy as np

np.random.seed(0)
N, D, H = 12, 3, 4
X = np.random.randn(N, D)
y = np.random.randn(N, 1)
W1 = np.random.randn(D, H)
b1 = np.zeros(H)
W2 = np.random.randn(H, 1)
b2 = np.zeros(1)
lr = 0.01
for epoch in range(50):
    z1 = X @ W1 + b1
    a1 = np.tanh(z1)
    out = a1 @ W2 + b2
    loss = np.mean((out - y) ** 2)
    delta2 = 2 * (out - y) / N
    delta1 = delta2 @ W2.T * (1 - a1 ** 2)
    W2 = W2 - lr * a1.T @ delta2
    b2 = b2 - lr * delta2
    W1 = W1 - lr * X.T @ delta1
    b1 = b1 - lr * delta1
