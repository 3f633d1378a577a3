"""A robust regression: squares for small residuals, absolute values for large ones, written with where and clip."""
import numpy as np

rng = np.random.default_rng(4)
n = 30
A = rng.normal(size=(n, 3))
t = A @ np.array([1.0, -2.0, 0.5]) + rng.standard_t(1.5, size=n)
theta = np.zeros(3)
bias = 0.0
delta = 1.0
for sweep in range(5):
    residual = A @ theta + bias - t
    small = np.abs(residual) <= delta
    cost = np.where(small, 0.5 * residual**2, delta * (np.abs(residual) - 0.5 * delta)).sum() / n
    slope = np.where(small, residual, delta * np.sign(residual)) / n
    theta = theta - 0.3 * A.T.dot(slope)
    bias = bias - 0.3 * slope.sum()
