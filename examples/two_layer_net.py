"""A two-layer network on a spiral of three classes: ReLU, softmax, cross-entropy and an L2 penalty."""

import numpy as np

np.random.seed(7)

# A spiral with three arms, one class each.
points_per_class = 100
D = 2
K = 3
N = points_per_class * K
X = np.zeros((N, D))
y = np.zeros(N, dtype=int)
for k in range(K):
    rows = range(points_per_class * k, points_per_class * (k + 1))
    radius = np.linspace(0.0, 1.0, points_per_class)
    angle = np.linspace(4.0 * k, 4.0 * (k + 1), points_per_class) + 0.2 * np.random.randn(points_per_class)
    X[rows] = np.c_[radius * np.sin(angle), radius * np.cos(angle)]
    y[rows] = k

h = 100
W1 = 0.01 * np.random.randn(D, h)
b1 = np.zeros((1, h))
W2 = 0.01 * np.random.randn(h, K)
b2 = np.zeros((1, K))
learning_rate = 1.0
reg = 1e-3

for step in range(2000):
    # forward pass
    hidden = np.maximum(0, np.dot(X, W1) + b1)
    scores = np.dot(hidden, W2) + b2
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    data_loss = np.sum(-np.log(probs[range(N), y])) / N
    reg_loss = 0.5 * reg * np.sum(W1 * W1) + 0.5 * reg * np.sum(W2 * W2)
    loss = data_loss + reg_loss
    if step % 500 == 0:
        print("step", step, "loss", loss)

    # backward pass
    dscores = probs.copy()
    dscores[range(N), y] -= 1
    dscores /= N
    dW2 = np.dot(hidden.T, dscores)
    db2 = np.sum(dscores, axis=0, keepdims=True)
    dhidden = np.dot(dscores, W2.T)
    dhidden[hidden <= 0] = 0
    dW1 = np.dot(X.T, dhidden)
    db1 = np.sum(dhidden, axis=0, keepdims=True)
    dW2 += reg * W2
    dW1 += reg * W1

    # gradient descent
    W1 += -learning_rate * dW1
    b1 += -learning_rate * db1
    W2 += -learning_rate * dW2
    b2 += -learning_rate * db2

predicted = np.argmax(np.dot(np.maximum(0, np.dot(X, W1) + b1), W2) + b2, axis=1)
print("training accuracy", np.mean(predicted == y))
