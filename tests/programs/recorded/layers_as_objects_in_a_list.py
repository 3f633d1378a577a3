import numpy as np
np.random.seed(0)

class Layer:
    def params(self): return []

class Linear(Layer):
    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_in, n_out) * 0.5, np.zeros(n_out)
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(0)
        return dout @ self.W.T
    def params(self): return [(self.W, self.dW), (self.b, self.db)]

class ReLU(Layer):
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask
    def backward(self, dout): return dout * self.mask

layers = [Linear(3, 5), ReLU(), Linear(5, 2)]
X, y = np.random.randn(8, 3), np.random.randint(0, 2, 8)
for step in range(6):
    out = X
    for layer in layers: out = layer.forward(out)
    p = np.exp(out - out.max(1, keepdims=True)); p /= p.sum(1, keepdims=True)
    loss = -np.log(p[np.arange(8), y]).mean()
    d = p.copy(); d[np.arange(8), y] -= 1; d /= 8
    for layer in reversed(layers): d = layer.backward(d)
    for layer in layers:
        for w, g in layer.params(): w -= 0.1 * g
print('%.6f' % loss)
