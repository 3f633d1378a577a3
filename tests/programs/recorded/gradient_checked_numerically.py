import numpy as np
np.random.seed(0)

X, y, W = np.random.randn(5, 3), np.random.randn(5, 1), np.random.randn(3, 1)
def cost(W): return 0.5 * np.sum((np.tanh(X @ W) - y) ** 2)
def numerical(f, W, h=1e-5):
    grad = np.zeros_like(W)
    it = np.nditer(W, flags=['multi_index'], op_flags=['readwrite'])
    while not it.finished:
        ix = it.multi_index
        old = W[ix]
        W[ix] = old + h
        up = f(W)
        W[ix] = old - h
        down = f(W)
        W[ix] = old
        grad[ix] = (up - down) / (2 * h)
        it.iternext()
    return grad
for k in range(3):
    out = np.tanh(X @ W)
    loss = cost(W)
    dW = X.T @ ((out - y) * (1 - out ** 2))
    error = np.abs(dW - numerical(cost, W)).max()
    W -= 0.1 * dW
print(error < 1e-6, round(loss, 6))
