"""Loops over every output position, as in a first course: no vectorised step at all."""
import numpy as np


def conv_forward(x, w, b, pad=1):
    N, C, H, W = x.shape
    F, C, HH, WW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode='constant')
    Ho, Wo = H + 2 * pad - HH + 1, W + 2 * pad - WW + 1
    out = np.zeros((N, F, Ho, Wo))
    for n in range(N):
        for f in range(F):
            for i in range(Ho):
                for j in range(Wo):
                    out[n, f, i, j] = np.sum(xp[n, :, i:i + HH, j:j + WW] * w[f]) + b[f]
    return out, (x, w, b, pad)


def conv_backward(dout, cache):
    x, w, b, pad = cache
    N, C, H, W = x.shape
    F, C, HH, WW = w.shape
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode='constant')
    dxp = np.zeros_like(xp)
    dw = np.zeros_like(w)
    db = np.zeros_like(b)
    for n in range(N):
        for f in range(F):
            db[f] += dout[n, f].sum()
            for i in range(dout.shape[2]):
                for j in range(dout.shape[3]):
                    dw[f] += xp[n, :, i:i + HH, j:j + WW] * dout[n, f, i, j]
                    dxp[n, :, i:i + HH, j:j + WW] += w[f] * dout[n, f, i, j]
    dx = dxp[:, :, pad:pad + H, pad:pad + W]
    return dx, dw, db


def pool_forward(x, size):
    N, C, H, W = x.shape
    out = np.zeros((N, C, H // size, W // size))
    for i in range(H // size):
        for j in range(W // size):
            out[:, :, i, j] = x[:, :, i * size:(i + 1) * size, j * size:(j + 1) * size].max(axis=(2, 3))
    return out, (x, size)


def pool_backward(dout, cache):
    x, size = cache
    dx = np.zeros_like(x)
    N, C, Ho, Wo = dout.shape
    for n in range(N):
        for c in range(C):
            for i in range(Ho):
                for j in range(Wo):
                    window = x[n, c, i * size:(i + 1) * size, j * size:(j + 1) * size]
                    dx[n, c, i * size:(i + 1) * size, j * size:(j + 1) * size] = (window == window.max()) * dout[n, c, i, j]
    return dx


if __name__ == '__main__':
    np.random.seed(0)
    x = np.random.randn(1, 2, 3, 3)
    w = np.random.randn(2, 2, 2, 2)
    b = np.random.randn(2)
    out, cache = conv_forward(x, w, b, pad=0)
    dout = np.random.randn(*out.shape)
    dx, dw, db = conv_backward(dout, cache)

    x = np.random.randn(1, 2, 4, 4)
    out, cache = pool_forward(x, 2)
    dout = np.random.randn(*out.shape)
    dx = pool_backward(dout, cache)
    print(dx)
