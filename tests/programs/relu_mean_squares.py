"""Typed from memory, in another style: the @ operator, a mean, views of attributes, weights kept in a list."""
import numpy as np


class Layer:
    def __init__(self, n_in, n_out, rng):
        self.w = rng.normal(size=(n_in, n_out))
        self.b = np.zeros(n_out)


rng = np.random.default_rng(8)
batch, features, units = 9, 3, 5
inputs = rng.normal(size=(batch, features))
target = np.tanh(inputs.sum(axis=1, keepdims=True))
first = Layer(features, units, rng)
second = Layer(units, 1, rng)
eta = 0.05
total = 0.0

for epoch in range(25):
    z1 = inputs @ first.w + first.b
    a1 = np.maximum(z1, 0.0)
    guess = a1 @ second.w + second.b
    mse = np.mean((guess - target) ** 2)
    total += mse

    grad_guess = 2.0 * (guess - target) / batch
    grad_w2 = a1.T @ grad_guess
    grad_b2 = grad_guess.sum(axis=0)
    grad_a1 = grad_guess @ second.w.T
    grad_z1 = grad_a1 * (z1 > 0)
    grad_w1 = inputs.T @ grad_z1
    grad_b1 = grad_z1.sum(axis=0)

    first.w -= eta * grad_w1
    first.b -= eta * grad_b1
    second.w -= eta * grad_w2
    second.b -= eta * grad_b2
