import numpy as np


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class Net:
    def __init__(self, sizes):
        self.W1 = np.random.randn(sizes[0], sizes[1]) * 0.1
        self.b1 = np.zeros(sizes[1])
        self.W2 = np.random.randn(sizes[1], sizes[2]) * 0.1
        self.b2 = np.zeros(sizes[2])

    def forward(self, X):
        self.z1 = X @ self.W1 + self.b1
        self.a1 = np.tanh(self.z1)
        self.z2 = self.a1 @ self.W2 + self.b2
        return softmax(self.z2)

    def backward(self, X, y, probs, lr):
        delta3 = probs.copy()
        delta3[np.arange(len(X)), y] -= 1
        delta3 /= len(X)
        dW2 = self.a1.T @ delta3
        db2 = delta3.sum(axis=0)
        delta2 = delta3 @ self.W2.T * (1 - self.a1 ** 2)
        dW1 = X.T @ delta2
        db1 = delta2.sum(axis=0)
        self.W1 -= lr * dW1
        self.b1 -= lr * db1
        self.W2 -= lr * dW2
        self.b2 -= lr * db2


def main():
    np.random.seed(0)
    X = np.random.randn(40, 5)
    y = np.random.randint(0, 4, 40)
    net = Net([5, 7, 4])
    for epoch in range(50):
        probs = net.forward(X)
        net.backward(X, y, probs, 0.1)
        if epoch % 10 == 0:
            print(epoch, (probs.argmax(axis=1) == y).mean())


main()
