"""A robust regression whose residuals are picked out by masks, with an AdaGrad step and the cost after it."""
import numpy as np

rng = np.random.default_rng(10)
n = 24
A = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
t = A @ np.array([9.0, -2.0, 0.5]) + 0.1 * rng.normal(size=n)


def cost(theta, delta=0.25):
    error = A @ theta - t
    inside = abs(error) <= delta
    return (np.sum(error[inside] ** 2) / 2 + np.sum(delta * (abs(error[~inside]) - delta / 2))) / n


def gradient(theta, delta=0.25):
    error = A @ theta - t
    return A.T.dot(np.where(abs(error) <= delta, error, delta * np.sign(error))) / n


theta = np.zeros(3)
seen = np.zeros(3)
costs = [cost(theta)]
while len(costs) < 6:
    g = gradient(theta)
    seen += g**2
    theta -= 0.3 * g / (np.sqrt(seen) + 1e-8)
    costs.append(cost(theta))
