"""Programs of other kinds than one loop with a named loss: none of them needs an option."""

from __future__ import annotations

import pytest

from tests.building.explained import explained_source
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
    assert gradients(explained_source(NO_LOOP)) == {
        "grad_y_pred": ("y_pred", "1", "proved"),
        "grad_w2": ("w2", "1", "proved"),
        "grad_h_relu": ("h_relu", "1", "proved"),
        "grad_h": ("h", "1", "proved"),
        "grad_w1": ("w1", "1", "proved"),
    }


def test_a_loss_that_is_not_computed_is_inferred_and_said_to_be() -> None:
    found = explained_source(NO_LOSS)
    assert [loss.inferred for loss in found.losses] == [True]
    assert any("inferred" in note.what for note in found.notices)
    updates = {p.wrt: (p.optimiser, p.scale) for p in parts(found) if p.role == "update"}
    assert updates == {"second": ("gradient descent", "-1"), "first": ("gradient descent", "-1")}
    assert {p.verdict for p in parts(found) if p.role == "gradient" and p.wrt in ("first", "second")} == {
        "proved"
    }


def test_a_loss_is_not_inferred_for_a_backward_pass_that_fits_none() -> None:
    found = explained_source(
        NO_LOSS.replace("miss * squash(l2, True)", "miss * l2").replace("squash(l1, True)", "l1")
    )
    assert found.losses == () or not any(loss.inferred for loss in found.losses)
    assert not [p for p in parts(found) if p.verdict in ("proved", "checked") and p.role == "gradient"]


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
    found = explained_source(RPROP)
    roles = {p.target: p.role for p in parts(found) if p.whole}
    assert (roles["dW"], roles["agree"], roles["length"], roles["W"]) == ("gradient", "update", "update", "update")
    other = explained_source(RPROP.replace("dW * before", "miss[:4] * before"))
    assert {p.verdict for p in parts(other) if p.target == "agree"} == {"unexplained"}


@pytest.mark.parametrize("optimiser", STEPS)
def test_an_optimiser_is_told_by_its_structure(optimiser: str) -> None:
    step = "\n".join(f"    {line}" for line in STEPS[optimiser])
    found = explained_source(OPTIMISER.format(step=step))
    (update,) = [p for p in parts(found) if p.role == "update" and p.wrt == "W"]
    assert update.optimiser == optimiser
    assert update.formula is not None
    assert {p.verdict for p in parts(found) if p.target == "dW"} == {"proved"}
