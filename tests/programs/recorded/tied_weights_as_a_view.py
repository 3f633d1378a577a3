import numpy as np
np.random.seed(0)

class AutoEncoder:
    def __init__(self, n, h):
        self.W = np.random.randn(n, h) * 0.4
        self.W_prime = self.W.T
        self.b, self.c = np.zeros(h), np.zeros(n)
ae, X = AutoEncoder(5, 3), np.random.rand(6, 5)
for i in range(3):
    h = 1 / (1 + np.exp(-(X @ ae.W + ae.b)))
    r = h @ ae.W_prime + ae.c
    loss = 0.5 * np.sum((r - X) ** 2)
    dr = r - X
    dh = dr @ ae.W_prime.T * h * (1 - h)
    dW = X.T @ dh + dr.T @ h
    ae.W -= 0.05 * dW
    ae.b -= 0.05 * dh.sum(0)
    ae.c -= 0.05 * dr.sum(0)
print(round(loss, 6), np.shares_memory(ae.W, ae.W_prime))
