"""Two factors of a matrix with missing entries, regularised."""
import numpy as np

rng = np.random.default_rng(15)
users, items, rank = 7, 6, 3
R = rng.integers(1, 6, (users, items)).astype(float)
seen = (rng.uniform(size=R.shape) < 0.7).astype(float)
P = rng.normal(size=(users, rank))
Q = rng.normal(size=(items, rank))
lam, eta = 0.1, 0.01
for epoch in range(10):
    E = seen * (P @ Q.T - R)
    loss = 0.5 * np.sum(E**2) + 0.5 * lam * (np.sum(P**2) + np.sum(Q**2))
    dP = E @ Q + lam * P
    dQ = E.T @ P + lam * Q
    P -= eta * dP
    Q -= eta * dQ
