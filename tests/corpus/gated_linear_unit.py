"""A gated linear unit with RMS normalisation after it; Adam in a class that keeps its moments by name."""
import numpy as np


class Adam:
    def __init__(self, params, lr=0.01, b1=0.9, b2=0.999):
        self.params, self.lr, self.b1, self.b2, self.t = params, lr, b1, b2, 0
        self.m = {k: np.zeros_like(v) for k, v in params.items()}
        self.v = {k: np.zeros_like(v) for k, v in params.items()}

    def step(self, grads):
        self.t += 1
        for k, g in grads.items():
            self.m[k] = self.b1 * self.m[k] + (1 - self.b1) * g
            self.v[k] = self.b2 * self.v[k] + (1 - self.b2) * g**2
            mhat = self.m[k] / (1 - self.b1**self.t)
            vhat = self.v[k] / (1 - self.b2**self.t)
            self.params[k] -= self.lr * mhat / (np.sqrt(vhat) + 1e-8)


rng = np.random.default_rng(37)
N, D, H = 10, 3, 4
X, target = rng.normal(size=(N, D)), rng.normal(size=(N, 1))
params = {
    "value": rng.normal(size=(D, H)),
    "gate": rng.normal(size=(D, H)),
    "scale": np.ones(H),
    "out": rng.normal(size=(H, 1)),
}
opt = Adam(params)
for it in range(4):
    v = X @ params["value"]
    g = 1 / (1 + np.exp(-(X @ params["gate"])))
    u = v * g
    r = np.sqrt((u * u).mean(axis=1, keepdims=True) + 1e-6)
    n = u / r * params["scale"]
    pred = n @ params["out"]
    loss = np.mean((pred - target) ** 2)

    dpred = 2 * (pred - target) / N
    grads = {"out": n.T @ dpred}
    dn = dpred @ params["out"].T
    grads["scale"] = (dn * u / r).sum(axis=0)
    dy = dn * params["scale"]
    du = dy / r - u * (dy * u).sum(axis=1, keepdims=True) / (H * r**3)
    dv = du * g
    dg = du * v
    grads["value"] = X.T @ dv
    grads["gate"] = X.T @ (dg * g * (1 - g))
    opt.step(grads)
