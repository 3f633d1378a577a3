"""A transformer block: layer norm, causal self-attention, a residual path around it, targets shifted by one."""
import numpy as np

rng = np.random.default_rng(44)
B, T, D = 2, 4, 3
x = rng.normal(size=(B, T, D))
y = rng.normal(size=(B, T, D))
Wq, Wk, Wv, Wo = [rng.normal(size=(D, D)) / np.sqrt(D) for _ in range(4)]
g, s = np.ones(D), np.zeros(D)
mask = np.triu(np.full((T, T), -1e9), k=1)


def softmax(a):
    e = np.exp(a - a.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


for step in range(3):
    mean = x.mean(-1, keepdims=True)
    var = x.var(-1, keepdims=True)
    xhat = (x - mean) / np.sqrt(var + 1e-5)
    n = xhat * g + s
    Q, K, V = n @ Wq, n @ Wk, n @ Wv
    A = softmax(Q @ K.transpose(0, 2, 1) / np.sqrt(D) + mask)
    ctx = A @ V
    out = x + ctx @ Wo
    loss = np.mean((out - y) ** 2)

    dout = 2 * (out - y) / out.size
    dWo = np.einsum("btd,bte->de", ctx, dout)
    dctx = dout @ Wo.T
    dV = A.transpose(0, 2, 1) @ dctx
    dA = dctx @ V.transpose(0, 2, 1)
    dS = A * (dA - (dA * A).sum(-1, keepdims=True)) / np.sqrt(D)
    dQ = dS @ K
    dK = dS.transpose(0, 2, 1) @ Q
    dWq = np.einsum("btd,bte->de", n, dQ)
    dWk = np.einsum("btd,bte->de", n, dK)
    dWv = np.einsum("btd,bte->de", n, dV)
    dn = dQ @ Wq.T + dK @ Wk.T + dV @ Wv.T
    dg = (dn * xhat).sum((0, 1))
    ds = dn.sum((0, 1))
    Wq -= 0.1 * dWq
    Wk -= 0.1 * dWk
    Wv -= 0.1 * dWv
    Wo -= 0.1 * dWo
    g -= 0.1 * dg
    s -= 0.1 * ds
