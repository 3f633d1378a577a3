import numpy as np

rng = np.random.RandomState(2)
n_state, n_hidden, n_action = 4, 6, 3
W1 = rng.randn(n_state, n_hidden) * 0.3
W2 = rng.randn(n_hidden, n_action) * 0.3
lr = 0.01
for episode in range(20):
    xs, hs, ps, acts, rewards = [], [], [], [], []
    for t in range(5):
        s = rng.randn(n_state)
        h = np.maximum(0, s @ W1)
        z = h @ W2
        p = np.exp(z - z.max())
        p /= p.sum()
        a = rng.choice(n_action, p=p)
        xs.append(s); hs.append(h); ps.append(p); acts.append(a)
        rewards.append(1.0 if a == 0 else rng.rand())
    X, Hd, P = np.vstack(xs), np.vstack(hs), np.vstack(ps)
    A = np.array(acts)
    R = np.zeros(5)
    running = 0
    for t in reversed(range(5)):
        running = rewards[t] + 0.9 * running
        R[t] = running
    R = (R - R.mean()) / (R.std() + 1e-8)
    d = P.copy()
    d[np.arange(5), A] -= 1
    d *= R[:, None]
    dW2 = Hd.T @ d
    dh = d @ W2.T
    dh[Hd <= 0] = 0
    dW1 = X.T @ dh
    W1 -= lr * dW1
    W2 -= lr * dW2
