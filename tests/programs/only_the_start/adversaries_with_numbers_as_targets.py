"""A generator and a discriminator with binary cross-entropy; no loss is written, and the targets are numbers."""

import numpy as np
rng = np.random.default_rng(0)
sigmoid = lambda z: 1 / (1 + np.exp(-z))
n, zdim, hid = 16, 3, 5
lr = 0.05
G1, gb1 = 0.3 * rng.normal(size=(zdim, hid)), np.zeros(hid)
G2, gb2 = 0.3 * rng.normal(size=(hid, 2)), np.zeros(2)
D1, db1_ = 0.3 * rng.normal(size=(2, hid)), np.zeros(hid)
D2, db2_ = 0.3 * rng.normal(size=(hid, 1)), np.zeros(1)
for step in range(20):
    real = rng.normal(size=(n, 2)) + 2
    z = rng.normal(size=(n, zdim))
    # generator
    gh = np.tanh(z @ G1 + gb1)
    fake = gh @ G2 + gb2
    # discriminator
    hr = np.tanh(real @ D1 + db1_)
    p_real = sigmoid(hr @ D2 + db2_)
    hf = np.tanh(fake @ D1 + db1_)
    p_fake = sigmoid(hf @ D2 + db2_)
    d_real = (p_real - 1) / n
    d_fake = p_fake / n
    dD2 = hr.T @ d_real + hf.T @ d_fake
    dbb2 = d_real.sum(axis=0) + d_fake.sum(axis=0)
    dhr = d_real @ D2.T * (1 - hr ** 2)
    dhf = d_fake @ D2.T * (1 - hf ** 2)
    dD1 = real.T @ dhr + fake.T @ dhf
    dbb1 = dhr.sum(axis=0) + dhf.sum(axis=0)
    D1 -= lr * dD1
    db1_ -= lr * dbb1
    D2 -= lr * dD2
    db2_ -= lr * dbb2
    # generator step
    z = rng.normal(size=(n, zdim))
    gh = np.tanh(z @ G1 + gb1)
    fake = gh @ G2 + gb2
    hf = np.tanh(fake @ D1 + db1_)
    p_fake = sigmoid(hf @ D2 + db2_)
    dlogit = -(1 - p_fake) / n
    dhf = dlogit @ D2.T * (1 - hf ** 2)
    dfake = dhf @ D1.T
    dG2 = gh.T @ dfake
    dgb2 = dfake.sum(axis=0)
    dgh = dfake @ G2.T * (1 - gh ** 2)
    dG1 = z.T @ dgh
    dgb1 = dgh.sum(axis=0)
    G1 -= lr * dG1
    gb1 -= lr * dgb1
    G2 -= lr * dG2
    gb2 -= lr * dgb2
