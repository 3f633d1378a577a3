import numpy as np
np.random.seed(0)

import warnings
warnings.simplefilter('ignore')
X, y = np.matrix(np.random.randn(6, 3)), np.matrix(np.random.randn(6, 1))
theta = np.matrix(np.zeros((3, 1)))
for i in range(4):
    error = X * theta - y
    J = float((error.T * error)[0, 0]) / 12
    theta = theta - 0.1 * (X.T * error) / 6
print(round(J, 6), type(theta).__name__)
