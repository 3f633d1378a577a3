"""Rows of an embedding table averaged over a sentence; their gradients are scattered back with add.at."""
import numpy as np

rng = np.random.default_rng(71)
V, E, K = 12, 4, 3
sentences = rng.integers(0, V, size=(9, 5))
topic = rng.integers(0, K, 9)
table = rng.normal(size=(V, E)) * 0.3
W = rng.normal(size=(E, K)) * 0.3
b = np.zeros(K)
for epoch in range(2):
    for start in range(0, 9, 3):
        words = sentences[start : start + 3]
        label = topic[start : start + 3]
        emb = table[words]
        mean = emb.mean(axis=1)
        scores = mean @ W + b
        scores -= scores.max(axis=1, keepdims=True)
        logp = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        loss = -logp[np.arange(3), label].sum() / 3
        dscores = np.exp(logp)
        dscores[np.arange(3), label] -= 1
        dscores /= 3
        dW = mean.T @ dscores
        db = dscores.sum(axis=0)
        dmean = dscores @ W.T
        demb = np.tile(dmean[:, None, :], (1, 5, 1)) / 5
        dtable = np.zeros_like(table)
        np.add.at(dtable, words, demb)
        W -= 0.5 * dW
        b -= 0.5 * db
        table -= 0.5 * dtable
