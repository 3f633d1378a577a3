import numpy as np

rng = np.random.default_rng(4)
n_states, n_actions = 6, 2
theta = np.zeros((n_states, n_actions))
w = np.zeros(n_states)
alpha_w, alpha_t, gamma = 0.1, 0.05, 0.95


def features(s):
    x = np.full(n_states, 0.1)
    x[s] = 1.0
    return x


s = 2
for step in range(200):
    x = features(s)
    logits = x @ theta
    p = np.exp(logits - logits.max())
    p /= p.sum()
    a = rng.choice(n_actions, p=p)
    s2 = max(0, s - 1) if a == 0 else min(n_states - 1, s + 1)
    r = 1.0 if s2 == n_states - 1 else 0.0
    x2 = features(s2)
    v = w @ x
    v2 = w @ x2
    td = r + gamma * v2 * (s2 != n_states - 1) - v
    w = w + alpha_w * td * x
    dlog = -p
    dlog[a] += 1
    theta = theta + alpha_t * td * np.outer(x, dlog)
    s = 0 if s2 == n_states - 1 else s2
