# MAML with a hidden layer: the inner gradient is backprop written by hand
import numpy as np
np.random.seed(0)
n, d, h = 8, 3, 6
W = np.random.randn(d, h) * 0.5
v = np.random.randn(h) * 0.5
alpha, beta = 0.1, 0.01
def sample():
    X = np.random.randn(n, d)
    return X, np.sin(X.sum(axis=1))
for it in range(40):
    Xs, ys = sample()
    Xq, yq = sample()
    # inner
    H = np.tanh(Xs @ W)
    out = H @ v
    err = (out - ys) / n
    gv = H.T @ err
    gH = np.outer(err, v)
    gZ = gH * (1 - H * H)
    gW = Xs.T @ gZ
    W2 = W - alpha * gW
    v2 = v - alpha * gv
    # query
    Hq = np.tanh(Xq @ W2)
    oq = Hq @ v2
    eq = oq - yq
    meta_loss = 0.5 * np.mean(eq ** 2)
    # backward through query
    do = eq / n
    dv2 = Hq.T @ do
    dHq = np.outer(do, v2)
    dZq = dHq * (1 - Hq ** 2)
    dW2 = Xq.T @ dZq
    # backward through the inner step
    dgW = -alpha * dW2
    dgv = -alpha * dv2
    dgZ = Xs @ dgW
    dgH = dgZ * (1 - H * H)
    dH = dgZ * gH * (-2 * H)
    derr = dgH @ v + H @ dgv
    dv = dv2 + dgH.T @ err
    dH += np.outer(err, dgv)
    dout = derr / n
    dv += H.T @ dout
    dH += np.outer(dout, v)
    dW = dW2 + Xs.T @ (dH * (1 - H * H))
    W -= beta * dW
    v -= beta * dv
