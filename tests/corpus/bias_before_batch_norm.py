"""A bias that batch normalisation subtracts again: its gradient is 0, and what is computed for it is rounding."""
import numpy as np

np.random.seed(21)
n, d, h = 10, 3, 4
X = np.random.randn(n, d)
t = np.random.randn(n, 1)
params = {
    "W1": np.random.randn(d, h) * 0.5,
    "b1": np.zeros(h),
    "gamma": np.ones(h),
    "beta": np.zeros(h),
    "W2": np.random.randn(h, 1),
}


def affine(x, W, b):
    return x.dot(W) + b, (x, W)


def affine_back(dout, cache):
    x, W = cache
    return dout.dot(W.T), x.T.dot(dout), dout.sum(axis=0)


def normalise(x, gamma, beta):
    mean, std = x.mean(axis=0), np.sqrt(x.var(axis=0) + 1e-5)
    xhat = (x - mean) / std
    return gamma * xhat + beta, (xhat, std, gamma)


def normalise_back(dout, cache):
    xhat, std, gamma = cache
    dgamma, dbeta = (dout * xhat).sum(axis=0), dout.sum(axis=0)
    dx = gamma / std * (dout - dbeta / len(dout) - xhat * dgamma / len(dout))
    return dx, dgamma, dbeta


for epoch in range(5):
    grads = {}
    a, cache_a = affine(X, params["W1"], params["b1"])
    z, cache_z = normalise(a, params["gamma"], params["beta"])
    r = np.maximum(z, 0)
    out = r.dot(params["W2"])
    loss = np.mean((out - t) ** 2)
    dout = 2 * (out - t) / n
    grads["W2"] = r.T.dot(dout)
    dr = dout.dot(params["W2"].T)
    dz = dr * (z > 0)
    da, grads["gamma"], grads["beta"] = normalise_back(dz, cache_z)
    _, grads["W1"], grads["b1"] = affine_back(da, cache_a)
    for name in params:
        params[name] -= 0.05 * grads[name]
