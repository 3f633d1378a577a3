import numpy as np
np.random.seed(0)

def im2col(x, k, stride, pad):
    p = np.pad(x, ((0, 0), (pad, pad), (pad, pad)), mode='constant')
    n, h = x.shape[0], (p.shape[1] - k) // stride + 1
    col = np.zeros((n, k, k, h, h))
    for r in range(k):
        for c in range(k):
            col[:, r, c, :, :] = p[:, r:r + stride * h:stride, c:c + stride * h:stride]
    return col.transpose(0, 3, 4, 1, 2).reshape(n * h * h, -1), h

def col2im(col, shape, k, stride, pad, h):
    n, H, _ = shape
    col = col.reshape(n, h, h, k, k).transpose(0, 3, 4, 1, 2)
    img = np.zeros((n, H + 2 * pad, H + 2 * pad))
    for r in range(k):
        for c in range(k):
            img[:, r:r + stride * h:stride, c:c + stride * h:stride] += col[:, r, c]
    return img[:, pad:-pad, pad:-pad]

X, W, y = np.random.randn(2, 4, 4), np.random.randn(9, 2) * 0.3, np.random.randn(8, 2)
for it in range(3):
    col, h = im2col(X, 3, 2, 1)
    out = col @ W
    loss = ((out - y) ** 2).mean()
    dout = 2 * (out - y) / out.size
    dW = col.T @ dout
    dX = col2im(dout @ W.T, X.shape, 3, 2, 1, h)
    W -= 0.5 * dW
print(round(loss, 6), dX.shape)
