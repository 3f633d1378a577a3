"""REINFORCE with a baseline: the score of each action taken, weighted by how good its return was."""
import numpy as np

rng = np.random.default_rng(99)
S, A = 4, 3
theta = np.zeros((S, A))
rewards = rng.normal(size=(S, A))


def policy(states):
    z = theta[states]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


for batch in range(4):
    states = rng.integers(0, S, 20)
    probs = policy(states)
    actions = np.array([rng.choice(A, p=row) for row in probs])
    returns = rewards[states, actions]
    advantage = returns - returns.mean()
    objective = np.mean(np.log(probs[np.arange(20), actions]) * advantage)
    dlogits = -probs
    dlogits[np.arange(20), actions] += 1
    dlogits *= advantage[:, None] / 20
    grad = np.zeros_like(theta)
    np.add.at(grad, states, dlogits)
    theta += 0.5 * grad
