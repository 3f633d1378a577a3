# Sobolev training: fit values and slopes of a function with a small network
import numpy as np
rng = np.random.default_rng(7)
x = np.linspace(-1, 1, 15)
t, dt = np.sin(3 * x), 3 * np.cos(3 * x)
a = rng.normal(size=6); b = rng.normal(size=6); c = rng.normal(size=6)
for epoch in range(200):
    Z = np.outer(x, a) + b
    S = 1 / (1 + np.exp(-Z))
    f = S @ c
    S1 = S * (1 - S)
    fx = (S1 * a) @ c                 # df/dx
    loss = np.mean((f - t) ** 2) + np.mean((fx - dt) ** 2)
    gf = 2 * (f - t) / len(x)
    gfx = 2 * (fx - dt) / len(x)
    gc = S.T @ gf + (S1 * a).T @ gfx
    gS1 = np.outer(gfx, a * c)
    ga = np.sum(gfx[:, None] * S1 * c, axis=0)
    gS = np.outer(gf, c) + gS1 * (1 - 2 * S)
    gZ = gS * S1
    ga += x @ gZ
    gb = gZ.sum(axis=0)
    a -= 0.05 * ga; b -= 0.05 * gb; c -= 0.05 * gc
