"""word2vec's skip-gram with negative samples, one pair at a time."""
import numpy as np

rng = np.random.default_rng(11)
vocabulary, dim, negatives = 9, 4, 3
corpus = rng.integers(0, vocabulary, 30)
inside = rng.normal(size=(vocabulary, dim)) * 0.5
outside = rng.normal(size=(vocabulary, dim)) * 0.5
rate = 0.1
for position in range(1, 12):
    center, context = corpus[position], corpus[position - 1]
    samples = rng.choice(np.delete(np.arange(vocabulary), context), negatives, replace=False)
    v = inside[center]
    u = outside[context]
    U = outside[samples]
    pos = 1 / (1 + np.exp(-u @ v))
    neg = 1 / (1 + np.exp(-U @ v))
    loss = -np.log(pos) - np.sum(np.log(1 - neg))
    dv = (pos - 1) * u + neg @ U
    du = (pos - 1) * v
    dU = np.outer(neg, v)
    inside[center] -= rate * dv
    outside[context] -= rate * du
    outside[samples] -= rate * dU
