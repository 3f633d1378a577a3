"""A linear system and a Gaussian's covariance, fitted by gradient descent."""

import numpy as np

rng = np.random.default_rng(0)
n, d = 20, 3
Y, Z = rng.normal(size=(n, d)), rng.normal(size=(n, d))
L = 0.3 * rng.normal(size=(d, d)) + np.eye(d)
W = rng.normal(size=(d, d)) + 3 * np.eye(d)
b = rng.normal(size=d)
target = rng.normal(size=d)

for step in range(5):
    # forward
    x = np.linalg.solve(W, b)
    r = x - target
    distance = np.linalg.norm(r)
    S = L @ L.T
    P = np.linalg.inv(S)
    sign, logdet = np.linalg.slogdet(S)
    loss = distance + 0.5 * logdet + 0.5 * np.sum((Y @ P) * Z) / n
    # backward
    dr = r / distance
    db = np.linalg.solve(W.T, dr)
    dW = -np.outer(db, x)
    dP = 0.5 * Y.T @ Z / n
    dS = 0.5 * P.T - P.T @ dP @ P.T
    dL = (dS + dS.T) @ L
    # update
    W -= 0.01 * dW
    b -= 0.01 * db
    L -= 0.01 * dL
