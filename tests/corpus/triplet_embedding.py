"""Embeddings pulled together and pushed apart: a margin over squared distances, only active triplets count."""
import numpy as np

rng = np.random.default_rng(15)
N, D, E = 10, 4, 3
a, p, n = (rng.normal(size=(N, D)) for _ in range(3))
M = rng.normal(size=(D, E)) * 0.5
margin = 1.0
for _ in range(5):
    fa, fp, fn = a @ M, p @ M, n @ M
    near = ((fa - fp) ** 2).sum(1)
    far = ((fa - fn) ** 2).sum(1)
    hinge = np.maximum(0, near - far + margin)
    loss = hinge.mean()
    active = (hinge > 0).astype(float)[:, None] / N
    d_fa = active * 2 * ((fa - fp) - (fa - fn))
    d_fp = active * -2 * (fa - fp)
    d_fn = active * 2 * (fa - fn)
    dM = a.T @ d_fa + p.T @ d_fp + n.T @ d_fn
    M -= 0.05 * dM
