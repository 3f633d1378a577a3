import numpy as np
np.random.seed(0)

def sigmoid(z): return 1. / (1. + np.exp(-z))
class GRU:
    def __init__(self, d, h):
        for g in 'zrh':
            setattr(self, 'W' + g, np.random.randn(h, d) * 0.3)
            setattr(self, 'U' + g, np.random.randn(h, h) * 0.3)
    def step(self, x, h):
        z = sigmoid(self.Wz @ x + self.Uz @ h)
        r = sigmoid(self.Wr @ x + self.Ur @ h)
        c = np.tanh(self.Wh @ x + self.Uh @ (r * h))
        return (1 - z) * h + z * c, (x, h, z, r, c)
    def back(self, dn, cache, grads):
        x, h, z, r, c = cache
        dc = dn * z * (1 - c ** 2)
        dz = dn * (c - h) * z * (1 - z)
        drh = self.Uh.T @ dc
        dr = drh * h * r * (1 - r)
        for g, d, s in (('z', dz, h), ('r', dr, h), ('h', dc, r * h)):
            grads['W' + g] += np.outer(d, x)
            grads['U' + g] += np.outer(d, s)
        return dn * (1 - z) + drh * r + self.Uz.T @ dz + self.Ur.T @ dr
gru, xs, target = GRU(2, 3), np.random.randn(4, 2), np.random.randn(3)
for epoch in range(3):
    h, caches = np.zeros(3), []
    for x in xs:
        h, cache = gru.step(x, h)
        caches.append(cache)
    loss = 0.5 * ((h - target) ** 2).sum()
    grads = {n: np.zeros_like(getattr(gru, n)) for n in ('Wz', 'Wr', 'Wh', 'Uz', 'Ur', 'Uh')}
    dh = h - target
    for cache in caches[::-1]:
        dh = gru.back(dh, cache, grads)
    for name, g in grads.items():
        setattr(gru, name, getattr(gru, name) - 0.1 * g)
print(round(loss, 6))
