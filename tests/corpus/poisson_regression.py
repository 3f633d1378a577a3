"""Counts with a logarithmic link: the rate is exp of a linear score, the log-likelihood is ascended."""
import numpy as np

rng = np.random.default_rng(6)
X = np.c_[np.ones(40), rng.normal(size=(40, 2))]
k = rng.poisson(np.exp(X @ np.array([0.2, 0.5, -0.3])))
beta = np.zeros(3)
for i in range(6):
    eta = X @ beta
    rate = np.exp(eta)
    loglik = np.mean(k * eta - rate)
    gradient = X.T @ (k - rate) / len(k)
    beta += 0.2 * gradient
