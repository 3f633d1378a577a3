"""A network with two heads, a mean and a log variance, fitted by the Gaussian negative log-likelihood."""
import numpy as np

gen = np.random.RandomState(19)
x = gen.uniform(-2, 2, (25, 1))
y = np.sin(x) + 0.1 * (1 + x**2) * gen.randn(25, 1)
W, c = gen.randn(1, 6), gen.randn(6) * 0.1
Vm, Vs = gen.randn(6, 1) * 0.3, gen.randn(6, 1) * 0.3
bm, bs = np.zeros(1), np.zeros(1)
while True:
    h = np.tanh(x @ W + c)
    m = h @ Vm + bm
    s = h @ Vs + bs
    nll = np.mean(0.5 * s + 0.5 * (y - m) ** 2 * np.exp(-s))
    gm = -(y - m) * np.exp(-s) / len(x)
    gs = (0.5 - 0.5 * (y - m) ** 2 * np.exp(-s)) / len(x)
    gh = gm @ Vm.T + gs @ Vs.T
    gz = gh * (1 - h * h)
    dVm, dVs = h.T @ gm, h.T @ gs
    Vm -= 0.1 * dVm
    Vs -= 0.1 * dVs
    bm -= 0.1 * gm.sum(0)
    bs -= 0.1 * gs.sum(0)
    W -= 0.1 * x.T @ gz
    c -= 0.1 * gz.sum(0)
    if nll < 0.9:
        break
    if gen.rand() < 0.2:
        break
