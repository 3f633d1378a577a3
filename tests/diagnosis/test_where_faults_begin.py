"""Faults in what a gradient is begun from, collected in, or called; each with the same program without it."""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source
from tests.diagnosis.planted import Planted, assert_told, wrong

COLLECTED = """\
import numpy as np
rng = np.random.default_rng(0)
class Slot:
    def __init__(self, value):
        self.v, self.d, self.m = value, np.zeros_like(value), np.zeros_like(value)
U, V = Slot(0.5 * rng.normal(size=(4, 4))), Slot(0.5 * rng.normal(size=(4, 3)))
xs, goal = rng.normal(size=(5, 3)), rng.normal(size=4)
for step in range(4):
    hs = [np.zeros(4)]
    for x in xs:
        hs.append(np.tanh(U.v @ hs[-1] + V.v @ x))
    loss = 0.5 * np.sum((hs[-1] - goal) ** 2)
    for slot in (U, V):
        slot.d.fill(0)
    carry = hs[-1] - goal
    for t in reversed(range(5)):
        z = carry * (1 - hs[t + 1] ** 2)
        U.d += np.outer(z, hs[t])
        V.d += np.outer(z, xs[t])
        carry = U.v.T @ z
    for slot in (U, V):
        slot.m += slot.d * slot.d
        slot.v += -(0.1 * slot.d / np.sqrt(slot.m + 1e-8))
"""

WEIGHTED = """\
import numpy as np
rng = np.random.default_rng(1)
A, y, w, b, tilt = rng.normal(size=(8, 3)), rng.normal(size=8), np.zeros(3), 0.0, rng.uniform(1, 3, size=8)
for k in range(8):
    weight = tilt[k] ** 0.5
    inner = A[k] @ w + b - y[k]
    cost = 0.5 * weight * inner ** 2
    grad_w = weight * inner * A[k]
    grad_b = weight * inner
    w = w - 0.1 * grad_w
    b = b - 0.1 * grad_b
"""

CONTEXT = """\
import numpy as np
rng = np.random.default_rng(2)
inside, outside = rng.normal(size=(6, 3)), rng.normal(size=(3, 6))
hot = np.eye(6)
for center, around in [(0, (1, 2)), (3, (2, 4)), (5, (4, 1))]:
    h = inside.T @ hot[center]
    u = h @ outside
    p = np.exp(u) / np.exp(u).sum()
    loss = -np.sum([hot[k] @ u for k in around]) + len(around) * np.log(np.sum(np.exp(u)))
    error = np.zeros(6)
    for k in around:
        error += np.subtract(p, hot[k])
    d_out = np.outer(h, error)
    d_in = np.outer(hot[center], outside @ error)
    inside = inside - 0.1 * d_in
    outside = outside - 0.1 * d_out
"""

FOCUSED = """\
import numpy as np
rng = np.random.default_rng(3)
X, y = rng.normal(size=(12, 3)), rng.integers(0, 2, size=(12, 1))
W, b = rng.normal(size=(3, 1)), np.zeros((1, 1))
def loss_of(z):
    p = 1 / (1 + np.exp(-z))
    pt = np.where(y == 1, p, 1 - p)
    return np.mean(-((1 - pt) ** 2) * np.log(pt))
def slope_of(z):
    p = 1 / (1 + np.exp(-z))
    pt = np.where(y == 1, p, 1 - p)
    g = (2 * y - 1) * (1 - pt) ** 2 * (2 * pt * np.log(pt) + pt - 1)
    return g / len(y)
for step in range(4):
    z = X @ W + b
    loss = loss_of(z)
    dz = slope_of(z)
    dW, db = X.T @ dz, dz.sum(axis=0, keepdims=True)
    W -= 0.5 * dW
    b -= 0.5 * db
"""

LISTS = """\
import numpy as np
rng = np.random.default_rng(4)
Ws = [rng.normal(size=s) for s in [(5, 3), (4, 5), (2, 4)]]
X, T = rng.normal(size=(3, 7)), rng.normal(size=(2, 7))
def bend(z):
    return z / (1 + np.abs(z))
def slope(z):
    return 1 / (1 + np.abs(z)) ** 2
for step in range(4):
    acts, zs = [X], []
    for W in Ws:
        z = W @ acts[-1]
        zs.append(z)
        acts.append(bend(z))
    loss = 0.5 * np.sum((acts[-1] - T) ** 2)
    delta = (acts[-1] - T) * slope(zs[-1])
    steps = [delta @ acts[-2].T]
    for l in range(2, 4):
        z = zs[-l]
        delta = Ws[-l + 1].T @ delta * slope(z)
        steps.insert(0, delta @ acts[-l - 1].T)
    for W, d in zip(Ws, steps):
        W -= 0.01 * d
"""

