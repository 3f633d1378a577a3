"""Programs of other kinds than one loop with a named loss: none of them needs an option."""

from __future__ import annotations

import pytest

from tests.building.explained import explained_source, judged_source
from tests.building.steps import disagreements
from tests.building.test_steps import draws_for
from tracer.explanation.model import Explanation, Part

NO_LOOP = """\
import numpy as np
np.random.seed(0)
N, D_in, H, D_out = 8, 5, 4, 3
x = np.random.randn(N, D_in)
y = np.random.randn(N, D_out)
w1 = np.random.randn(D_in, H)
w2 = np.random.randn(H, D_out)
h = x.dot(w1)
h_relu = np.maximum(h, 0)
y_pred = h_relu.dot(w2)
loss = np.square(y_pred - y).sum()
grad_y_pred = 2.0 * (y_pred - y)
grad_w2 = h_relu.T.dot(grad_y_pred)
grad_h_relu = grad_y_pred.dot(w2.T)
grad_h = grad_h_relu.copy()
grad_h[h < 0] = 0
grad_w1 = x.T.dot(grad_h)
w1 -= 1e-6 * grad_w1
w2 -= 1e-6 * grad_w2
"""

NO_LOSS = """\
import numpy as np
def squash(x, slope=False):
    if slope:
        return x * (1 - x)
    return 1 / (1 + np.exp(-x))
X = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 1], [1, 1, 1]])
y = np.array([[0], [1], [1], [0]])
np.random.seed(1)
first = 2 * np.random.random((3, 4)) - 1
second = 2 * np.random.random((4, 1)) - 1
for step in range(1000):
    l1 = squash(np.dot(X, first))
    l2 = squash(np.dot(l1, second))
    miss = y - l2
    l2_delta = miss * squash(l2, True)
    l1_delta = l2_delta.dot(second.T) * squash(l1, True)
    second += l1.T.dot(l2_delta)
    first += X.T.dot(l1_delta)
"""

NUMBERS = """\
import numpy as np
x = np.array([1.0, 2.0, 3.0, 4.0])
y = np.array([2.1, 3.9, 6.2, 8.1])
w = 0.1
b = 0.0
lr = 0.01
n = len(x)
for i in range(20):
    guess = w * x + b
    loss = np.sum((guess - y) ** 2) / n
    dw = (2 / n) * np.sum((guess - y) * x)
    db = (2 / n) * np.sum(guess - y)
    w = w - lr * dw
    b = b - lr * db
"""

ONE_LINE_LOSS = """\
import numpy as np
rng = np.random.default_rng(0)
N, D, K = 9, 4, 3
X = rng.normal(size=(N, D))
Y = rng.normal(size=(N, K))
W = rng.normal(size=(D, K))
reg = 0.1
for i in range(5):
    out = X @ W
    loss = 0.5 * np.sum((out - Y) ** 2) / N + 0.5 * reg * np.sum(W * W)
    dout = (out - Y) / N
    dW = X.T @ dout
    dW += reg * W
    W -= 0.1 * dW
"""

OPTIMISER = """\
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(30, 4))
T = rng.normal(size=(30, 2))
W = np.zeros((4, 2))
m, v, cache, speed = np.zeros_like(W), np.zeros_like(W), np.zeros_like(W), np.zeros_like(W)
rate, keep = 0.01, 0.9
for t in range(1, 10):
    loss = np.mean((X @ W - T) ** 2)
    dW = 2 * X.T @ (X @ W - T) / T.size
{step}
"""
STEPS = {
    "gradient descent": ["W -= rate * dW"],
    "momentum": ["speed = keep * speed - rate * dW", "W += speed"],
    "adagrad": ["cache += dW ** 2", "W -= rate * dW / (np.sqrt(cache) + 1e-8)"],
    "rmsprop": ["cache = keep * cache + (1 - keep) * dW ** 2", "W -= rate * dW / (np.sqrt(cache) + 1e-8)"],
    "adam": [
        "m = keep * m + (1 - keep) * dW",
        "v = 0.999 * v + 0.001 * dW ** 2",
        "W -= rate * (m / (1 - keep ** t)) / (np.sqrt(v / (1 - 0.999 ** t)) + 1e-8)",
    ],
    "sign descent": ["W -= rate * np.sign(dW)"],
    "gradient descent with weight decay": ["W -= rate * (dW + 0.01 * np.sign(W) + 0.01 * W)"],
}

