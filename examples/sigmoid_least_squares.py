"""Exclusive or, with sigmoids and squared errors; every formula is a function of its own."""

import numpy as np


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_slope(a):
    """The derivative of the sigmoid, written in terms of its output."""
    return a * (1 - a)


def forward(X, W1, b1, W2, b2):
    A = sigmoid(X.dot(W1) + b1)
    Y = sigmoid(A.dot(W2) + b2)
    return A, Y


def squared_error(Y, T):
    return 0.5 * np.sum((Y - T) ** 2)


rng = np.random.RandomState(3)
X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
T = np.array([[0.0], [1.0], [1.0], [0.0]])
hidden_units = 4
W1 = rng.randn(2, hidden_units)
b1 = np.zeros(hidden_units)
W2 = rng.randn(hidden_units, 1)
b2 = np.zeros(1)
rate = 2.0

cost = 1.0
rounds = 0
while cost > 0.01 and rounds < 20000:
    A, Y = forward(X, W1, b1, W2, b2)
    cost = squared_error(Y, T)
    delta2 = (Y - T) * sigmoid_slope(Y)
    delta1 = delta2.dot(W2.T) * sigmoid_slope(A)
    W2 = W2 - rate * A.T.dot(delta2)
    b2 = b2 - rate * delta2.sum(axis=0)
    W1 = W1 - rate * X.T.dot(delta1)
    b1 = b1 - rate * delta1.sum(axis=0)
    rounds += 1

print("rounds", rounds, "cost", cost)
