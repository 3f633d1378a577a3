import numpy as np
np.random.seed(0)
m = 6
X, y, W = np.random.randn(m, 3), np.random.randn(m, 1), np.random.randn(3, 1)
params = {'rate': 1, 'scale': 7 / 2}
for k, v in params.iteritems():
    print k, v
for i in xrange(4):
    d = X.dot(W) - y
    loss = np.sum(d ** 2) / (2 * m)
    grad = X.T.dot(d) / m
    W -= params['rate'] * grad / params['scale']
print "%.6f" % loss
