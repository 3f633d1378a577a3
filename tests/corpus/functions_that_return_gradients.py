"""Functions that return a list of gradients; parameters in a list that a loop updates."""
import numpy as np

rng = np.random.default_rng(16)


def softmax(z):
    e = np.exp(z - np.max(z, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def loss_and_grads(params, x, y):
    W1, b1, W2, b2 = params
    h_pre = x @ W1 + b1
    h = 1.0 / (1.0 + np.exp(-h_pre))
    p = softmax(h @ W2 + b2)
    n = x.shape[0]
    loss = -np.sum(y * np.log(p)) / n
    delta2 = (p - y) / n
    gW2 = h.T @ delta2
    gb2 = delta2.sum(axis=0)
    delta1 = (delta2 @ W2.T) * h * (1 - h)
    gW1 = x.T @ delta1
    gb1 = delta1.sum(axis=0)
    return loss, [gW1, gb1, gW2, gb2]


x = rng.normal(size=(18, 4))
y = np.eye(3)[rng.integers(0, 3, 18)]
params = [rng.normal(size=(4, 6)), np.zeros(6), rng.normal(size=(6, 3)), np.zeros(3)]
for epoch in range(9):
    loss, grads = loss_and_grads(params, x, y)
    for i in range(len(params)):
        params[i] = params[i] - 0.3 * grads[i]
