"""Programs whose gates, windows and places share arrays: each gradient is proved, and a wrong one is not."""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source, parts

LSTM = """
import numpy as np
rng = np.random.default_rng(2)
N, D, H = 3, 4, 5
x, hp, cp, Y = (rng.normal(size=s) for s in ((N, D), (N, H), (N, H), (N, H)))
W, U, b = rng.normal(size=(D, 4 * H)), rng.normal(size=(H, 4 * H)), np.zeros(4 * H)
for _ in range(3):
    Z = x @ W + hp @ U + b
    G = np.zeros((N, 4 * H))
    G[:, :3 * H] = 1 / (1 + np.exp(-Z[:, :3 * H]))
    G[:, 3 * H:] = np.tanh(Z[:, 3 * H:])
    i, f, o, g = G[:, :H], G[:, H:2 * H], G[:, 2 * H:3 * H], G[:, 3 * H:]
    c = f * cp + i * g
    t = np.tanh(c)
    h = o * t
    loss = np.sum((h - Y) ** 2) / N
    dh = 2 * (h - Y) / N
    dc = dh * o * (1 - t ** 2)
    dZ = np.hstack((dc * g * i * (1 - i), dc * cp * f * (1 - f), dh * t * o * (1 - o), dc * i * (1 - g ** 2)))
    dW = x.T @ dZ
    dU = hp.T @ dZ
    db = dZ.sum(axis=0)
    W -= 0.1 * dW
    U -= 0.1 * dU
    b -= 0.1 * db
"""

GRU = """
import numpy as np
rng = np.random.default_rng(3)
N, D, H = 3, 4, 5
x, h, Y = (rng.normal(size=s) for s in ((N, D), (N, H), (N, H)))
W, U = rng.normal(size=(D + H, 2 * H)), rng.normal(size=(D + H, H))
for _ in range(3):
    xh = np.concatenate([x, h], axis=1)
    z, r = np.split(1 / (1 + np.exp(-(xh @ W))), 2, axis=1)
    xr = np.concatenate([x, r * h], axis=1)
    n = np.tanh(xr @ U)
    new = z * h + (1 - z) * n
    loss = 0.5 * np.sum((new - Y) ** 2)
    dnew = new - Y
    dn = dnew * (1 - z) * (1 - n ** 2)
    dU = xr.T @ dn
    dxr = dn @ U.T
    dr = dxr[:, D:] * h * r * (1 - r)
    dz = dnew * (h - n) * z * (1 - z)
    dW = xh.T @ np.concatenate([dz, dr], axis=1)
    W -= 0.1 * dW
    U -= 0.1 * dU
"""

CONVOLUTION = """
import numpy as np
rng = np.random.default_rng(4)
N, C, H, W, F, k = 2, 2, 5, 5, 3, 2
OH, OW = H - k + 1, W - k + 1
x, y = rng.normal(size=(N, C, H, W)), rng.normal(size=(N * OH * OW, F))
w, s = rng.normal(size=(F, C * k * k)), np.ones((C, H, W))
for _ in range(3):
    a = x * s
    col = np.zeros((N, C, k, k, OH, OW))
    for i in range(k):
        for j in range(k):
            col[:, :, i, j] = a[:, :, i:i + OH, j:j + OW]
    rows = col.transpose(0, 4, 5, 1, 2, 3).reshape(N * OH * OW, C * k * k)
    out = rows @ w.T
    loss = 0.5 * np.sum((out - y) ** 2)
    dout = out - y
    dw = dout.T @ rows
    drows = dout @ w
    dcol = drows.reshape(N, OH, OW, C, k, k).transpose(0, 3, 4, 5, 1, 2)
    da = np.zeros_like(a)
    for i in range(k):
        for j in range(k):
            da[:, :, i:i + OH, j:j + OW] += dcol[:, :, i, j]
    ds = np.sum(da * x, axis=0)
    w -= 0.01 * dw
    s -= 0.01 * ds
"""

