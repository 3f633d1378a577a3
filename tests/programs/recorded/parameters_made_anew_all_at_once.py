import numpy as np
def fwd(x, *layers, act=np.tanh, **opts):
    cache = [x]
    for W, b in layers:
        x = act(x @ W + b) if not opts.get("last_linear") or W is not layers[-1][0] else x @ W + b
        cache.append(x)
    return x, cache
def bwd(g, cache, *layers, last_linear=False):
    grads = []
    for k in range(len(layers) - 1, -1, -1):
        W, b = layers[k]
        a, prev = cache[k + 1], cache[k]
        if not (last_linear and k == len(layers) - 1):
            g = g * (1 - a ** 2)
        grads.insert(0, (prev.T @ g, g.sum(0)))
        g = g @ W.T
    return grads
rng = np.random.default_rng(3)
dims = (4, 6, 5, 1)
layers = [(rng.normal(size=(i, o)) / np.sqrt(i), np.zeros(o)) for i, o in zip(dims, dims[1:])]
X = rng.normal(size=(20, 4)); Y = rng.normal(size=(20, 1))
kw = dict(last_linear=True)
for it in range(15):
    out, cache = fwd(X, *layers, **kw)
    loss, dout = np.sum((out - Y) ** 2) / 2 / len(X), (out - Y) / len(X)
    grads = bwd(dout, cache, *layers, **kw)
    layers = [(W - .1 * dW, b - .1 * db) for (W, b), (dW, db) in zip(layers, grads)]
print(loss)
