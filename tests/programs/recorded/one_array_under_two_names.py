import numpy as np
np.random.seed(0)

X, y, W = np.random.randn(6, 3), np.array([0, 1, 2, 1, 0, 2]), np.random.randn(3, 3)
for i in range(4):
    scores = X.dot(W)
    probs = np.exp(scores)
    probs /= np.sum(probs, axis=1, keepdims=True)
    loss = np.sum(-np.log(probs[range(6), y])) / 6
    dscores = probs
    dscores[range(6), y] -= 1
    dscores /= 6
    dW = np.dot(X.T, dscores)
    W += -0.5 * dW
print(round(loss, 6), dscores is probs)