PLANTED = {
    "sums of time steps that no name calls gradients": Planted(
        COLLECTED, "U.d += np.outer(z, hs[t])", "U.d += np.outer(z, hs[t + 1])", "wrong operand", "U.d += np.outer(z, hs[t])"
    ),
    "a factor of a value with a second name": Planted(
        WEIGHTED, "grad_b = weight * inner", "grad_b = inner", "factor", "grad_b = inner * weight"
    ),
    "an error that each word overwrites": Planted(
        CONTEXT, "error += np.subtract(p, hot[k])", "error = np.subtract(p, hot[k])", "accumulation",
        "error += np.subtract(p, hot[k])",
    ),
    "the list that a variable is read from": Planted(
        LISTS, "z = zs[-l]", "z = acts[-l]", "wrong operand", "z = zs[-l]"
    ),
}  # fmt: skip
#: A variable that was read from the wrong list is wrong where it is used, and mended where it was read.
ELSEWHERE = ("the list that a variable is read from",)


@pytest.mark.parametrize("what", PLANTED)
def test_it_is_told_by_its_kind_and_mended(what: str) -> None:
    assert_told(PLANTED[what], what not in ELSEWHERE)


@pytest.mark.parametrize("what", PLANTED)
def test_without_it_nothing_is_called_wrong(what: str) -> None:
    assert wrong(PLANTED[what].program) == []


def test_where_a_backward_pass_begins_wrongly_is_told_by_what_it_should_be() -> None:
    assert wrong(FOCUSED) == []
    [(line, part)] = wrong(FOCUSED.replace("2 * pt * np.log(pt) + pt - 1", "pt - 1"))
    assert FOCUSED.splitlines()[line - 1].lstrip().startswith("g = ")
    assert part.diagnosis is not None
    assert (part.diagnosis.kind, part.of, part.wrt) == ("unknown", "loss", "z")


def test_what_follows_is_right_given_that_also_if_the_loss_comes_after_the_step() -> None:
    late = CONTEXT.replace("    loss = ", "    count = len(around)\n    later = ").replace("later = ", "late = ")
    lines = late.splitlines()
    [loss] = [line for line in lines if "late = " in line]
    lines.remove(loss)
    program = "\n".join([*lines, loss.replace("late", "loss")]).replace("error += ", "error = ")
    verdicts = {p.target: p.verdict for line in judged_source(program).lines for p in line.parts if p.whole}
    assert (verdicts["error"], verdicts["d_out"], verdicts["d_in"]) == ("wrong", "checked", "checked")


SQUARED = """\
import numpy as np
rng = np.random.default_rng(5)
X, y, W = rng.normal(size=(9, 3)), rng.integers(0, 2, size=(9, 1)), rng.normal(size=(3, 1))
kept = {}
for step in range(4):
    p = 1 / (1 + np.exp(-X @ W))
    loss = -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p)) + 0.5 * np.sum(W * W)
    dW = X.T @ (p - y) + W
    kept["W"] = 0.9 * kept.get("W", 0) + dW
    kept["W"] *= 0.5
    W = W - 0.1 * kept["W"]
"""


def test_what_a_step_makes_of_a_wrong_gradient_is_no_gradient_of_its_own() -> None:
    found = judged_source(SQUARED.replace("(p - y) + W", "(p + y) + W"))
    parts = {p.target: p for line in found.lines for p in line.parts if p.whole}
    assert parts["dW"].verdict == "wrong"
    assert (parts["kept['W']"].role, parts["kept['W']"].verdict) == ("update", None)


GATE = """\
import numpy as np
rng = np.random.default_rng(6)
X, Y, old = rng.normal(size=(9, 4)), rng.normal(size=(9, 3)), rng.normal(size=(9, 3))
U, V = rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
for step in range(3):
    z = 1 / (1 + np.exp(-X @ U))
    c = np.tanh(X @ V)
    h = z * old + (1 - z) * c
    loss = np.mean((h - Y) ** 2)
    dh = 2 * (h - Y)
    dz = dh * (old - c)
    dc = dh * (1 - z) * (1 - c ** 2)
    U -= 0.1 * X.T @ (dz * z * (1 - z))
    V -= 0.1 * X.T @ dc
"""


def test_a_slope_that_is_turned_round_is_told_where_it_stands_though_another_gradient_is_wrong() -> None:
    assert wrong(GATE) == []
    both = GATE.replace("(old - c)", "(c - old)").replace("dh * (1 - z) * (1", "dh * z * (1")
    first, second = [p.diagnosis for _, p in wrong(both)]
    assert first is not None
    assert second is not None
    assert (first.kind, first.fix) == ("sign", "dz = dh * (old - c)")
    assert "activation" not in second.says  # 1 - z is none of z
