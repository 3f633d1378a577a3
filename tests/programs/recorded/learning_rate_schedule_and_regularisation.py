import numpy as np
np.random.seed(0)

config = dict(rate=0.2, decay=0.9, reg=1e-2, epochs=5)
X, y, W = np.random.randn(8, 3), np.random.randn(8, 1), np.random.randn(3, 1)
rate = config['rate']
for epoch in range(config['epochs']):
    out = X @ W
    data_loss = np.mean((out - y) ** 2)
    reg_loss = 0.5 * config['reg'] * np.sum(W * W)
    loss = data_loss + reg_loss
    grad = 2 * X.T @ (out - y) / X.shape[0]
    grad += config['reg'] * W
    norm = np.linalg.norm(grad)
    if norm > 1:
        grad *= 1 / norm
    W -= rate * grad
    rate *= config['decay']
print(round(loss, 6), round(rate, 6))
