"""A generator that is sent batches takes the steps, and gives the losses back."""

import numpy as np


def trainer(W, rate):
    loss = None
    while True:
        batch = yield loss
        if batch is None:
            return W
        x, t = batch
        y = np.tanh(x @ W)
        d = y - t
        loss = 0.5 * np.mean(np.sum(d**2, axis=1))
        W -= rate * x.T @ (d * (1 - y**2)) / len(x)


np.random.seed(0)
X, T = np.random.randn(20, 3), np.random.rand(20, 2)
W = np.random.randn(3, 2)
step = trainer(W, 0.5)
next(step)
for epoch in range(3):
    losses = [step.send((X[k : k + 10], T[k : k + 10])) for k in range(0, 20, 10)]
    print(epoch, np.round(losses, 4))
try:
    step.send(None)
except StopIteration as stop:
    print(stop.value.shape)
del step
