# one-step MAML for linear regression, with the exact second-order term
import numpy as np
rng = np.random.RandomState(1)
D = 4
theta = rng.randn(D) * 0.1
alpha, beta = 0.05, 0.1
for step in range(50):
    w_true = rng.randn(D)
    Xs, Xq = rng.randn(10, D), rng.randn(12, D)
    ys, yq = Xs @ w_true, Xq @ w_true
    # inner step
    r = Xs @ theta - ys
    g = 2 * Xs.T @ r / len(ys)
    phi = theta - alpha * g
    # outer loss
    e = Xq @ phi - yq
    loss = np.mean(e ** 2)
    # outer gradient
    dphi = 2 * Xq.T @ e / len(yq)
    dg = -alpha * dphi
    dr = 2 * Xs @ dg / len(ys)
    dtheta = dphi + Xs.T @ dr
    theta = theta - beta * dtheta
