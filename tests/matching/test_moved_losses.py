"""A loss that is computed after the step, or of other data, is the loss that the step goes down."""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source, parts
from tracer.explanation.model import Explanation

PROGRAM = """\
import numpy as np
rng = np.random.default_rng(3)
X, t = rng.normal(size=(24, 4)), rng.integers(0, 3, 24)
W, b = rng.normal(size=(4, 3)), np.zeros((1, 3))
reg = 0.01

def predict(X):
    scores = X @ W + b
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

def cost(X, t):
    p = predict(X)
    return -np.mean(np.log(p[np.arange(len(t)), t])) + 0.5 * reg * np.sum(W * W)

for step in range(60):
{batch}
    p = predict({x})
    d = p.copy()
    d[np.arange(len({t})), {t}] -= 1
    d /= len({t})
    dW = {x}.T @ d + {decay} * W
    db = np.sum(d, axis=0, keepdims=True)
    W -= 0.1 * dW
    b -= 0.1 * db
    if step % 20 == 0:
        print(cost({of}))
"""
BATCHES = {
    "all data, after the step": {"batch": "    pass", "x": "X", "t": "t", "of": "X, t"},
    "a batch by drawn places": {
        "batch": "    chosen = rng.choice(24, 8)\n    xb, tb = X[chosen], t[chosen]",
        "x": "xb",
        "t": "tb",
        "of": "X, t",
    },
    "a batch by a slice": {
        "batch": "    k = 8 * (step % 3)\n    xb, tb = X[k:k + 8], t[k:k + 8]",
        "x": "xb",
        "t": "tb",
        "of": "X, t",
    },
    "noise on the input": {
        "batch": "    xb = X + 0.1 * rng.normal(size=X.shape)",
        "x": "xb",
        "t": "t",
        "of": "X, t",
    },
}


def explained(kind: str, decay: str = "reg") -> Explanation:
    return judged_source(PROGRAM.format(**BATCHES[kind], decay=decay))


@pytest.mark.parametrize("kind", BATCHES)
def test_the_step_is_explained_by_the_programs_own_loss(kind: str) -> None:
    found = explained(kind)
    whole = {p.target: p for line in found.lines for p in line.parts if p.whole and p.role == "gradient"}
    assert [loss.name for loss in found.losses] == ["cost"]
    assert not any(loss.inferred for loss in found.losses)
    for name in ("dW", "db"):
        assert (whole[name].of, whole[name].verdict, whole[name].scale) == ("cost", "proved", "1")
    assert any("gradient is taken at these" in note.what for note in found.notices)


@pytest.mark.parametrize("kind", BATCHES)
def test_a_wrong_gradient_of_it_is_found(kind: str) -> None:
    parts = [p for line in explained(kind, decay="3 * reg").lines for p in line.parts]
    assert {p.target for p in parts if p.verdict == "wrong" and p.whole} == {"dW"}


def test_a_loss_is_not_moved_where_the_step_has_one() -> None:
    early = PROGRAM.replace("    p = predict({x})\n", "    loss = cost({x}, {t})\n    p = predict({x})\n")
    found = judged_source(early.format(**BATCHES["a batch by drawn places"], decay="reg"))
    assert not any("gradient is taken at these" in note.what for note in found.notices)


AHEAD = """\
import numpy as np
rng = np.random.default_rng(5)
X, Y = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
def forward(params, x):
    W, b = params
    return x @ W + b
def objective(params, x, y):
    r = np.abs(forward(params, x) - y)
    return np.sum(np.where(r < 1, 0.5 * r ** 2, r - 0.5)) / len(x)
def gradient(params, x, y):
    d = np.clip(forward(params, x) - y, -1, 1) / len(x)
    dW, db = x.T @ d, {bias}
    return [dW, db]
params = [rng.normal(size=(3, 2)), np.zeros(2)]
speed = [np.zeros_like(p) for p in params]
for epoch in range(10):
    for k in range(0, 20, 5):
        x, y = X[k:k + 5], Y[k:k + 5]
        ahead = [p + 0.9 * s for p, s in zip(params, speed)]
        speed = [0.9 * s - 0.1 * g for s, g in zip(speed, gradient(ahead, x, y))]
        params = [p + s for p, s in zip(params, speed)]
    print(objective(params, X, Y))
"""


