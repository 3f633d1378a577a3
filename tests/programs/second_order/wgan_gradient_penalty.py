# critic of a WGAN with gradient penalty
import numpy as np
rng = np.random.default_rng(4)
B, D, H = 16, 2, 8
W1 = rng.normal(0, .5, (D, H)); b1 = np.zeros(H); w2 = rng.normal(0, .5, (H, 1))
lam = 10.0
def leaky(z): return np.where(z > 0, z, 0.2 * z)
def leaky_grad(z): return np.where(z > 0, 1.0, 0.2)
for step in range(20):
    real = rng.normal(1, .3, (B, D)); fake = rng.normal(-1, .3, (B, D))
    eps = rng.uniform(size=(B, 1))
    hat = eps * real + (1 - eps) * fake
    zr = real @ W1 + b1; cr = leaky(zr) @ w2
    zf = fake @ W1 + b1; cf = leaky(zf) @ w2
    zh = hat @ W1 + b1
    mask = leaky_grad(zh)
    u = mask * w2.T
    g = u @ W1.T
    norm = np.sqrt(np.sum(g ** 2, axis=1, keepdims=True) + 1e-12)
    gp = lam * np.mean((norm - 1) ** 2)
    loss = cf.mean() - cr.mean() + gp
    # backward
    dcr = -np.ones((B, 1)) / B
    dcf = np.ones((B, 1)) / B
    dnorm = 2 * lam * (norm - 1) / B
    dg = dnorm * g / norm
    du = dg @ W1
    dW1 = dg.T @ u
    dw2 = np.sum(du * mask, axis=0)[:, None]
    dw2 += leaky(zr).T @ dcr + leaky(zf).T @ dcf
    dzr = (dcr @ w2.T) * leaky_grad(zr)
    dzf = (dcf @ w2.T) * leaky_grad(zf)
    dW1 += real.T @ dzr + fake.T @ dzf
    db1 = dzr.sum(0) + dzf.sum(0)
    W1 -= 1e-3 * dW1; b1 -= 1e-3 * db1; w2 -= 1e-3 * dw2
