import numpy as np
np.random.seed(0)

W = np.random.randn(3, 2) * 0.5
for episode in range(4):
    xs, drs, rewards = [], [], []
    for t in range(5):
        x = np.random.randn(3)
        p = 1 / (1 + np.exp(-(x @ W)))
        p = p / p.sum()
        action = np.random.choice(2, p=p)
        xs.append(x)
        d = -p
        d[action] += 1
        drs.append(d)
        rewards.append(float(action == (x.sum() > 0)))
    R = np.array(rewards) - np.mean(rewards)
    grad = np.vstack(xs).T @ (np.vstack(drs) * R[:, None])
    W += 0.1 * grad
print(W.shape)