def test_a_step_that_looks_ahead_is_explained_by_the_loss_at_the_end_of_the_epoch() -> None:
    found = judged_source(AHEAD.format(bias="d.sum(axis=0)"))
    assert [loss.name for loss in found.losses] == ["objective"]
    parts = [p for line in found.lines for p in line.parts if p.role == "gradient" and p.whole]
    assert {"dW", "db"} <= {p.target for p in parts if p.verdict in ("proved", "checked")}
    assert not [p for p in parts if p.verdict == "wrong"]


def test_what_numpy_adds_to_every_entry_of_a_bias_is_found_in_it() -> None:
    found = judged_source(AHEAD.format(bias="d.sum()"))
    assert {p.target for line in found.lines for p in line.parts if p.verdict == "wrong"} == {"db"}


RECURRENT = """\
import numpy as np
rng = np.random.default_rng(4)
T, N, D, H = 4, 6, 2, 3
U, W, V = rng.normal(size=(D, H)), 0.5 * rng.normal(size=(H, H)), rng.normal(size=(H, 1))

def passe_avant(x):
    h = np.zeros((T + 1, N, H))
    for t in range(T):
        h[t + 1] = np.tanh(x[t] @ U + h[t] @ W)
    return h, h[1:] @ V

def {name}(x, y):
    return 0.5 * np.mean((passe_avant(x)[1] - y) ** 2)

for etape in range(40):
    x, y = rng.normal(size=(T, N, D)), rng.normal(size=(T, N, 1))
    h, s = passe_avant(x)
    ds = (s - y) / y.size
    dV = sum(h[t + 1].T @ ds[t] for t in range(T))
    dU, dW, suite = np.zeros_like(U), np.zeros_like(W), np.zeros((N, H))
    for t in reversed(range(T)):
        dz = (ds[t] @ V.T + suite) * (1 - h[t + 1] ** 2)
        dU += x[t].T @ dz
        dW += h[t].T @ dz
        suite = dz @ W.T
    U -= 0.1 * dU
    W -= 0.1 * dW
    V -= 0.1 * dV
    if etape % 20 == 0:
        print({name}(x, y))
"""


@pytest.mark.parametrize("name", ["cout", "損失"])
def test_a_loss_over_time_is_moved_step_by_step_whatever_language_it_is_called_in(name: str) -> None:
    found = judged_source(RECURRENT.format(name=name))
    [loss] = found.losses
    assert loss.inferred is False
    assert not [p for _, p in parts(found) if p.verdict in ("wrong", "unexplained")]
    assert {p.of for _, p in parts(found) if p.role == "gradient"} == {loss.name}

ALIASED = """\
import numpy as np
np.seterr(invalid="ignore")
rng = np.random.default_rng(6)
X, t, rows = rng.normal(size=(12, 4)), rng.integers(0, 3, 12), np.arange(12)
W = rng.normal(size=(4, 3))
for step in range(9):
    e = np.exp(X @ W)
    p = e / e.sum(axis=1, keepdims=True)
    d = {bound}
    d[rows, t] -= 1
    d /= {count}
    dW = X.T @ d
    W -= 0.1 * dW
    loss = -np.mean(np.log(p[rows, t]))
"""


@pytest.mark.parametrize("bound", ["p", "p[:]"])
def test_a_loss_that_reads_what_the_backward_pass_has_overwritten_is_taken_of_the_values_before(bound: str) -> None:
    found = judged_source(ALIASED.format(bound=bound, count="len(t)"))
    gradients = {p.target: p.verdict for _, p in parts(found) if p.role == "gradient" and p.whole and p.of == "loss"}
    assert gradients["dW"] == "proved"
    assert any("has changed in place by then" in note.what and note.line == 14 for note in found.notices)


def test_a_factor_between_it_and_the_gradient_is_still_said() -> None:
    found = judged_source(ALIASED.format(bound="p", count="6"))
    assert {p.scale for _, p in parts(found) if p.target == "dW" and p.whole} == {"2"}


def test_nothing_is_restored_where_the_backward_pass_works_on_a_copy() -> None:
    found = judged_source(ALIASED.format(bound="p.copy()", count="len(t)"))
    assert not any("has changed in place" in note.what for note in found.notices)


