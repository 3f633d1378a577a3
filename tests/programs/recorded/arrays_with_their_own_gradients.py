import numpy as np
np.random.seed(0)

class Tensor:
    def __init__(self, data, inputs=(), rule=None):
        self.data, self.inputs, self.rule, self.grad = np.asarray(data, dtype=float), inputs, rule, None
    def __matmul__(self, other):
        return Tensor(self.data @ other.data, (self, other), lambda g: (g @ other.data.T, self.data.T @ g))
    def __sub__(self, other):
        return Tensor(self.data - other.data, (self, other), lambda g: (g, -g))
    def __pow__(self, k):
        return Tensor(self.data ** k, (self,), lambda g: (g * k * self.data ** (k - 1),))
    def relu(self):
        return Tensor(np.maximum(self.data, 0), (self,), lambda g: (g * (self.data > 0),))
    def sum(self):
        return Tensor(self.data.sum(), (self,), lambda g: (g * np.ones_like(self.data),))
    def backward(self, g=1.0):
        self.grad = g if self.grad is None else self.grad + g
        if self.rule:
            for t, d in zip(self.inputs, self.rule(g)): t.backward(d)

X, Y = Tensor(np.random.randn(5, 3)), Tensor(np.random.randn(5, 2))
A, B = Tensor(np.random.randn(3, 4) * 0.5), Tensor(np.random.randn(4, 2) * 0.5)
for i in range(4):
    A.grad = B.grad = None
    loss = (((X @ A).relu() @ B - Y) ** 2).sum()
    loss.backward()
    A.data -= 0.01 * A.grad
    B.data -= 0.01 * B.grad
print(round(float(loss.data), 6))
