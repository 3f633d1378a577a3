from dataclasses import dataclass, field
from typing import Optional
import numpy as np
@dataclass
class Dense:
    n_in: int
    n_out: int
    act: str = "relu"
    W: np.ndarray = field(init=False, repr=False)
    b: np.ndarray = field(init=False, repr=False)
    cache: Optional[tuple] = None
    def __post_init__(self):
        rng = np.random.default_rng(self.n_in * 100 + self.n_out)
        self.W = rng.normal(0, np.sqrt(2 / self.n_in), (self.n_in, self.n_out))
        self.b = np.zeros(self.n_out)
    def forward(self, x):
        z = x @ self.W + self.b
        a = {"relu": lambda v: np.maximum(0, v), "linear": lambda v: v}[self.act](z)
        self.cache = (x, z)
        return a
    def backward(self, da, lr):
        x, z = self.cache
        dz = da * (z > 0) if self.act == "relu" else da
        dW, db, dx = x.T @ dz, dz.sum(axis=0), dz @ self.W.T
        self.W -= lr * dW; self.b -= lr * db
        return dx
@dataclass(frozen=True)
class Config:
    lr: float = 0.05
    epochs: int = 25
cfg = Config()
layers = [Dense(3, 8), Dense(8, 8), Dense(8, 1, "linear")]
rng = np.random.default_rng(1)
X = rng.normal(size=(40, 3)); y = np.sin(X.sum(1, keepdims=True))
for epoch in range(cfg.epochs):
    out = X
    for layer in layers: out = layer.forward(out)
    loss = np.mean((out - y) ** 2)
    grad = 2 * (out - y) / len(X)
    for layer in reversed(layers): grad = layer.backward(grad, cfg.lr)
print(loss)