WEIGHTED = """\
import numpy as np
rng = np.random.default_rng(6)
X, t = rng.normal(size=(30, 4)), np.where(rng.normal(size=30) > 0, 1.0, -1.0)
W, b = rng.normal(size=(1, 4)), np.zeros(1)
def loss(X, t):
    weight = np.where(t > 0, 0.7, 0.3)
    margin = t * (X @ W.T + b)[:, 0]
    return np.mean(weight * np.log(1 + np.exp(-margin)))
for step in range(30):
    rows = rng.choice(30, 10, replace=False)
    x, y = X[rows], t[rows]
    weight = np.where(y > 0, 0.7, 0.3)
    margin = y * (x @ W.T + b)[:, 0]
    d = -weight * y / (1 + np.exp(margin)) / len(y)
    W -= 0.1 * d @ x
    b -= 0.1 * d.sum(keepdims=True)
    if step % 10 == 0:
        print(loss(X, t))
"""


def test_transposed_weights_and_what_is_worked_out_from_labels_are_those_of_the_batch() -> None:
    found = judged_source(WEIGHTED)
    assert [(loss.name, loss.inferred) for loss in found.losses] == [("loss", False)]
    assert not [p for _, p in parts(found) if p.verdict in ("wrong", "unexplained")]
    assert {p.verdict for _, p in parts(found) if p.target == "d"} == {"proved"}


def test_a_start_that_is_no_gradient_of_it_is_told_where_it_stands() -> None:
    source = WEIGHTED.replace("d = -weight * y / (1 + np.exp(margin))", "d = -weight * y / (1 + margin ** 2)")
    assert {(line, p.target) for line, p in parts(judged_source(source)) if p.verdict == "wrong"} == {(14, "d")}


SELDOM = """\
import numpy as np
rng = np.random.default_rng(5)
V, W = 0.5 * rng.normal(size=(3, 4)), 0.5 * rng.normal(size=(4, 2))
for step in range(40):
    x = rng.normal(size=(9, 3))
    h = np.tanh(x @ V)
    out = h @ W
    d = 2 * out / out.size
    dW, dV = h.T @ d, x.T @ (d @ W.T * (1 - h ** 2))
    W -= 0.1 * dW
    V -= 0.1 * dV
    if step % 60 == 0:
        loss = np.mean(out ** 2)
        print(loss)
"""


@pytest.mark.parametrize("wrong", ["(d @ W.T)", "(d @ W.T * (1 - h ** 2))"])
def test_a_loss_of_the_first_iteration_is_that_of_the_next_one_also_if_no_step_goes_down_it(wrong: str) -> None:
    found = judged_source(SELDOM.replace("(d @ W.T * (1 - h ** 2))", wrong).replace("h.T @ d,", "h.T @ np.abs(d),"))
    assert any("loss is computed of other values" in n.what for n in found.notices)
    assert "proved" in {p.verdict for _, p in parts(found) if p.target == "d"}


VALIDATED = """\
import numpy as np
rng = np.random.default_rng(8)
X, y = rng.normal(size=(40, 3)), rng.normal(size=40)
train_x, train_y, held_x, held_y = X[:28], y[:28], X[28:], y[28:]
w, b = rng.normal(size=3), np.zeros(1)
def objective(x, y, decay):
    return np.mean((x @ w + b - y) ** 2) + decay * np.sum(w ** 2)
for epoch in range(9):
    order = rng.permutation(28)
    for k in range(0, 28, 7):
        rows = order[k:k + 7]
        x, t = train_x[rows], train_y[rows]
        e = x @ w + b - t
        g = 2 * x.T @ e / len(t) + 2 * 0.01 * w
        w -= 0.1 * g
        b -= 0.1 * 2 * e.mean(keepdims=True)
    print(objective(held_x, held_y, 0.0))
"""


def test_an_objective_of_held_out_data_without_its_penalty_is_that_of_the_batch() -> None:
    found = judged_source(VALIDATED)
    assert [(loss.name, loss.inferred) for loss in found.losses] == [("objective", False)]
    assert not [p for _, p in parts(found) if p.verdict in ("wrong", "unexplained")]
    assert {p.optimiser for _, p in parts(found) if p.target == "w" and p.role == "update"} == {
        "gradient descent with weight decay"
    }


def test_with_its_penalty_it_has_the_term_in_its_gradient() -> None:
    found = judged_source(VALIDATED.replace("held_y, 0.0", "held_y, 0.01"))
    assert {p.verdict for _, p in parts(found) if p.target == "g"} == {"proved"}
    half = VALIDATED.replace("held_y, 0.0", "held_y, 0.01").replace("2 * 0.01 * w", "0.01 * w")
    assert {p.verdict for _, p in parts(judged_source(half)) if p.target == "g"} == {"wrong"}
