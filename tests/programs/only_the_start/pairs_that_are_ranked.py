"""A network that ranks pairs: the probability that one score is above the other."""

import numpy as np
rng = np.random.default_rng(0)
P, D, H, lr = 20, 4, 5, 0.1
Xi, Xj = rng.normal(size=(P, D)), rng.normal(size=(P, D))
W1 = 0.5 * rng.normal(size=(D, H)); w2 = 0.5 * rng.normal(size=H)
for it in range(20):
    hi, hj = np.tanh(Xi @ W1), np.tanh(Xj @ W1)
    si, sj = hi @ w2, hj @ w2
    lam = 1 / (1 + np.exp(-(si - sj))) - 1
    dw2 = hi.T @ lam - hj.T @ lam
    dhi = np.outer(lam, w2) * (1 - hi ** 2)
    dhj = -np.outer(lam, w2) * (1 - hj ** 2)
    dW1 = Xi.T @ dhi + Xj.T @ dhj
    w2 -= lr * dw2 / P
    W1 -= lr * dW1 / P
