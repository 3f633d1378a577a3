import numpy as np
np.random.seed(0)

T, D, H = 3, 2, 4
W = np.random.randn(D + H + 1, 4 * H) * 0.3
X = np.random.randn(T, D)
target = np.random.randn(H)
for step in range(4):
    c, h = np.zeros(H), np.zeros(H)
    inp, gates, cells, outs = np.zeros((T, D + H + 1)), np.zeros((T, 4 * H)), np.zeros((T + 1, H)), np.zeros((T, H))
    for t in range(T):
        inp[t, 0] = 1
        inp[t, 1:1 + D] = X[t]
        inp[t, 1 + D:] = h
        z = inp[t].dot(W)
        gates[t, :3 * H] = 1 / (1 + np.exp(-z[:3 * H]))
        gates[t, 3 * H:] = np.tanh(z[3 * H:])
        cells[t + 1] = gates[t, H:2 * H] * cells[t] + gates[t, :H] * gates[t, 3 * H:]
        h = gates[t, 2 * H:3 * H] * np.tanh(cells[t + 1])
        outs[t] = h
    loss = 0.5 * np.sum((h - target) ** 2)
    dW, dh, dc = np.zeros_like(W), h - target, np.zeros(H)
    for t in reversed(range(T)):
        i, f, o, g = np.split(gates[t], 4)
        tc = np.tanh(cells[t + 1])
        dg = np.zeros(4 * H)
        dc = dc + dh * o * (1 - tc ** 2)
        dg[2 * H:3 * H] = dh * tc * o * (1 - o)
        dg[H:2 * H] = dc * cells[t] * f * (1 - f)
        dg[:H] = dc * g * i * (1 - i)
        dg[3 * H:] = dc * i * (1 - g ** 2)
        dW += np.outer(inp[t], dg)
        dh = W.dot(dg)[1 + D:]
        dc = dc * f
    W -= 0.1 * dW
print(round(float(loss), 6))
