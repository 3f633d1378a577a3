"""A variational autoencoder with the noise drawn in the forward pass; squares for the picture, KL for the code."""
import numpy as np

rng = np.random.default_rng(2)
N, D, H, Z = 8, 4, 6, 2
data = rng.normal(size=(N, D))


def init(a, b):
    return rng.normal(size=(a, b)) * 0.3


We, Wm, Ws, Wd, Wr = init(D, H), init(H, Z), init(H, Z), init(Z, H), init(H, D)
rate = 0.02
for it in range(4):
    h = np.tanh(data @ We)
    mu = h @ Wm
    logvar = h @ Ws
    std = np.exp(0.5 * logvar)
    eps = rng.normal(size=mu.shape)
    z = mu + std * eps
    d = np.tanh(z @ Wd)
    rec = d @ Wr
    rec_loss = 0.5 * np.sum((rec - data) ** 2) / N
    kl = -0.5 * np.sum(1 + logvar - mu**2 - np.exp(logvar)) / N
    loss = rec_loss + kl

    drec = (rec - data) / N
    dWr = d.T @ drec
    dd = (drec @ Wr.T) * (1 - d**2)
    dWd = z.T @ dd
    dz = dd @ Wd.T
    dmu = dz + mu / N
    dlogvar = dz * eps * 0.5 * std + 0.5 * (np.exp(logvar) - 1) / N
    dWm = h.T @ dmu
    dWs = h.T @ dlogvar
    dh = (dmu @ Wm.T + dlogvar @ Ws.T) * (1 - h**2)
    dWe = data.T @ dh
    We -= rate * dWe
    Wm -= rate * dWm
    Ws -= rate * dWs
    Wd -= rate * dWd
    Wr -= rate * dWr
