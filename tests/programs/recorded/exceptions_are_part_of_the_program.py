import numpy as np
np.random.seed(0)

class Diverged(Exception):
    def __init__(self, loss):
        super().__init__('diverged at %.3f' % loss)
        self.loss = loss
X, y, W, rate = np.random.randn(6, 3), np.random.randn(6, 1), np.random.randn(3, 1), 0.05
for k in range(5):
    try:
        d = X @ W - y
        loss = np.sum(d ** 2)
        if loss > 1e6:
            raise Diverged(loss)
    except Diverged as problem:
        rate = rate / 2
        continue
    finally:
        last = k
    W = W - rate * X.T @ d
print(last, round(loss, 6))
