import math, random
random.seed(0)
def matrix(rows, columns): return [[random.gauss(0, 0.5) for _ in range(columns)] for _ in range(rows)]
X = [[0., 1.], [1., 0.], [1., 1.]]
Y = [1., 1., 0.]
W1, W2 = matrix(2, 3), matrix(3, 1)
for epoch in range(5):
    loss = 0.0
    for x, y in zip(X, Y):
        h = [math.tanh(sum(x[i] * W1[i][j] for i in range(2))) for j in range(3)]
        out = sum(h[j] * W2[j][0] for j in range(3))
        error = out - y
        loss += 0.5 * error ** 2
        dh = [error * W2[j][0] * (1 - h[j] ** 2) for j in range(3)]
        for j in range(3):
            W2[j][0] -= 0.1 * error * h[j]
            for i in range(2):
                W1[i][j] -= 0.1 * dh[j] * x[i]
print(round(loss, 6))
