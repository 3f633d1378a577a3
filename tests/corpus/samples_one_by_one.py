"""Mini-batches whose gradients are summed sample by sample; lists of biases and weights, errors by negative index."""
import numpy as np

rng = np.random.default_rng(12)


class Network:
    def __init__(self, sizes):
        self.num_layers = len(sizes)
        self.biases = [rng.normal(size=(n, 1)) for n in sizes[1:]]
        self.weights = [rng.normal(size=(n, m)) for m, n in zip(sizes[:-1], sizes[1:])]

    def train(self, pairs, epochs, size, eta):
        for epoch in range(epochs):
            for k in range(0, len(pairs), size):
                self.step(pairs[k : k + size], eta)

    def step(self, batch, eta):
        total_b = [np.zeros(b.shape) for b in self.biases]
        total_w = [np.zeros(w.shape) for w in self.weights]
        for x, y in batch:
            d_b, d_w = self.backprop(x, y)
            total_b = [t + d for t, d in zip(total_b, d_b)]
            total_w = [t + d for t, d in zip(total_w, d_w)]
        self.weights = [w - (eta / len(batch)) * t for w, t in zip(self.weights, total_w)]
        self.biases = [b - (eta / len(batch)) * t for b, t in zip(self.biases, total_b)]

    def backprop(self, x, y):
        d_b = [None] * len(self.biases)
        d_w = [None] * len(self.weights)
        activation, activations, zs = x, [x], []
        for b, w in zip(self.biases, self.weights):
            z = w @ activation + b
            zs.append(z)
            activation = squash(z)
            activations.append(activation)
        delta = (activations[-1] - y) * squash_slope(zs[-1])
        d_b[-1] = delta
        d_w[-1] = delta @ activations[-2].T
        for l in range(2, self.num_layers):
            delta = (self.weights[-l + 1].T @ delta) * squash_slope(zs[-l])
            d_b[-l] = delta
            d_w[-l] = delta @ activations[-l - 1].T
        return d_b, d_w


def squash(z):
    return 1.0 / (1.0 + np.exp(-z))


def squash_slope(z):
    return squash(z) * (1 - squash(z))


points = rng.normal(size=(12, 3, 1))
pairs = [(p, np.array([[float(p.sum() > 0)], [float(p[0, 0] > 0)]])) for p in points]
Network([3, 4, 2]).train(pairs, epochs=2, size=4, eta=1.0)
