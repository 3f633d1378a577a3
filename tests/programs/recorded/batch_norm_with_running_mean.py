import numpy as np
np.random.seed(0)

X, y = np.random.randn(10, 4) * 3 + 1, np.random.randn(10, 1)
W, gamma, beta = np.random.randn(4, 1), np.ones(4), np.zeros(4)
running = {'mean': np.zeros(4), 'var': np.ones(4)}
for step in range(5):
    mu, var = X.mean(axis=0), X.var(axis=0)
    running['mean'] = 0.9 * running['mean'] + 0.1 * mu
    running['var'] = 0.9 * running['var'] + 0.1 * var
    xhat = (X - mu) / np.sqrt(var + 1e-5)
    h = gamma * xhat + beta
    d = h.dot(W) - y
    loss = 0.5 * (d ** 2).mean()
    dout = d / len(X)
    dW = h.T.dot(dout)
    dh = dout.dot(W.T)
    dgamma, dbeta = np.sum(dh * xhat, axis=0), np.sum(dh, axis=0)
    W -= 0.1 * dW; gamma -= 0.1 * dgamma; beta -= 0.1 * dbeta
print('%.6f %.6f' % (loss, running['mean'].sum()))
