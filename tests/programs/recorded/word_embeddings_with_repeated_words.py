import numpy as np
np.random.seed(0)

V, D = 7, 3
E, U = np.random.randn(V, D) * 0.5, np.random.randn(D, V) * 0.5
centre, context = np.array([1, 2, 2, 5]), np.array([0, 3, 4, 2])
for step in range(4):
    h = E[centre]
    s = h @ U
    p = np.exp(s) / np.exp(s).sum(axis=1, keepdims=True)
    loss = -np.log(p[range(4), context]).sum()
    ds = p
    ds[range(4), context] -= 1
    dU = h.T @ ds
    dh = ds @ U.T
    dE = np.zeros_like(E)
    np.add.at(dE, centre, dh)
    E -= 0.1 * dE
    U -= 0.1 * dU
print(round(loss, 5))
