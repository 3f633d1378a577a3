import numpy as np
np.random.seed(0)

class Network:
    def __init__(self, sizes, rate=0.1):
        self.rate = rate
        self.weights = [np.random.randn(a, b) * 0.3 for a, b in zip(sizes[:-1], sizes[1:])]
        self.biases = [np.zeros((1, b)) for b in sizes[1:]]

    def forward(self, X):
        self.activations = [X]
        for W, b in zip(self.weights, self.biases):
            self.activations.append(np.tanh(self.activations[-1] @ W + b))
        return self.activations[-1]

    def backward(self, y):
        delta = (self.activations[-1] - y) * (1 - self.activations[-1] ** 2)
        for l in reversed(range(len(self.weights))):
            dW = self.activations[l].T @ delta / len(y)
            db = delta.mean(axis=0, keepdims=True)
            delta = (delta @ self.weights[l].T) * (1 - self.activations[l] ** 2)
            self.weights[l] -= self.rate * dW
            self.biases[l] -= self.rate * db

    def fit(self, X, y, epochs, size):
        for epoch in range(epochs):
            order = np.random.permutation(len(X))
            for start in range(0, len(X), size):
                batch = order[start:start + size]
                out = self.forward(X[batch])
                self.loss = 0.5 * np.mean((out - y[batch]) ** 2)
                self.backward(y[batch])

X, y = np.random.randn(12, 3), np.random.rand(12, 2)
net = Network([3, 4, 2])
net.fit(X, y, 3, 4)
print(round(float(net.loss), 6))
