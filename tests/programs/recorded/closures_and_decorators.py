import numpy as np
np.random.seed(0)

import functools

def counted(f):
    @functools.wraps(f)
    def inner(*args, **kwargs):
        inner.calls += 1
        return f(*args, **kwargs)
    inner.calls = 0
    return inner

def activation(name):
    table = {'tanh': (np.tanh, lambda a: 1 - a ** 2), 'id': (lambda z: z, lambda a: np.ones_like(a))}
    f, df = table[name]
    @counted
    def forward(z): return f(z)
    return forward, df

act, slope = activation('tanh')
X, y, W = np.random.randn(5, 2), np.random.randn(5, 1), np.random.randn(2, 1)
for k in range(4):
    a = act(X @ W)
    loss = np.sum((a - y) ** 2)
    W = W - 0.1 * X.T @ (2 * (a - y) * slope(a))
print(act.calls, round(loss, 6))