RPROP = """\
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(30, 4))
T = rng.normal(size=(30, 2))
W, length, before = np.zeros((4, 2)), np.full((4, 2), 0.01), np.zeros((4, 2))
for t in range(1, 10):
    miss = X @ W - T
    loss = np.mean(miss ** 2)
    dW = 2 * X.T @ miss / T.size
    agree = dW * before
    length[agree > 0] *= 1.2
    length[agree < 0] *= 0.5
    W -= np.sign(dW) * length
    before[:] = dW
"""


def parts(found: Explanation) -> list[Part]:
    return [part for line in found.lines for part in line.parts]


def gradients(found: Explanation) -> dict[str | None, tuple[str | None, str, str | None]]:
    return {p.target: (p.wrt, p.scale, p.verdict) for p in parts(found) if p.role == "gradient" and p.whole}


def test_a_script_without_a_loop_has_every_gradient_proved() -> None:
    assert gradients(judged_source(NO_LOOP)) == {
        "grad_y_pred": ("y_pred", "1", "proved"),
        "grad_w2": ("w2", "1", "proved"),
        "grad_h_relu": ("h_relu", "1", "proved"),
        "grad_h": ("h", "1", "proved"),
        "grad_w1": ("w1", "1", "proved"),
    }


def test_a_loss_that_is_not_computed_is_inferred_and_said_to_be() -> None:
    found = judged_source(NO_LOSS)
    assert [loss.inferred for loss in found.losses] == [True]
    assert any("inferred" in note.what for note in found.notices)
    updates = {p.wrt: (p.optimiser, p.scale) for p in parts(found) if p.role == "update"}
    assert updates == {"second": ("gradient descent", "-1"), "first": ("gradient descent", "-1")}
    assert {p.verdict for p in parts(found) if p.role == "gradient" and p.wrt in ("first", "second")} == {
        "proved"
    }


def test_no_known_loss_is_inferred_for_a_start_that_fits_none_and_what_follows_is_judged_given_it() -> None:
    found = judged_source(
        NO_LOSS.replace("miss * squash(l2, True)", "miss * l2").replace("squash(l1, True)", "l1")
    )
    assert not any("which was inferred" in note.what for note in found.notices)
    assert [p.source for p in parts(found) if p.verdict == "unexplained"] == ["miss * l2"]
    right = [p for p in parts(found) if p.verdict in ("proved", "checked") and p.role == "gradient"]
    assert {p.of for p in right} == {"⟨l2_delta, np.dot(l1, second)⟩"}
    assert [p.diagnosis.fix for p in parts(found) if p.verdict == "wrong" and p.diagnosis is not None] == [
        "l1_delta = l2_delta.dot(second.T) * (l1 * (1 - l1))"
    ]


def test_a_line_fitted_with_two_numbers_has_derivations_of_scalars() -> None:
    found = explained_source(NUMBERS)
    assert gradients(found) == {"dw": ("w", "1", "proved"), "db": ("b", "1", "proved")}
    for part in parts(found):
        if part.target in ("dw", "db"):
            assert part.derivation is not None
            assert part.numpy is not None
            assert disagreements(part.derivation, part.numpy, draws_for(part.derivation)) == []


def test_what_comes_on_one_way_is_told_with_its_way_and_derived() -> None:
    found = explained_source(ONE_LINE_LOSS)
    first, second = (p for p in parts(found) if p.target == "dW" and p.whole)
    assert (first.wrt, first.contribution, first.verdict) == ("W", "through out", "proved")
    assert (second.wrt, second.contribution, second.verdict) == ("W", None, "proved")
    assert first.numpy == "X.T @ dout"
    assert first.derivation is not None
    assert disagreements(first.derivation, first.numpy, draws_for(first.derivation)) == []


def test_what_is_made_of_whole_gradients_and_state_belongs_to_the_step() -> None:
    found = judged_source(RPROP)
    roles = {p.target: p.role for p in parts(found) if p.whole}
    assert (roles["dW"], roles["agree"], roles["length"], roles["W"]) == ("gradient", "update", "update", "update")
    other = judged_source(RPROP.replace("dW * before", "miss[:4] * before"))
    assert {p.verdict for p in parts(other) if p.target == "agree"} == {"unexplained"}


@pytest.mark.parametrize("optimiser", STEPS)
def test_an_optimiser_is_told_by_its_structure(optimiser: str) -> None:
    step = "\n".join(f"    {line}" for line in STEPS[optimiser])
    found = judged_source(OPTIMISER.format(step=step))
    (update,) = [p for p in parts(found) if p.role == "update" and p.wrt == "W"]
    assert update.optimiser == optimiser
    assert update.formula is not None
    assert {p.verdict for p in parts(found) if p.target == "dW"} == {"proved"}


