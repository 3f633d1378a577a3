"""A GRU over a short sequence, columns convention, one vector at a time; the gates keep their own matrices."""
import numpy as np

np.random.seed(8)
D, H, T = 3, 4, 4
xs = np.random.randn(T, D, 1)
goal = np.random.randn(H, 1)
p = {}
for g in ("z", "r", "n"):
    p["W" + g] = np.random.randn(H, D) * 0.4
    p["U" + g] = np.random.randn(H, H) * 0.4
    p["b" + g] = np.zeros((H, 1))


def sigma(v):
    return 1.0 / (1.0 + np.exp(-v))


for epoch in range(4):
    h = {-1: np.zeros((H, 1))}
    z, r, n = {}, {}, {}
    for t in range(T):
        z[t] = sigma(p["Wz"] @ xs[t] + p["Uz"] @ h[t - 1] + p["bz"])
        r[t] = sigma(p["Wr"] @ xs[t] + p["Ur"] @ h[t - 1] + p["br"])
        n[t] = np.tanh(p["Wn"] @ xs[t] + p["Un"] @ (r[t] * h[t - 1]) + p["bn"])
        h[t] = (1 - z[t]) * n[t] + z[t] * h[t - 1]
    loss = 0.5 * np.sum((h[T - 1] - goal) ** 2)

    grads = {k: np.zeros_like(v) for k, v in p.items()}
    dh = h[T - 1] - goal
    for t in reversed(range(T)):
        dn = dh * (1 - z[t])
        dz = dh * (h[t - 1] - n[t])
        dan = dn * (1 - n[t] ** 2)
        daz = dz * z[t] * (1 - z[t])
        drh = p["Un"].T @ dan
        dar = drh * h[t - 1] * r[t] * (1 - r[t])
        for name, da, inp in (("z", daz, h[t - 1]), ("r", dar, h[t - 1]), ("n", dan, r[t] * h[t - 1])):
            grads["W" + name] += da @ xs[t].T
            grads["U" + name] += da @ inp.T
            grads["b" + name] += da
        dh = dh * z[t] + drh * r[t] + p["Uz"].T @ daz + p["Ur"].T @ dar
    for k in p:
        p[k] -= 0.1 * grads[k]
