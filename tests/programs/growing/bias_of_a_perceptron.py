import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Perceptron:
    def __init__(self, n):
        self.w = np.random.rand(n, 1)
        self.b = np.random.rand(1, 1)

    def train(self, X, y, lr=0.1, epochs=20):
        for _ in range(epochs):
            out = sigmoid(X @ self.w + self.b)
            error = y - out
            delta = error * out * (1 - out)
            self.w = self.w + lr * X.T @ delta
            self.b = self.b + lr * delta


X = np.array([[0, 0], [0, 1], [1, 0], [1, 1.]])
y = np.array([[0], [1], [1], [1.]])
p = Perceptron(2)
p.train(X, y)
