from __future__ import print_function, division
from builtins import range
import numpy as np
import matplotlib.pyplot as plt

np.random.seed(2)

def predict(X, V, c, W, d):
    H = 1 / (1 + np.exp(-X.dot(V) - c))
    A = H.dot(W) + d
    expA = np.exp(A)
    P = expA / expA.sum(axis=1, keepdims=True)
    return P, H

def gradient_w(H, T, P):
    N, K = T.shape
    M = H.shape[1]
    return H.T.dot(T - P)

def gradient_v(X, H, T, P, W):
    dH = (T - P).dot(W.T) * H * (1 - H)
    return X.T.dot(dH)

def gradient_d(T, P):
    return (T - P).sum(axis=0)

def gradient_c(T, P, W, H):
    return ((T - P).dot(W.T) * H * (1 - H)).sum(axis=0)

def log_likelihood(T, P):
    total = T * np.log(P)
    return total.sum()

def main():
    per_class = 6
    D = 2
    M = 4
    K = 3
    X = np.vstack([np.random.randn(per_class, D) + np.array([0, -2]),
                   np.random.randn(per_class, D) + np.array([2, 2]),
                   np.random.randn(per_class, D) + np.array([-2, 2])])
    labels = np.array([0]*per_class + [1]*per_class + [2]*per_class)
    N = len(labels)
    T = np.zeros((N, K))
    for i in range(N):
        T[i, labels[i]] = 1
    plt.scatter(X[:,0], X[:,1], c=labels)
    plt.show()
    V = np.random.randn(D, M)
    c = np.random.randn(M)
    W = np.random.randn(M, K)
    d = np.random.randn(K)
    eta = 1e-3
    history = []
    for epoch in range(30):
        P, H = predict(X, V, c, W, d)
        if epoch % 3 == 0:
            L = log_likelihood(T, P)
            print('log likelihood:', L)
            history.append(L)
        # uphill, so plus
        W += eta * gradient_w(H, T, P)
        d += eta * gradient_d(T, P)
        V += eta * gradient_v(X, H, T, P, W)
        c += eta * gradient_c(T, P, W, H)
    plt.plot(history)
    plt.show()

if __name__ == '__main__':
    main()
