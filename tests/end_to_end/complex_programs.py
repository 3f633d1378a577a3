"""Programs that go through complex numbers, as they are written by hand: right ones, and faults to plant in them."""

from __future__ import annotations

#: The adjoint of the transform as N times its inverse; gradients of complex numbers are ∂/∂Re + i ∂/∂Im.
FILTER = """
import numpy as np
rng = np.random.default_rng(0)
N = 16
x = rng.standard_normal((8, N))
y = np.fft.ifft(np.fft.fft(x) * np.fft.fft(rng.standard_normal(N))).real
h = rng.standard_normal(N) * 0.1
for it in range(4):
    X = np.fft.fft(x)
    H = np.fft.fft(h)
    Y = X * H
    out = np.fft.ifft(Y).real
    diff = out - y
    loss = np.mean(diff ** 2)
    dout = 2 * diff / diff.size
    dY = np.fft.fft(dout) / N
    dH = np.sum(dY * np.conj(X), axis=0)
    dh = N * np.fft.ifft(dH).real
    h = h - 0.01 * dh
"""

#: The same by the plain transpose of every step: ∂/∂Re − i ∂/∂Im.
FILTER_TRANSPOSED = FILTER.replace("np.fft.fft(dout) / N", "np.fft.ifft(dout)").replace(
    "dY * np.conj(X)", "dY * X"
).replace("N * np.fft.ifft(dH).real", "np.real(np.fft.fft(dH))")

PHASE_RETRIEVAL = """
import numpy as np
rng = np.random.RandomState(3)
n, m = 6, 30
A = rng.randn(m, n) + 1j * rng.randn(m, n)
b = np.abs(A @ (rng.randn(n) + 1j * rng.randn(n))) ** 2
z = rng.randn(n) + 1j * rng.randn(n)
for k in range(4):
    Az = A @ z
    r = np.abs(Az) ** 2 - b
    loss = np.mean(r ** 2) / 4
    grad = A.conj().T @ (r * Az) / m
    z = z - 1e-4 * grad
"""

LINEAR_LAYER = """
import numpy as np
rng = np.random.default_rng(1)
B, D, K = 16, 5, 3
x = rng.normal(size=(B, D)) + 1j * rng.normal(size=(B, D))
t = x @ (rng.normal(size=(D, K)) + 1j * rng.normal(size=(D, K)))
W = (rng.normal(size=(D, K)) + 1j * rng.normal(size=(D, K))) * 0.1
b = np.zeros(K, dtype=complex)
for epoch in range(4):
    y = x @ W + b
    e = y - t
    loss = np.sum(np.abs(e) ** 2) / B
    dy = 2 * e / B
    dW = x.conj().T @ dy
    db = dy.sum(axis=0)
    W -= 0.01 * dW
    b -= 0.01 * db
"""

SPECTRAL_LOSS = """
import numpy as np
np.random.seed(0)
T = 32
S = np.abs(np.fft.rfft(np.sin(np.arange(T) * 0.3)))
w = np.random.randn(T) * 0.1
for i in range(4):
    F = np.fft.rfft(w)
    M = np.abs(F)
    d = M - S
    loss = 0.5 * np.sum(d * d)
    dF = d * F / M
    g = np.zeros(T, dtype=complex)
    g[:len(dF)] = dF
    dw = np.real(np.fft.ifft(g)) * T
    w -= 0.005 * dw
"""

FNET = """
import numpy as np
rng = np.random.default_rng(0)
B, L, D, H = 4, 8, 6, 10
X = rng.normal(size=(B, L, D)); Y = rng.normal(size=(B, L, D))
W1 = rng.normal(size=(D, H)) * .3; b1 = np.zeros(H)
W2 = rng.normal(size=(H, D)) * .3
for step in range(4):
    res = X + np.fft.fft2(X, axes=(1, 2)).real
    h = res @ W1 + b1
    a = np.maximum(h, 0)
    o = a @ W2
    mix = np.real(np.fft.fft(np.fft.fft(o, axis=-1), axis=1))
    loss = ((mix - Y) ** 2).mean()
    dmix = 2 * (mix - Y) / Y.size
    do = np.real(np.fft.fft2(dmix, axes=(1, 2)))
    dW2 = np.einsum('blh,bld->hd', a, do)
    dh = (do @ W2.T) * (h > 0)
    dW1 = np.einsum('bld,blh->dh', res, dh)
    db1 = dh.sum((0, 1))
    W1 -= 0.1 * dW1; b1 -= 0.1 * db1; W2 -= 0.1 * dW2
"""

#: Program → its text, and what each line of the backward pass is the gradient by.
RIGHT: dict[str, tuple[str, dict[str, str]]] = {
    "filter": (FILTER, {"dout": "diff", "dY": "Y", "dH": "H", "dh": "h"}),
    "filter, transposed": (FILTER_TRANSPOSED, {"dout": "diff", "dY": "Y", "dH": "H", "dh": "h"}),
    "phase retrieval": (PHASE_RETRIEVAL, {"grad": "z"}),
    "linear layer": (LINEAR_LAYER, {"dy": "e", "dW": "W", "db": "b"}),
    "spectral loss": (SPECTRAL_LOSS, {"dF": "F", "dw": "w"}),
    "fnet": (FNET, {"dmix": "mix", "do": "o", "dW2": "W2", "dh": "h", "dW1": "W1", "db1": "b1"}),
}

#: A fault: the program, what is replaced, and the gradient that is none any more.
FAULTS: list[tuple[str, str, str, str]] = [
    ("filter", "dY * np.conj(X)", "dY * X", "dh"),
    ("filter", "N * np.fft.ifft(dH).real", "N * np.fft.fft(dH).real", "dh"),
    ("filter", "np.fft.ifft(dH).real", "np.fft.ifft(dH).imag", "dh"),
    ("phase retrieval", "A.conj().T @ (r", "A.T @ (r", "grad"),
    ("linear layer", "x.conj().T @ dy", "x.T @ dy", "dW"),
    ("spectral loss", "d * F / M", "d * F", "dw"),
]
