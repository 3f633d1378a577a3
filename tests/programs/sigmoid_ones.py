import numpy as np

def sigmoid(z):
    return 1/(1+np.exp(-z))

def sigmoid_derivative(z):
    return np.multiply(sigmoid(z), 1 - sigmoid(z))

def cost_function(out, Y):
    return 1./(2*m) * np.sum(np.square(np.subtract(out, Y)))

np.random.seed(5)
m = 8
step = 0.05
X = np.random.rand(m, 2)
Y = np.random.rand(m, 3)

# first layer: every weight is one
W1 = np.ones((2, 4))
b1 = np.ones((1, 4))
in1 = np.dot(X, W1) + b1
out1 = sigmoid(in1)

# second layer
W2 = np.ones((4, 3))
b2 = np.ones((1, 3))
in2 = np.dot(out1, W2) + b2
out2 = sigmoid(in2)

cost = cost_function(out2, Y)
print("start:", cost)

rounds = 0;
while not (cost < 0.01 or rounds > 50) :
    d_out2 = np.subtract(out2, Y) / m
    d_in2 = np.multiply(d_out2, sigmoid_derivative(in2))
    dw2 = np.dot(out1.T, d_in2)
    db2 = np.sum(d_in2, axis=0)

    slope1 = sigmoid_derivative(in1)
    d_in1 = np.multiply(np.dot(d_in2, W2.T), slope1)
    dw1 = np.dot(X.T, d_in1)
    db1 = np.sum(d_in1, axis=0)

    W2 = W2 - step * dw2
    W1 = W1 - step * dw1
    b2 = b2 - step * db2
    b1 = b1 - step * db1

    # forward again, with the new weights
    in1 = np.dot(X, W1) + b1
    out1 = sigmoid(in1)
    in2 = np.dot(out1, W2) + b2
    out2 = sigmoid(in2)

    cost = cost_function(out2, Y)
    rounds += 1

print("end:", cost)
