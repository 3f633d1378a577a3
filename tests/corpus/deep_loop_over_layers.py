"""A network of any depth in a dictionary of parameters, examples in columns."""
import numpy as np

np.random.seed(1)
sizes = [4, 6, 5, 3]
m = 20
X = np.random.randn(4, m)
Y = np.eye(3)[np.random.randint(0, 3, m)].T
params = {}
for l in range(1, len(sizes)):
    params["W" + str(l)] = np.random.randn(sizes[l], sizes[l - 1]) * 0.5
    params["b" + str(l)] = np.zeros((sizes[l], 1))
L = len(sizes) - 1


def forward(X, params):
    caches = {"A0": X}
    for l in range(1, L + 1):
        Z = params["W" + str(l)] @ caches["A" + str(l - 1)] + params["b" + str(l)]
        if l < L:
            A = np.maximum(0, Z)
        else:
            e = np.exp(Z)
            A = e / np.sum(e, axis=0, keepdims=True)
        caches["Z" + str(l)], caches["A" + str(l)] = Z, A
    return caches


def backward(params, caches, Y):
    grads = {}
    dZ = caches["A" + str(L)] - Y
    for l in reversed(range(1, L + 1)):
        grads["dW" + str(l)] = dZ @ caches["A" + str(l - 1)].T / m
        grads["db" + str(l)] = np.sum(dZ, axis=1, keepdims=True) / m
        if l > 1:
            dA = params["W" + str(l)].T @ dZ
            dZ = dA * (caches["Z" + str(l - 1)] > 0)
    return grads


for i in range(10):
    caches = forward(X, params)
    cost = -np.sum(Y * np.log(caches["A" + str(L)])) / m
    grads = backward(params, caches, Y)
    for l in range(1, L + 1):
        params["W" + str(l)] -= 0.1 * grads["dW" + str(l)]
        params["b" + str(l)] -= 0.1 * grads["db" + str(l)]
