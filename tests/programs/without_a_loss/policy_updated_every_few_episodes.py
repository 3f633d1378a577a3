import numpy as np

rng = np.random.RandomState(5)
hidden, batch, rate, decay = 5, 3, 0.01, 0.9
policy = {'W1': rng.randn(hidden, 2) * 0.5, 'W2': rng.randn(hidden) * 0.5}
summed = {name: np.zeros_like(w) for name, w in policy.items()}
memory = {name: np.zeros_like(w) for name, w in policy.items()}


def act(state):
    h = np.maximum(0, policy['W1'] @ state)
    return 1 / (1 + np.exp(-(policy['W2'] @ h))), h


average = None
for episode in range(1, 13):
    states, hs, errors, rewards = [], [], [], []
    total = 0
    for t in range(4):
        state = rng.randn(2)
        p, h = act(state)
        right = 1 if rng.uniform() < p else 0
        reward = 1.0 if right == (state[0] > 0) else 0.0
        total += reward
        states.append(state)
        hs.append(h)
        errors.append(right - p)
        rewards.append(reward + 0.1 * rng.randn())
    S, H = np.vstack(states), np.vstack(hs)
    delta = np.vstack(errors)
    gain = np.array(rewards)[:, None]
    gain = gain - gain.mean()
    delta = delta * gain
    dW2 = (H.T @ delta).ravel()
    dH = delta * policy['W2']
    dH[H <= 0] = 0
    grads = {'W1': dH.T @ S, 'W2': dW2}
    for name in policy:
        summed[name] += grads[name]
    if episode % batch == 0:
        for name in policy:
            g = summed[name]
            memory[name] = decay * memory[name] + (1 - decay) * g ** 2
            policy[name] += rate * g / (np.sqrt(memory[name]) + 1e-5)
            summed[name] = np.zeros_like(g)
    average = total if average is None else 0.9 * average + 0.1 * total
