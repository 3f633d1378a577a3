import numpy as np


class Dense:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out) * 0.3
        self.b = np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad, lr):
        dW = self.x.T @ grad
        db = grad.sum(axis=0)
        dx = grad @ self.W.T
        self.W -= lr * dW
        self.b -= lr * db
        return dx


class ReLU:
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, grad, lr):
        return grad * self.mask


class Softmax:
    def forward(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.p = e / e.sum(axis=1, keepdims=True)
        return self.p

    def backward(self, y, lr):
        g = self.p.copy()
        g[np.arange(len(y)), y] -= 1
        return g / len(y)


np.random.seed(3)
X = np.random.randn(50, 4)
y = (X[:, 0] > X[:, 1]).astype(int) + (X[:, 2] > 0)
layers = [Dense(4, 8), ReLU(), Dense(8, 3), Softmax()]
for epoch in range(30):
    out = X
    for layer in layers:
        out = layer.forward(out)
    grad = y
    for layer in reversed(layers):
        grad = layer.backward(grad, 0.1)
    if epoch % 10 == 0:
        print((out.argmax(1) == y).mean())
