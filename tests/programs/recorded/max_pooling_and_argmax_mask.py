import numpy as np
np.random.seed(0)

x, w = np.random.randn(2, 4, 4), np.random.randn(4)
for step in range(3):
    r = x.reshape(2, 2, 2, 2, 2)
    pooled = r.max(axis=4).max(axis=2)
    flat = pooled.reshape(2, -1)
    score = flat.dot(w)
    loss = np.sum(score ** 2) / 2
    dflat = np.outer(score, w)
    dw = flat.T.dot(score)
    dp = dflat.reshape(pooled.shape)
    mask = (x == pooled.repeat(2, axis=1).repeat(2, axis=2))
    dx = mask * dp.repeat(2, axis=1).repeat(2, axis=2)
    w -= 0.05 * dw
print(round(loss, 6), round(dx.sum(), 6))
