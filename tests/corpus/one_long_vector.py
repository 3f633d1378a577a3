"""All parameters in one long vector, a cost function that returns value and gradient, a bias column of ones."""
import numpy as np

np.random.seed(17)
m, n, hid, labels = 20, 3, 4, 3
X = np.random.randn(m, n)
y = np.random.randint(0, labels, m)
theta = 0.4 * np.random.randn(hid * (n + 1) + labels * (hid + 1))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def cost(theta, lam):
    Theta1 = theta[: hid * (n + 1)].reshape(hid, n + 1)
    Theta2 = theta[hid * (n + 1) :].reshape(labels, hid + 1)
    Y = np.eye(labels)[y]
    a1 = np.hstack([np.ones((m, 1)), X])
    z2 = a1 @ Theta1.T
    a2 = np.hstack([np.ones((m, 1)), sigmoid(z2)])
    h = sigmoid(a2 @ Theta2.T)
    J = np.sum(-Y * np.log(h) - (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * (np.sum(Theta1[:, 1:] ** 2) + np.sum(Theta2[:, 1:] ** 2))
    d3 = h - Y
    d2 = (d3 @ Theta2)[:, 1:] * sigmoid(z2) * (1 - sigmoid(z2))
    grad1 = d2.T @ a1 / m
    grad2 = d3.T @ a2 / m
    grad1[:, 1:] += lam / m * Theta1[:, 1:]
    grad2[:, 1:] += lam / m * Theta2[:, 1:]
    return J, np.concatenate([grad1.ravel(), grad2.ravel()])


for i in range(5):
    J, grad = cost(theta, 0.5)
    theta = theta - 1.0 * grad
