"""An actor and a critic in one network, whose method for the loss is never called."""

import numpy as np
class ActorCritic:
    def __init__(self, n_in, n_hid, n_act, lr=0.01):
        rng = np.random.default_rng(0)
        self.W1 = 0.5 * rng.normal(size=(n_in, n_hid)); self.b1 = np.zeros(n_hid)
        self.Wp = 0.5 * rng.normal(size=(n_hid, n_act)); self.bp = np.zeros(n_act)
        self.Wv = 0.5 * rng.normal(size=(n_hid, 1)); self.bv = np.zeros(1)
        self.lr = lr
    def forward(self, s):
        self.s = s
        self.h = np.tanh(s @ self.W1 + self.b1)
        logits = self.h @ self.Wp + self.bp
        e = np.exp(logits - logits.max(axis=1, keepdims=True))
        self.pi = e / e.sum(axis=1, keepdims=True)
        self.v = self.h @ self.Wv + self.bv
        return self.pi, self.v
    def loss(self, actions, returns):
        n = len(actions)
        adv = returns - self.v[:, 0]
        return -np.mean(np.log(self.pi[np.arange(n), actions]) * adv) + 0.5 * np.mean(adv ** 2)
    def update(self, actions, returns):
        n = len(actions)
        adv = returns - self.v[:, 0]
        dlogits = self.pi.copy()
        dlogits[np.arange(n), actions] -= 1
        dlogits *= adv[:, None] / n
        dv = -adv[:, None] / n
        dWp = self.h.T @ dlogits
        dbp = dlogits.sum(axis=0)
        dWv = self.h.T @ dv
        dbv = dv.sum(axis=0)
        dh = dlogits @ self.Wp.T + dv @ self.Wv.T
        dz = dh * (1 - self.h ** 2)
        dW1 = self.s.T @ dz
        db1 = dz.sum(axis=0)
        for p, g in zip([self.W1, self.b1, self.Wp, self.bp, self.Wv, self.bv], [dW1, db1, dWp, dbp, dWv, dbv]):
            p -= self.lr * g
rng = np.random.default_rng(1)
net = ActorCritic(4, 8, 3)
for episode in range(10):
    states = rng.normal(size=(12, 4))
    pi, v = net.forward(states)
    actions = np.array([rng.choice(3, p=row) for row in pi])
    rewards = rng.normal(size=12)
    returns = np.zeros(12); g = 0.0
    for t in reversed(range(12)):
        g = rewards[t] + 0.95 * g
        returns[t] = g
    net.update(actions, returns)
