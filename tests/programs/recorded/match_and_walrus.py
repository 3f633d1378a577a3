import numpy as np
np.random.seed(0)

X, y, W, kind = np.random.randn(6, 3), np.random.randn(6, 1), np.random.randn(3, 1), 'squared'
steps = iter(range(4))
while (k := next(steps, None)) is not None:
    out = X @ W
    match kind:
        case 'absolute':
            loss, d = np.abs(out - y).sum(), np.sign(out - y)
        case 'squared':
            loss, d = ((diff := out - y) ** 2).sum(), 2 * diff
    W -= 0.02 * (X.T @ d)
print(f'{loss:.6f} {k=}')
