import numpy as np
np.random.seed(0)
dt = np.float32
X = np.random.randn(16, 1, 6, 6).astype(dt); y = np.random.randint(0, 2, (16,))
K = (np.random.randn(3, 1, 3, 3) * .3).astype(dt); W = (np.random.randn(3, 2) * .3).astype(dt)
def im2col(x, k):
    N, C, H, Wd = x.shape
    oh, ow = H - k + 1, Wd - k + 1
    s = x.strides
    v = np.lib.stride_tricks.as_strided(x, (N, C, oh, ow, k, k), s[:2] + s[2:] + s[2:])
    return v.transpose(0, 2, 3, 1, 4, 5).reshape(N * oh * ow, -1), oh, ow
for e in range(4):
    col, oh, ow = im2col(X, 3)
    o = (col @ K.reshape(3, -1).T).reshape(16, oh, ow, 3)
    h = np.maximum(o, 0)
    pool = h.mean(axis=(1, 2))
    s = pool @ W
    p = np.exp(s - s.max(-1, keepdims=True)); p /= p.sum(-1, keepdims=True)
    loss = -np.log(p[np.arange(16), y]).mean()
    ds = p; ds[np.arange(16), y] -= 1; ds /= 16
    dW = pool.T @ ds
    dpool = ds @ W.T
    dh = np.broadcast_to(dpool[:, None, None, :] / (oh * ow), h.shape)
    do = dh * (o > 0)
    dK = (do.reshape(-1, 3).T @ col).reshape(K.shape)
    K -= dt(.1) * dK; W -= dt(.1) * dW
print(loss.dtype, loss)
