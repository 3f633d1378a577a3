"""A variational autoencoder, neither of whose two losses is computed."""

import numpy as np
rng = np.random.default_rng(0)
sigmoid = lambda z: 1 / (1 + np.exp(-z))
N, D, H, Z, lr = 12, 8, 6, 2, 0.05
x = (rng.uniform(size=(N, D)) < .4).astype(float)
We, be = 0.3 * rng.normal(size=(D, H)), np.zeros(H)
Wm, bm = 0.3 * rng.normal(size=(H, Z)), np.zeros(Z)
Wv, bv = 0.3 * rng.normal(size=(H, Z)), np.zeros(Z)
Wd, bd = 0.3 * rng.normal(size=(Z, H)), np.zeros(H)
Wo, bo = 0.3 * rng.normal(size=(H, D)), np.zeros(D)
for it in range(20):
    h = np.tanh(x @ We + be)
    mu = h @ Wm + bm
    logvar = h @ Wv + bv
    eps = rng.normal(size=mu.shape)
    std = np.exp(0.5 * logvar)
    z = mu + std * eps
    hd = np.tanh(z @ Wd + bd)
    out = sigmoid(hd @ Wo + bo)
    dlogits = (out - x) / N
    dWo = hd.T @ dlogits
    dbo = dlogits.sum(0)
    dhd = dlogits @ Wo.T * (1 - hd ** 2)
    dWd = z.T @ dhd
    dbd = dhd.sum(0)
    dz = dhd @ Wd.T
    dmu = dz + mu / N
    dlogvar = dz * eps * 0.5 * std + 0.5 * (np.exp(logvar) - 1) / N
    dWm = h.T @ dmu
    dbm = dmu.sum(0)
    dWv = h.T @ dlogvar
    dbv = dlogvar.sum(0)
    dh = (dmu @ Wm.T + dlogvar @ Wv.T) * (1 - h ** 2)
    dWe = x.T @ dh
    dbe = dh.sum(0)
    for p, g in ((We, dWe), (be, dbe), (Wm, dWm), (bm, dbm), (Wv, dWv), (bv, dbv), (Wd, dWd), (bd, dbd), (Wo, dWo), (bo, dbo)):
        p -= lr * g
