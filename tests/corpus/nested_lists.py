"""No arrays at all: a small network in nested lists, learning XOR number by number."""
import math
import random

random.seed(2)
hidden = [[random.uniform(-1, 1) for _ in range(3)] for _ in range(2)]
output = [random.uniform(-1, 1) for _ in range(3)]
cases = [([0, 0], 0), ([0, 1], 1), ([1, 0], 1), ([1, 1], 0)]


def sigmoid(s):
    return 1 / (1 + math.exp(-s))


rate = 0.5
for epoch in range(3):
    for inputs, wanted in cases:
        h = []
        for unit in hidden:
            s = unit[2]
            for i in range(2):
                s += unit[i] * inputs[i]
            h.append(sigmoid(s))
        s = output[2]
        for j in range(2):
            s += output[j] * h[j]
        o = sigmoid(s)
        error = 0.5 * (o - wanted) ** 2

        delta_o = (o - wanted) * o * (1 - o)
        delta_h = [delta_o * output[j] * h[j] * (1 - h[j]) for j in range(2)]
        for j in range(2):
            output[j] -= rate * delta_o * h[j]
        output[2] -= rate * delta_o
        for j in range(2):
            for i in range(2):
                hidden[j][i] -= rate * delta_h[j] * inputs[i]
            hidden[j][2] -= rate * delta_h[j]
