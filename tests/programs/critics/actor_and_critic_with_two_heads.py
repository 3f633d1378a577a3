import numpy as np

rng = np.random.RandomState(3)
states, actions, hidden, beta = 5, 2, 6, 0.01
W, b = rng.randn(states, hidden) * 0.3, np.zeros(hidden)
Wp, bp = rng.randn(hidden, actions) * 0.3, np.zeros(actions)
Wv, bv = rng.randn(hidden, 1) * 0.3, np.zeros(1)


def one_hot(s):
    x = np.zeros(states)
    x[s] = 1.0
    return x


def heads(S):
    h = np.tanh(S @ W + b)
    z = h @ Wp + bp
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    v = (h @ Wv)[:, 0] + bv[0]
    return h, logp, v


s = 2
for update in range(4):
    S, A, R = [], [], []
    for _ in range(6):
        _, logp, _ = heads(one_hot(s)[None])
        a = rng.choice(actions, p=np.exp(logp[0]))
        S.append(one_hot(s))
        A.append(a)
        s = min(states - 1, s + 1) if a else max(0, s - 1)
        R.append(1.0 if s == states - 1 else -0.1)
    S, A, R = np.array(S), np.array(A), np.cumsum(R[::-1])[::-1]
    h, logp, v = heads(S)
    adv = R - v  # a constant for the actor
    p = np.exp(logp)
    policy_loss = -(logp[np.arange(6), A] * adv).sum()
    value_loss = ((R - v) ** 2).sum()
    loss = policy_loss + 0.5 * value_loss
    dz = (p - np.eye(actions)[A]) * adv[:, None]
    dv = (v - R)[:, None]
    dWp, dbp = h.T @ dz, dz.sum(axis=0)
    dWv, dbv = h.T @ dv, dv.sum(axis=0)
    dh = dz @ Wp.T + dv @ Wv.T
    da = dh * (1 - h * h)
    dW, db = S.T @ da, da.sum(axis=0)
    W -= 0.02 * dW
    b -= 0.02 * db
    Wp -= 0.02 * dWp
    bp -= 0.02 * dbp
    Wv -= 0.02 * dWv
    bv -= 0.02 * dbv
