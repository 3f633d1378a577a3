import numpy as np
np.random.seed(0)

N, D, H, C = 5, 4, 3, 2
x, y = np.random.randn(N, D), np.random.randint(C, size=N)
w1, b1, w2, b2 = np.random.randn(D, H), np.zeros(H), np.random.randn(H, C), np.zeros(C)
h = np.maximum(0, x.dot(w1) + b1)
scores = h.dot(w2) + b2
shifted = scores - scores.max(axis=1, keepdims=True)
logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
loss = -logp[np.arange(N), y].mean()
dscores = np.exp(logp)
dscores[np.arange(N), y] -= 1
dscores /= N
dw2, db2 = h.T.dot(dscores), dscores.sum(axis=0)
dh = dscores.dot(w2.T)
dh[h <= 0] = 0
dw1, db1 = x.T.dot(dh), dh.sum(axis=0)
print(round(loss, 6), dw1.shape, db2.round(4))
