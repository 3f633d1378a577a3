"""Two layers, L2 regularisation, Adam with bias correction in a dictionary of state."""
import numpy as np

rng = np.random.default_rng(3)
N, D, H = 25, 3, 7
X = rng.normal(size=(N, D))
y = np.sin(X.sum(axis=1, keepdims=True))
params = {"W1": rng.normal(size=(D, H)), "b1": np.zeros(H), "W2": rng.normal(size=(H, 1)), "b2": np.zeros(1)}
m = {k: np.zeros_like(v) for k, v in params.items()}
v = {k: np.zeros_like(p) for k, p in params.items()}
lam, lr, beta1, beta2, eps = 0.01, 0.02, 0.9, 0.999, 1e-8
for t in range(1, 12):
    z1 = X @ params["W1"] + params["b1"]
    a1 = 1 / (1 + np.exp(-z1))
    pred = a1 @ params["W2"] + params["b2"]
    data_loss = np.mean((pred - y) ** 2)
    reg_loss = lam * (np.sum(params["W1"] ** 2) + np.sum(params["W2"] ** 2))
    loss = data_loss + reg_loss
    grads = {}
    dpred = 2 * (pred - y) / N
    grads["W2"] = a1.T @ dpred + 2 * lam * params["W2"]
    grads["b2"] = dpred.sum(axis=0)
    da1 = dpred @ params["W2"].T
    dz1 = da1 * a1 * (1 - a1)
    grads["W1"] = X.T @ dz1 + 2 * lam * params["W1"]
    grads["b1"] = dz1.sum(axis=0)
    for k in params:
        m[k] = beta1 * m[k] + (1 - beta1) * grads[k]
        v[k] = beta2 * v[k] + (1 - beta2) * grads[k] ** 2
        m_hat = m[k] / (1 - beta1**t)
        v_hat = v[k] / (1 - beta2**t)
        params[k] -= lr * m_hat / (np.sqrt(v_hat) + eps)
