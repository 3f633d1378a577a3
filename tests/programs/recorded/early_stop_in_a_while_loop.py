import numpy as np
np.random.seed(0)

X, y, w = np.random.randn(10, 2), np.random.randn(10), np.zeros(2)
before, count = float('inf'), 0
while True:
    r = X @ w - y
    cost = r @ r / 20
    if abs(before - cost) < 1e-4 or count > 50:
        break
    before = cost
    w = w - 0.2 * (X.T @ r) / 10
    count += 1
else:
    print('never')
print(count, cost.round(6))
