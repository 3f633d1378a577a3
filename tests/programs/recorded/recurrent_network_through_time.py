import numpy as np
np.random.seed(0)

data = 'hello tracer'
chars = sorted(set(data))
ix = {c: i for i, c in enumerate(chars)}
V, H = len(chars), 6
Wxh, Whh, Why = np.random.randn(H, V) * 0.1, np.random.randn(H, H) * 0.1, np.random.randn(V, H) * 0.1
bh, by = np.zeros((H, 1)), np.zeros((V, 1))

def lossFun(inputs, targets, hprev):
    xs, hs, ps = {}, {}, {}
    hs[-1] = np.copy(hprev)
    loss = 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((V, 1))
        xs[t][inputs[t]] = 1
        hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)
        y = np.dot(Why, hs[t]) + by
        ps[t] = np.exp(y) / np.sum(np.exp(y))
        loss += -np.log(ps[t][targets[t], 0])
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby, dhnext = np.zeros_like(bh), np.zeros_like(by), np.zeros_like(hs[0])
    for t in reversed(range(len(inputs))):
        dy = np.copy(ps[t])
        dy[targets[t]] -= 1
        dWhy += np.dot(dy, hs[t].T)
        dby += dy
        dh = np.dot(Why.T, dy) + dhnext
        dhraw = (1 - hs[t] * hs[t]) * dh
        dbh += dhraw
        dWxh += np.dot(dhraw, xs[t].T)
        dWhh += np.dot(dhraw, hs[t - 1].T)
        dhnext = np.dot(Whh.T, dhraw)
    for d in [dWxh, dWhh, dWhy, dbh, dby]:
        np.clip(d, -5, 5, out=d)
    return loss, dWxh, dWhh, dWhy, dbh, dby, hs[len(inputs) - 1]

mem = [np.zeros_like(p) for p in (Wxh, Whh, Why, bh, by)]
n, p = 0, 0
while n < 4:
    inputs, targets = [ix[c] for c in data[p:p + 5]], [ix[c] for c in data[p + 1:p + 6]]
    if n == 0: hprev = np.zeros((H, 1))
    loss, dWxh, dWhh, dWhy, dbh, dby, hprev = lossFun(inputs, targets, hprev)
    for param, dparam, m in zip([Wxh, Whh, Why, bh, by], [dWxh, dWhh, dWhy, dbh, dby], mem):
        m += dparam * dparam
        param += -0.1 * dparam / np.sqrt(m + 1e-8)
    n += 1
print(round(loss, 6))
