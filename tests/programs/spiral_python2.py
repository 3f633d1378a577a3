import numpy as np
np.random.seed(1)  # toy spiral, three arms
N = 7  # points of each arm
D = 2
K = 3
X = np.zeros((N*K, D))
y = np.zeros(N*K, dtype='uint8')
for arm in xrange(K):
  rows = range(N*arm, N*(arm+1))
  r = np.linspace(0.0, 1, N)
  t = np.linspace(arm*4, (arm+1)*4, N) + np.random.randn(N)*0.2
  X[rows] = np.c_[r*np.sin(t), r*np.cos(t)]
  y[rows] = arm
h = 5
W = 0.5 * np.random.randn(D, h)
b = np.zeros((1, h))
W2 = 0.5 * np.random.randn(h, K)
b2 = np.zeros((1, K))
rate = 0.5
reg = 1e-2
num_examples = X.shape[0]
for i in xrange(40):
  hidden = np.maximum(0, np.dot(X, W) + b)
  scores = np.dot(hidden, W2) + b2
  exp_scores = np.exp(scores)
  probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
  logprobs = -np.log(probs[range(num_examples), y])
  data_loss = np.sum(logprobs) / num_examples
  reg_loss = 0.5*reg*np.sum(W*W) + 0.5*reg*np.sum(W2*W2)
  loss = data_loss + reg_loss
  if i % 10 == 0:
    print "round %d: loss %f" % (i, loss)
  dscores = probs
  dscores[range(num_examples), y] -= 1
  dscores /= num_examples
  dW2 = np.dot(hidden.T, dscores)
  db2 = np.sum(dscores, axis=0, keepdims=True)
  dhidden = np.dot(dscores, W2.T)
  dhidden[hidden <= 0] = 0
  dW = np.dot(X.T, dhidden)
  db = np.sum(dhidden, axis=0, keepdims=True)
  dW2 += reg * W2
  dW += reg * W
  W += -rate * dW
  b += -rate * db
  W2 += -rate * dW2
  b2 += -rate * db2
