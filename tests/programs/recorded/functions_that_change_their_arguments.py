import numpy as np
np.random.seed(0)

def relu(z):
    z[z < 0] = 0
    return z
def step(params, grads, rate):
    for p, g in zip(params, grads):
        p -= rate * g
X, y = np.random.randn(6, 3), np.random.randn(6, 1)
W1, W2 = np.random.randn(3, 4), np.random.randn(4, 1)
for i in range(3):
    z = X @ W1
    a = relu(z)
    d = a @ W2 - y
    loss = np.sum(d ** 2)
    g2 = a.T @ (2 * d)
    dz = (2 * d) @ W2.T
    dz[z == 0] = 0
    step([W1, W2], [X.T @ dz, g2], 0.01)
print(round(loss, 6))
