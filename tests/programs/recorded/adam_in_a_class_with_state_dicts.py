import numpy as np
np.random.seed(0)

class Adam:
    def __init__(self, params, rate=0.01, beta1=0.9, beta2=0.999):
        self.params, self.rate, self.betas, self.t = params, rate, (beta1, beta2), 0
        self.m = {k: np.zeros_like(v) for k, v in params.items()}
        self.v = {k: np.zeros_like(v) for k, v in params.items()}
    def step(self, grads):
        self.t += 1
        b1, b2 = self.betas
        for k, g in grads.items():
            self.m[k] = b1 * self.m[k] + (1 - b1) * g
            self.v[k] = b2 * self.v[k] + (1 - b2) * g ** 2
            mhat, vhat = self.m[k] / (1 - b1 ** self.t), self.v[k] / (1 - b2 ** self.t)
            self.params[k] -= self.rate * mhat / (np.sqrt(vhat) + 1e-8)

params = {'W': np.random.randn(3, 2), 'b': np.zeros(2)}
X, y = np.random.randn(7, 3), np.random.randn(7, 2)
opt = Adam(params)
for epoch in range(6):
    out = X @ params['W'] + params['b']
    loss = np.mean((out - y) ** 2)
    d = 2 * (out - y) / y.size
    opt.step({'W': X.T @ d, 'b': d.sum(0)})
print(round(loss, 7))