SPLIT_UP = """\
import numpy as np
rng = np.random.default_rng(0)
X, T = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
shapes = [(3, 4), (4, 2)]
cuts = np.cumsum([a * b for a, b in shapes])[:-1]
theta = 0.5 * rng.normal(size=20)
for step in range(4):
    A, B = [part.reshape(shape) for part, shape in zip(np.split(theta, cuts), shapes)]
    H = X @ A
    miss = H @ B - T
    loss = np.sum(miss ** 2)
    grad = np.concatenate([(2 * X.T @ miss @ B.T).ravel(), (2 * H.T @ miss).ravel()])
    theta = theta - 0.01 * grad
"""

BY_COLUMNS = """\
import numpy as np
rng = np.random.default_rng(0)
X, T = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
theta = rng.normal(size=6)
for step in range(4):
    W = np.reshape(theta, (3, 2), order="F")
    miss = X @ W - T
    loss = 0.5 * np.sum(miss ** 2)
    dW = X.T @ miss
    grad = {unrolled}
    theta = theta - 0.01 * grad
"""

SUMS_OF_LISTS = """\
import numpy as np
rng = np.random.default_rng(0)
x, W, hot = rng.normal(size=6), rng.normal(size=(6, 4)), np.eye(4)
for step in range(4):
    u = x @ W
    loss = -np.sum([hot[0] @ u, hot[2] @ u]) + 2 * np.log(np.sum(np.exp(u)))
    p = np.exp(u) / np.sum(np.exp(u))
    miss = np.sum([p - row for row in (hot[0], hot[2])], axis=0)
    dW = np.outer(x, miss)
    W -= 0.1 * dW
"""

AUTOENCODER = """\
import numpy as np
rng = np.random.default_rng(0)
x = rng.integers(0, 2, size=(20, 6)).astype(float)
We, Wm, Ws, Wd = (0.3 * rng.normal(size=s) for s in [(6, 5), (5, 2), (5, 2), (2, 6)])
for step in range(4):
    noise = rng.normal(size=(20, 2))
    h = np.tanh(x @ We)
    mu, logvar = h @ Wm, h @ Ws
    z = mu + np.exp(0.5 * logvar) * noise
    out = 1 / (1 + np.exp(-z @ Wd))
    d = (out - x) / 20
    dWd, dz = z.T @ d, d @ Wd.T
    dmu = dz + mu / 20
    dlogvar = dz * noise * 0.5 * np.exp(0.5 * logvar) + 0.5 * (np.exp(logvar) - 1) / 20
    dWm, dWs = h.T @ dmu, h.T @ dlogvar
    dWe = x.T @ ((dmu @ Wm.T + dlogvar @ Ws.T) * (1 - h ** 2))
    for W, g in ((We, dWe), (Wm, dWm), (Ws, dWs), (Wd, dWd)):
        W -= 0.1 * g
"""


def test_parameters_are_cut_out_of_a_vector_at_places_that_are_computed() -> None:
    assert gradients(judged_source(SPLIT_UP))["grad"] == ("theta", "1", "proved")


def test_a_vector_is_unrolled_column_by_column_as_it_was_rolled() -> None:
    right = judged_source(BY_COLUMNS.format(unrolled='dW.ravel(order="F")'))
    assert gradients(right)["grad"] == ("theta", "1", "proved")
    other = judged_source(BY_COLUMNS.format(unrolled="dW.ravel()"))
    assert {p.verdict for p in parts(other) if p.target == "grad"} == {"wrong"}


def test_sums_of_lists_of_numbers_and_rows_are_differentiated() -> None:
    found = gradients(judged_source(SUMS_OF_LISTS))
    assert (found["miss"], found["dW"]) == (("u", "1", "proved"), ("W", "1", "proved"))


def test_a_term_of_a_loss_that_is_written_nowhere_is_not_called_wrong() -> None:
    found = judged_source(AUTOENCODER)
    assert gradients(found)["dWd"][0] == "Wd"
    assert {p.verdict for p in parts(found)}.isdisjoint({"wrong"})
    said = judged_source(AUTOENCODER.replace("    d = (", "    rec, kl = {rec}, {kl}\n    loss = rec + kl\n    d = (".format(
        rec="-np.sum(x * np.log(out) + (1 - x) * np.log(1 - out)) / 20",
        kl="0.5 * np.sum(mu ** 2 + np.exp(logvar) - 1 - logvar) / 20",
    )))
    assert {gradients(said)[g][2] for g in ("dWd", "dmu", "dlogvar", "dWm", "dWs", "dWe")} <= {"proved", "checked"}
