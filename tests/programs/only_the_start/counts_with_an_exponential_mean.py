"""A Poisson regression, of which only the error is computed."""

import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(40, 3)); y = rng.poisson(np.exp(X @ np.array([.3, -.2, .5]))).astype(float)
w = np.zeros(3); b = 0.0
for it in range(50):
    mu = np.exp(X @ w + b)
    r = mu - y
    dw = X.T @ r / len(y)
    db = r.mean()
    w -= 0.1 * dw
    b -= 0.1 * db
