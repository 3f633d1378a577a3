import numpy as np
np.random.seed(3)
D, H, T, K = 3, 4, 6, 2
Wx = np.random.randn(H, D) * 0.4
Wh = np.random.randn(H, H) * 0.4
Wy = np.random.randn(K, H) * 0.4
xs = np.random.randn(T, D)
ys = np.random.randn(T, K)
trunc = 3
lr = 0.01
for it in range(5):
    h = np.zeros((T + 1, H))
    out = np.zeros((T, K))
    for t in range(T):
        h[t] = np.tanh(Wx @ xs[t] + Wh @ h[t - 1])
        out[t] = Wy @ h[t]
    loss = 0.5 * np.sum((out - ys) ** 2)
    dWx, dWh, dWy = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(Wy)
    for t in range(T)[::-1]:
        d_out = out[t] - ys[t]
        dWy += np.outer(d_out, h[t])
        delta = Wy.T @ d_out * (1 - h[t] ** 2)
        for k in range(t, max(-1, t - trunc), -1):
            dWh += np.outer(delta, h[k - 1])
            dWx += np.outer(delta, xs[k])
            delta = Wh.T @ delta * (1 - h[k - 1] ** 2)
    Wx -= lr * dWx
    Wh -= lr * dWh
    Wy -= lr * dWy
