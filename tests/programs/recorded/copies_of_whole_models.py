import numpy as np
np.random.seed(0)

import copy
model = {'W': np.random.randn(3, 1), 'b': np.zeros(1), 'layers': [{'k': 2.0}]}
X, y = np.random.randn(6, 3), np.random.randn(6, 1)
best, best_loss = None, 1e9
for k in range(4):
    out = (X @ model['W'] + model['b']) * model['layers'][0]['k']
    loss = np.mean((out - y) ** 2)
    if loss < best_loss:
        best, best_loss = copy.deepcopy(model), loss
    d = 2 * (out - y) / len(y) * model['layers'][0]['k']
    model['W'] -= 0.05 * X.T @ d
    model['b'] -= 0.05 * d.sum(0)
print(round(best_loss, 6), best['W'] is model['W'])
