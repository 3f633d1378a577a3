"""Two networks that play against each other: each is moved along the gradient of its own loss."""
import numpy as np

np.random.seed(90)
B, Z, H = 16, 2, 5
G1, G2 = np.random.randn(Z, H) * 0.5, np.random.randn(H, 1) * 0.5
D1, D2 = np.random.randn(1, H) * 0.5, np.random.randn(H, 1) * 0.5


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


for it in range(4):
    noise = np.random.randn(B, Z)
    real = 3 + 0.5 * np.random.randn(B, 1)
    gh = np.tanh(noise @ G1)
    fake = gh @ G2
    rh = np.tanh(real @ D1)
    pr = sigmoid(rh @ D2)
    fh = np.tanh(fake @ D1)
    pf = sigmoid(fh @ D2)
    d_loss = -np.mean(np.log(pr)) - np.mean(np.log(1 - pf))
    dr = (pr - 1) / B
    df = pf / B
    dD2 = rh.T @ dr + fh.T @ df
    dD1 = real.T @ (dr @ D2.T * (1 - rh**2)) + fake.T @ (df @ D2.T * (1 - fh**2))
    D1 = D1 - 0.1 * dD1
    D2 = D2 - 0.1 * dD2

    fh = np.tanh(fake @ D1)
    pf = sigmoid(fh @ D2)
    g_loss = -np.mean(np.log(pf))
    dg = (pf - 1) / B
    dfake = (dg @ D2.T * (1 - fh**2)) @ D1.T
    dG2 = gh.T @ dfake
    dG1 = noise.T @ (dfake @ G2.T * (1 - gh**2))
    G1 = G1 - 0.1 * dG1
    G2 = G2 - 0.1 * dG2
