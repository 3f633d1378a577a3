"""A quantile regression: the pinball loss has two slopes, told apart by the sign of the error."""
import numpy as np

rng = np.random.default_rng(23)
x = rng.uniform(0, 1, 35)
y = 2 * x + rng.exponential(1.0, 35)
slope, level, tau, lr = 0.0, 0.0, 0.9, 0.3
for epoch in range(6):
    pred = slope * x + level
    err = y - pred
    loss = np.mean(np.maximum(tau * err, (tau - 1) * err))
    d_pred = np.where(err > 0, -tau, 1 - tau) / x.size
    slope -= lr * np.dot(d_pred, x)
    level -= lr * np.sum(d_pred)