PLACES = """
import numpy as np
rng = np.random.default_rng(14)
N, D = 8, 3
X, y = rng.normal(size=(N, D)), np.sign(rng.normal(size=N))
w = rng.normal(size=D)
for _ in range(3):
    m = y * (X @ w)
    loss = np.mean(np.maximum(0, 1 - m))
    active = m < 1
    dw = -(X[active].T @ y[active]) / N
    w = w - 0.1 * dw
"""

LARGEST = """
import numpy as np
rng = np.random.default_rng(6)
m, n = 5, 6
X, w, t = rng.normal(size=(m, n)), rng.normal(size=(n, 4)), rng.normal(size=m)
for _ in range(3):
    Z = X @ w
    top = Z.max(axis=1, keepdims=True)
    loss = np.sum((top[:, 0] - t) ** 2)
    dtop = (2 * (top[:, 0] - t))[:, None]
    dZ = (Z == top) * dtop
    dw = X.T @ dZ
    w -= 0.1 * dw
"""

SEEN = """
import numpy as np
rng = np.random.default_rng(7)
U, I, K = 5, 6, 2
R, M = rng.normal(size=(U, I)), (rng.random((U, I)) > 0.4) * 1.0
A, B = rng.normal(size=(U, K)), rng.normal(size=(I, K))
for _ in range(3):
    E = M * (R - A @ B.T)
    loss = 0.5 * np.sum(E ** 2)
    dA = -E @ B
    dB = -E.T @ A
    A -= 0.1 * dA
    B -= 0.1 * dB
"""

PROGRAMS = {"lstm": LSTM, "gru": GRU, "convolution": CONVOLUTION, "places": PLACES, "largest": LARGEST, "seen": SEEN}


@pytest.mark.parametrize("name", PROGRAMS)
def test_every_gradient_of_a_parameter_is_proved(name: str) -> None:
    found = parts(judged_source(PROGRAMS[name]))
    gradients = {p.target: p.verdict for _, p in found if p.role == "gradient" and p.whole and p.target}
    parameters = [line.split()[0] for line in PROGRAMS[name].splitlines() if line.strip().startswith("d")]
    assert parameters
    assert {t: v for t, v in gradients.items() if t in parameters and v != "proved"} == {}
    assert set(parameters) & set(gradients)


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("lstm", "dc * g * i * (1 - i), dc * cp * f * (1 - f)", "dc * cp * f * (1 - f), dc * g * i * (1 - i)"),
        ("gru", "[dz, dr]", "[dr, dz]"),
        ("convolution", "da[:, :, i:i + OH, j:j + OW] +=", "da[:, :, j:j + OH, i:i + OW] +="),
        ("places", "X[active].T @ y[active]", "X[~active].T @ y[~active]"),
        ("largest", "(Z == top)", "(Z >= 0)"),
        ("seen", "-E.T @ A", "-(R - A @ B.T).T @ A"),
    ],
)
def test_with_pieces_in_other_places_it_is_not(name: str, right: str, wrong: str) -> None:
    assert right in PROGRAMS[name]
    found = parts(judged_source(PROGRAMS[name].replace(right, wrong)))
    last = {"lstm": "dW", "gru": "dW", "convolution": "ds", "places": "dw", "largest": "dw", "seen": "dB"}[name]
    verdicts = {p.verdict for _, p in found if p.target == last and p.whole and p.of == "loss"}
    assert "proved" not in verdicts


@pytest.mark.parametrize(
    ("program", "says"), [(LARGEST, "only one entry of Z at a time equals top"), (SEEN, "entries of M are 0 or 1")]
)
def test_what_a_proof_relies_on_is_said_in_the_programs_names(program: str, says: str) -> None:
    found = parts(judged_source(program))
    assert says in [a for _, p in found if p.evidence is not None for a in p.evidence.assumptions]
