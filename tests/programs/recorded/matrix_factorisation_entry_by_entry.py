import numpy as np
np.random.seed(0)

R = np.array([[5, 3, 0], [4, 0, 1], [1, 1, 5]], dtype=float)
P, Q = np.random.rand(3, 2), np.random.rand(2, 3)
for step in range(3):
    for i in range(3):
        for j in range(3):
            if R[i][j] > 0:
                e = R[i][j] - np.dot(P[i, :], Q[:, j])
                for k in range(2):
                    P[i][k] = P[i][k] + 0.01 * (2 * e * Q[k][j] - 0.02 * P[i][k])
                    Q[k][j] = Q[k][j] + 0.01 * (2 * e * P[i][k] - 0.02 * Q[k][j])
    loss = np.sum((R - P @ Q)[R > 0] ** 2)
print(round(loss, 6))
