"""One layer of LSTM cells over a short sequence, gates in one matrix, least squares at the end."""
import numpy as np

rng = np.random.default_rng(5)
T, B, D, H = 3, 3, 2, 4
xs = rng.normal(size=(T, B, D))
target = rng.normal(size=(B, H))
Wx = rng.normal(size=(D, 4 * H)) * 0.4
Wh = rng.normal(size=(H, 4 * H)) * 0.4
b = np.zeros(4 * H)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


for step in range(6):
    h, c = [np.zeros((B, H))], [np.zeros((B, H))]
    gates = []
    for t in range(T):
        z = xs[t] @ Wx + h[t] @ Wh + b
        i = sigmoid(z[:, :H])
        f = sigmoid(z[:, H : 2 * H])
        o = sigmoid(z[:, 2 * H : 3 * H])
        g = np.tanh(z[:, 3 * H :])
        c.append(f * c[t] + i * g)
        h.append(o * np.tanh(c[t + 1]))
        gates.append((i, f, o, g))
    loss = 0.5 * np.sum((h[T] - target) ** 2)
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)
    dh = h[T] - target
    dc = np.zeros((B, H))
    for t in reversed(range(T)):
        i, f, o, g = gates[t]
        tc = np.tanh(c[t + 1])
        do = dh * tc
        dc = dc + dh * o * (1 - tc**2)
        di = dc * g
        df = dc * c[t]
        dg = dc * i
        dz = np.hstack([di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)])
        dWx += xs[t].T @ dz
        dWh += h[t].T @ dz
        db += dz.sum(axis=0)
        dh = dz @ Wh.T
        dc = dc * f
    Wx -= 0.1 * dWx
    Wh -= 0.1 * dWh
    b -= 0.1 * db
