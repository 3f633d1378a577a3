"""A convolution as one matrix product over patches, batch norm without a framework, global average pooling."""
import numpy as np

rng = np.random.default_rng(21)
N, C, S, F, K = 4, 2, 5, 3, 3
O = S - 2
images = rng.normal(size=(N, C, S, S))
labels = rng.integers(0, K, N)
kernels = rng.normal(size=(F, C, 3, 3)) * 0.3
gamma, beta = np.ones(F), np.zeros(F)
W, b = rng.normal(size=(F, K)) * 0.5, np.zeros(K)


def im2col(x):
    patches = [x[:, :, i : i + O, j : j + O] for i in range(3) for j in range(3)]
    stacked = np.stack(patches, axis=2)
    return stacked.transpose(0, 3, 4, 1, 2).reshape(N * O * O, C * 9)


for epoch in range(3):
    cols = im2col(images)
    maps = cols @ kernels.reshape(F, -1).T
    mu = maps.mean(axis=0)
    centred = maps - mu
    inv_std = 1 / np.sqrt((centred**2).mean(axis=0) + 1e-5)
    hat = centred * inv_std
    act = np.maximum(gamma * hat + beta, 0)
    pooled = act.reshape(N, O * O, F).mean(axis=1)
    logits = pooled @ W + b
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    probs = shifted / shifted.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(probs[np.arange(N), labels]))

    dlogits = probs.copy()
    dlogits[np.arange(N), labels] -= 1
    dlogits /= N
    dW, db = pooled.T @ dlogits, dlogits.sum(axis=0)
    dpooled = dlogits @ W.T
    dact = np.repeat(dpooled[:, None, :] / (O * O), O * O, axis=1).reshape(N * O * O, F)
    dpre = dact * (act > 0)
    dgamma, dbeta = (dpre * hat).sum(axis=0), dpre.sum(axis=0)
    dhat = dpre * gamma
    M = N * O * O
    dmaps = inv_std / M * (M * dhat - dhat.sum(axis=0) - hat * (dhat * hat).sum(axis=0))
    dkernels = (dmaps.T @ cols).reshape(kernels.shape)
    for param, grad in ((W, dW), (b, db), (gamma, dgamma), (beta, dbeta), (kernels, dkernels)):
        param -= 0.2 * grad
