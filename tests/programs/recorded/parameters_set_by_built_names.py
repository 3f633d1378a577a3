import copy
import numpy as np
class Net(object):
    sizes = [4, 6, 2]
    def __init__(self):
        np.random.seed(11)
        for i in range(1, len(self.sizes)):
            setattr(self, 'W%d' % i, np.random.randn(self.sizes[i - 1], self.sizes[i]) * .3)
            setattr(self, 'b%d' % i, np.zeros(self.sizes[i]))
    def forward(self, X):
        self.a0 = X
        for i in range(1, len(self.sizes)):
            z = np.dot(getattr(self, 'a%d' % (i - 1)), getattr(self, 'W%d' % i)) + getattr(self, 'b%d' % i)
            setattr(self, 'a%d' % i, 1 / (1 + np.exp(-z)))
        return getattr(self, 'a%d' % (len(self.sizes) - 1))
    def backward(self, y, lr=1.0):
        L = len(self.sizes) - 1
        aL = getattr(self, 'a%d' % L)
        delta = (aL - y) / len(y) * aL * (1 - aL)
        grads = {}
        for i in range(L, 0, -1):
            prev = getattr(self, 'a%d' % (i - 1))
            grads['W%d' % i] = prev.T.dot(delta)
            grads['b%d' % i] = delta.sum(axis=0)
            if i > 1:
                delta = delta.dot(getattr(self, 'W%d' % i).T) * prev * (1 - prev)
        for k, g in grads.items():
            setattr(self, k, getattr(self, k) - lr * g)
net = Net()
best = copy.deepcopy(net)
X = np.random.rand(10, 4); y = np.random.rand(10, 2)
low = 1e9
for epoch in range(15):
    out = net.forward(X)
    loss = 0.5 * np.sum((out - y) ** 2) / len(y)
    net.backward(y)
    if loss < low:
        low, best = loss, copy.deepcopy(net)
print("%.5f" % low, best.W1.shape)
