"""A classifier as a class: one tanh layer, softmax, one-hot targets, gradients in a dictionary."""

import numpy as np


class Classifier:
    def __init__(self, inputs, hidden, classes, rng):
        self.params = {
            "W1": rng.standard_normal((inputs, hidden)) / np.sqrt(inputs),
            "b1": np.zeros(hidden),
            "W2": rng.standard_normal((hidden, classes)) / np.sqrt(hidden),
            "b2": np.zeros(classes),
        }

    def forward(self, X):
        p = self.params
        self.X = X
        self.a = np.tanh(X @ p["W1"] + p["b1"])
        z = self.a @ p["W2"] + p["b2"]
        z = z - z.max(axis=1, keepdims=True)
        e = np.exp(z)
        self.probs = e / e.sum(axis=1, keepdims=True)
        return self.probs

    def backward(self, onehot):
        p, m = self.params, onehot.shape[0]
        grads = {}
        dz2 = (self.probs - onehot) / m
        grads["W2"] = self.a.T @ dz2
        grads["b2"] = dz2.sum(axis=0)
        da = dz2 @ p["W2"].T
        dz1 = da * (1 - self.a**2)
        grads["W1"] = self.X.T @ dz1
        grads["b1"] = dz1.sum(axis=0)
        return grads


rng = np.random.default_rng(0)
centres = np.array([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0], [-2.0, -2.0, 0.0]])
labels = rng.integers(0, 4, size=120)
X = centres[labels] + 0.5 * rng.standard_normal((120, 3))
onehot = np.eye(4)[labels]

model = Classifier(inputs=3, hidden=16, classes=4, rng=rng)
for epoch in range(200):
    probs = model.forward(X)
    loss = -np.sum(onehot * np.log(probs)) / X.shape[0]
    grads = model.backward(onehot)
    for name in model.params:
        model.params[name] -= 0.5 * grads[name]

print("loss", loss, "accuracy", np.mean(np.argmax(probs, axis=1) == labels))
