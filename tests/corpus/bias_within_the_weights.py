"""One array holds bias and weights; both are read several times through slices, and the gradient is stored by slices."""
import numpy as np


class Logistic:
    def __init__(self, rate=0.5, C=10.0, steps=30):
        self.rate, self.C, self.steps = rate, C, steps

    def score(self, X):
        return np.dot(X, self.w[1:]) + self.w[0]

    def fit(self, X, y):
        self.w = np.random.RandomState(3).normal(0, 0.1, X.shape[1] + 1)
        self.costs = []
        for _ in range(self.steps):
            p = 1.0 / (1.0 + np.exp(-self.score(X)))
            errors = y - p
            grad = np.empty_like(self.w)
            grad[1:] = -X.T.dot(errors) + self.w[1:] / self.C
            grad[0] = -errors.sum()
            cost = -y.dot(np.log(p)) - (1 - y).dot(np.log(1 - p)) + np.sum(self.w[1:] ** 2) / (2 * self.C)
            self.costs.append(cost)
            self.w -= self.rate / len(y) * grad
        return self


rs = np.random.RandomState(0)
features = np.vstack([rs.randn(15, 3) + 1, rs.randn(15, 3) - 1])
labels = np.hstack([np.ones(15), np.zeros(15)])
model = Logistic().fit(features, labels)
