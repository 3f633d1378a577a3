"""A Wasserstein critic with clipped weights: the backward passes start from ones and minus ones."""

import numpy as np
rng = np.random.default_rng(0)
n, zdim, hid, clip, lr = 16, 3, 5, 0.1, 0.05
Wg = 0.3 * rng.normal(size=(zdim, 2)); bg = np.zeros(2)
W1 = 0.1 * rng.normal(size=(2, hid)); b1 = np.zeros(hid)
W2 = 0.1 * rng.normal(size=(hid, 1))
def critic(x):
    a = x @ W1 + b1
    h = np.maximum(a, 0)
    return h @ W2, (x, a, h)
def critic_backward(dout, cache):
    x, a, h = cache
    dW2 = h.T @ dout
    dh = dout @ W2.T
    da = dh * (a > 0)
    dW1 = x.T @ da
    db1 = da.sum(0)
    return dW1, db1, dW2, da @ W1.T
for it in range(20):
    for _ in range(3):
        real = rng.normal(size=(n, 2)) + 1
        z = rng.normal(size=(n, zdim))
        fake = z @ Wg + bg
        f_real, c_real = critic(real)
        f_fake, c_fake = critic(fake)
        gr = critic_backward(-np.ones((n, 1)) / n, c_real)
        gf = critic_backward(np.ones((n, 1)) / n, c_fake)
        W1 -= lr * (gr[0] + gf[0])
        b1 -= lr * (gr[1] + gf[1])
        W2 -= lr * (gr[2] + gf[2])
        W1 = np.clip(W1, -clip, clip)
        b1 = np.clip(b1, -clip, clip)
        W2 = np.clip(W2, -clip, clip)
    z = rng.normal(size=(n, zdim))
    fake = z @ Wg + bg
    f_fake, c_fake = critic(fake)
    _, _, _, dfake = critic_backward(-np.ones((n, 1)) / n, c_fake)
    Wg -= lr * z.T @ dfake
    bg -= lr * dfake.sum(0)
