"""Batch normalisation between two linear layers, its backward pass step by step."""
import numpy as np

rng = np.random.default_rng(6)
N, D, H, K = 12, 4, 6, 3
X = rng.normal(size=(N, D))
y = rng.integers(0, K, N)
W1, W2 = rng.normal(size=(D, H)), rng.normal(size=(H, K))
gamma, beta = np.ones(H), np.zeros(H)
eps, lr = 1e-5, 0.1
for it in range(6):
    z = X @ W1
    mu = z.mean(axis=0)
    zc = z - mu
    var = np.mean(zc**2, axis=0)
    std = np.sqrt(var + eps)
    zhat = zc / std
    out = gamma * zhat + beta
    a = np.maximum(out, 0)
    scores = a @ W2
    shifted = scores - scores.max(axis=1, keepdims=True)
    probs = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    loss = -np.log(probs[np.arange(N), y]).mean()
    dscores = probs.copy()
    dscores[np.arange(N), y] -= 1
    dscores /= N
    dW2 = a.T @ dscores
    da = dscores @ W2.T
    dout = da * (out > 0)
    dgamma = np.sum(dout * zhat, axis=0)
    dbeta = np.sum(dout, axis=0)
    dzhat = dout * gamma
    dz = (dzhat - dzhat.mean(axis=0) - zhat * np.mean(dzhat * zhat, axis=0)) / std
    dW1 = X.T @ dz
    W1 -= lr * dW1
    W2 -= lr * dW2
    gamma -= lr * dgamma
    beta -= lr * dbeta
