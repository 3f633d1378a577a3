import numpy as np
np.random.seed(0)

sizes = [4, 5, 3]
params = {}
for l in range(1, len(sizes)):
    params['W' + str(l)] = np.random.randn(sizes[l], sizes[l - 1]) * 0.1
    params['b' + str(l)] = np.zeros((sizes[l], 1))
X, Y = np.random.randn(4, 6), np.random.rand(3, 6)

def forward(X, params):
    cache = {'A0': X}
    for l in (1, 2):
        Z = params['W%d' % l].dot(cache['A%d' % (l - 1)]) + params['b%d' % l]
        cache['A%d' % l] = 1 / (1 + np.exp(-Z))
    return cache['A2'], cache

def backward(Y, params, cache):
    m, grads = Y.shape[1], {}
    dZ = cache['A2'] - Y
    for l in (2, 1):
        grads['dW' + str(l)] = dZ.dot(cache['A' + str(l - 1)].T) / m
        grads['db' + str(l)] = np.sum(dZ, axis=1, keepdims=True) / m
        if l > 1:
            A = cache['A' + str(l - 1)]
            dZ = params['W' + str(l)].T.dot(dZ) * A * (1 - A)
    return grads

def update(params, grads, rate=0.5):
    for key in params:
        params[key] = params[key] - rate * grads['d' + key]
    return params

for i in range(5):
    A2, cache = forward(X, params)
    cost = -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))
    grads = backward(Y, params, cache)
    params = update(params, grads)
print(cost.round(6))
