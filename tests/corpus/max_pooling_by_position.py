"""A naive convolution and a max pooling, loops over positions; the largest entry of each window gets the gradient."""
import numpy as np

np.random.seed(31)
img = np.random.randn(6, 6)
target = 1.0
kern = np.random.randn(3, 3) * 0.5
w = np.random.randn(4) * 0.5
c = 0.0
eta = 0.05

for it in range(3):
    conv = np.zeros((4, 4))
    for i in range(4):
        for j in range(4):
            conv[i, j] = np.sum(img[i : i + 3, j : j + 3] * kern)
    pool = np.zeros((2, 2))
    for i in range(2):
        for j in range(2):
            pool[i, j] = conv[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].max()
    feat = np.tanh(pool.ravel())
    y = feat @ w + c
    loss = (y - target) ** 2

    dy = 2 * (y - target)
    dw = dy * feat
    dc = dy
    dpool = (dy * w * (1 - feat**2)).reshape(2, 2)
    dconv = np.zeros_like(conv)
    for i in range(2):
        for j in range(2):
            window = conv[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
            dconv[2 * i : 2 * i + 2, 2 * j : 2 * j + 2] = (window == window.max()) * dpool[i, j]
    dkern = np.zeros_like(kern)
    for i in range(4):
        for j in range(4):
            dkern += dconv[i, j] * img[i : i + 3, j : j + 3]
    w -= eta * dw
    c -= eta * dc
    kern -= eta * dkern
