"""Samples in columns, parameters and caches in dictionaries, one function for each half of a layer."""
import numpy as np


def initialize(sizes, seed=3):
    np.random.seed(seed)
    parameters = {}
    for l in range(1, len(sizes)):
        parameters["W" + str(l)] = np.random.randn(sizes[l], sizes[l - 1]) / np.sqrt(sizes[l - 1])
        parameters["b" + str(l)] = np.zeros((sizes[l], 1))
    return parameters


def linear_forward(A, W, b):
    return np.dot(W, A) + b, (A, W, b)


def relu(Z):
    return np.maximum(0, Z), Z


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z)), Z


def activation_forward(A_prev, W, b, activation):
    Z, linear_cache = linear_forward(A_prev, W, b)
    A, activation_cache = relu(Z) if activation == "relu" else sigmoid(Z)
    return A, (linear_cache, activation_cache)


def relu_backward(dA, Z):
    dZ = np.array(dA, copy=True)
    dZ[Z <= 0] = 0
    return dZ


def sigmoid_backward(dA, Z):
    s = 1 / (1 + np.exp(-Z))
    return dA * s * (1 - s)


def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = np.dot(dZ, A_prev.T) / m
    db = np.sum(dZ, axis=1, keepdims=True) / m
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW, db


def activation_backward(dA, cache, activation):
    linear_cache, Z = cache
    dZ = relu_backward(dA, Z) if activation == "relu" else sigmoid_backward(dA, Z)
    return linear_backward(dZ, linear_cache)


def model(X, Y, sizes, learning_rate=0.1, num_iterations=4):
    parameters = initialize(sizes)
    L = len(sizes) - 1
    for i in range(num_iterations):
        caches = []
        A = X
        for l in range(1, L):
            A, cache = activation_forward(A, parameters["W%d" % l], parameters["b%d" % l], "relu")
            caches.append(cache)
        AL, cache = activation_forward(A, parameters["W%d" % L], parameters["b%d" % L], "sigmoid")
        caches.append(cache)
        m = Y.shape[1]
        cost = -1 / m * np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL))
        grads = {}
        dAL = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
        dA, grads["dW%d" % L], grads["db%d" % L] = activation_backward(dAL, caches[L - 1], "sigmoid")
        for l in reversed(range(1, L)):
            dA, grads["dW%d" % l], grads["db%d" % l] = activation_backward(dA, caches[l - 1], "relu")
        for l in range(1, L + 1):
            parameters["W%d" % l] -= learning_rate * grads["dW%d" % l]
            parameters["b%d" % l] -= learning_rate * grads["db%d" % l]
        if i % 2 == 0:
            print("cost after", i, np.squeeze(cost))
    return parameters


rng = np.random.RandomState(1)
inputs = rng.randn(4, 20)
model(inputs, (inputs.sum(axis=0, keepdims=True) > 0).astype(float), [4, 5, 3, 1])
