import numpy as np

rng = np.random.default_rng(0)


class Linear:
    def __init__(self, n_in, n_out):
        self.W = rng.normal(size=(n_in, n_out)) * 0.1
        self.b = np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = grad.sum(axis=0)
        return grad @ self.W.T


class Sigmoid:
    def forward(self, x):
        self.out = 1 / (1 + np.exp(-x))
        return self.out

    def backward(self, grad):
        return grad * self.out * (1 - self.out)


class LayerNorm:
    def __init__(self, d, eps=1e-5):
        self.g = np.ones(d)
        self.b = np.zeros(d)
        self.eps = eps

    def forward(self, x):
        self.mu = x.mean(-1, keepdims=True)
        self.var = x.var(-1, keepdims=True)
        self.xhat = (x - self.mu) / np.sqrt(self.var + self.eps)
        return self.g * self.xhat + self.b

    def backward(self, grad):
        d = grad.shape[-1]
        self.dg = (grad * self.xhat).sum(0)
        self.db = grad.sum(0)
        dxhat = grad * self.g
        return (dxhat - dxhat.mean(-1, keepdims=True) - self.xhat * (dxhat * self.xhat).mean(-1, keepdims=True)) / np.sqrt(self.var + self.eps)


net = [Linear(4, 6), LayerNorm(6), Sigmoid(), Linear(6, 3)]
x = rng.normal(size=(8, 4))
out = x
for layer in net:
    out = layer.forward(out)

grad = np.random.randn(*out.shape)
for layer in reversed(net):
    grad = layer.backward(grad)
print(grad.shape)
