"""Layer objects with forward and backward, trained with momentum."""
import numpy as np

rng = np.random.default_rng(2)


class Dense:
    def __init__(self, n_in, n_out):
        self.W = rng.normal(size=(n_in, n_out)) / np.sqrt(n_in)
        self.b = np.zeros(n_out)
        self.vW = np.zeros_like(self.W)
        self.vb = np.zeros_like(self.b)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = grad.sum(axis=0)
        return grad @ self.W.T

    def step(self, lr, mu):
        self.vW = mu * self.vW - lr * self.dW
        self.vb = mu * self.vb - lr * self.db
        self.W += self.vW
        self.b += self.vb


class Tanh:
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, grad):
        return grad * (1 - self.y**2)


X = rng.normal(size=(30, 4))
T = rng.normal(size=(30, 2))
first, act, second = Dense(4, 8), Tanh(), Dense(8, 2)
for epoch in range(15):
    out = second.forward(act.forward(first.forward(X)))
    loss = 0.5 * np.sum((out - T) ** 2) / len(X)
    grad = (out - T) / len(X)
    grad = second.backward(grad)
    grad = act.backward(grad)
    grad = first.backward(grad)
    first.step(0.05, 0.9)
    second.step(0.05, 0.9)
