import numpy as np
class Node:
    def __init__(self, word=None, left=None, right=None):
        self.word, self.left, self.right = word, left, right
np.random.seed(0)
d, V = 3, 5
L, W, b = np.random.randn(V, d) * .3, np.random.randn(d, 2 * d) * .3, np.zeros(d)
u = np.random.randn(d)
tree = Node(left=Node(left=Node(0), right=Node(3)), right=Node(2))
target = 1.0
def forward(n):
    if n.word is not None:
        n.h = L[n.word]; return n.h
    n.c = np.concatenate([forward(n.left), forward(n.right)])
    n.h = np.tanh(W @ n.c + b)
    return n.h
def backward(n, dh, g):
    if n.word is not None:
        g["L"][n.word] += dh; return
    dz = dh * (1 - n.h ** 2)
    g["W"] += np.outer(dz, n.c); g["b"] += dz
    dc = W.T @ dz
    backward(n.left, dc[:d], g); backward(n.right, dc[d:], g)
for it in range(10):
    y = u @ forward(tree)
    loss = 0.5 * (y - target) ** 2
    g = {"L": np.zeros_like(L), "W": np.zeros_like(W), "b": np.zeros_like(b)}
    backward(tree, (y - target) * u, g)
    du = (y - target) * tree.h
    L -= .1 * g["L"]; W -= .1 * g["W"]; b -= .1 * g["b"]; u -= .1 * du
print(loss)
