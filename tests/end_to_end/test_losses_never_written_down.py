"""Programs whose loss nobody writes down: one sample after the other, single ratings, several losses never added."""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source, parts
from tracer.api import Explanation
from tracer.explanation.model import Part

PER_SAMPLE = """
import numpy as np
rng = np.random.default_rng(3)

def squash(z):
    return 1 / (1 + np.exp(-z))

class Net:
    def __init__(self):
        self.ws = [rng.normal(size=(4, 3)), rng.normal(size=(2, 4))]
        self.bs = [rng.normal(size=(4, 1)), rng.normal(size=(2, 1))]

    def gradients(self, x, y):
        acts = [x]
        for w, b in zip(self.ws, self.bs):
            acts.append(squash(np.dot(w, acts[-1]) + b))
        d2 = (acts[2] - y) * acts[2] * (1 - acts[2])
        d1 = np.dot(self.ws[1].T, d2) * acts[1] * (1 - acts[1])
        return [np.dot(d1, x.T), np.dot(d2, acts[1].T)], [d1, d2]

    def step(self, batch, rate):
        sum_w = [np.zeros(w.shape) for w in self.ws]
        sum_b = [np.zeros(b.shape) for b in self.bs]
        for x, y in batch:
            dw, db = self.gradients(x, y)
            sum_w = [s + d for s, d in zip(sum_w, dw)]
            sum_b = [s + d for s, d in zip(sum_b, db)]
        self.ws = [w - (rate / len(batch)) * s for w, s in zip(self.ws, sum_w)]
        self.bs = [b - (rate / len(batch)) * s for b, s in zip(self.bs, sum_b)]

rate = 0.5
data = [(rng.normal(size=(3, 1)), rng.uniform(size=(2, 1))) for _ in range(12)]
net = Net()
for epoch in range(4):
    for k in range(0, 12, 3):
        net.step(data[k:k + 3], rate)
"""
RATINGS = """
import numpy as np
rng = np.random.default_rng(0)
users, items = rng.normal(size=(5, 2)), rng.normal(size=(4, 2))
bias = np.zeros(5)
ratings = [(int(rng.integers(5)), int(rng.integers(4)), float(rng.integers(1, 6))) for _ in range(30)]
for u, i, r in ratings:
    e = r - (users[u].dot(items[i]) + bias[u])
    row = users[u].copy()
    users[u] += 0.05 * (e * items[i] - 0.02 * users[u])
    items[i] += 0.05 * (e * row - 0.02 * items[i])
    bias[u] += 0.05 * e
"""
TWO_LOSSES = """
import numpy as np
rng = np.random.default_rng(1)
X, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
W, V = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))

def terms(h, out):
    return np.sum((out - y) ** 2) / 2, np.sum(h ** 2) / 2

totals = np.zeros(2)
for step in range(5):
    h = X @ W
    out = h @ V
    totals += terms(h, out)
    d = out - y
    dV = h.T @ d
    dh = d @ V.T + h
    dW = X.T @ dh
    V -= 0.01 * dV
    W -= 0.01 * dW
"""


def updates(found: Explanation) -> list[Part]:
    return [p for _, p in parts(found) if p.role == "update"]


def wrong(found: Explanation) -> list[Part]:
    return [p for _, p in parts(found) if p.verdict == "wrong"]


def test_the_loss_of_samples_in_turn_is_inferred_over_all_of_them() -> None:
    found = judged_source(PER_SAMPLE)
    assert [loss.inferred for loss in found.losses] == [True]
    judged = [p for p in updates(found) if p.optimiser == "gradient descent"]
    assert {p.scale for p in judged} == {"-rate / 3"}
    assert len(judged) >= 2
    assert not wrong(found)


def test_a_fault_in_the_gradient_of_each_sample_is_not_explained_away() -> None:
    found = judged_source(
        PER_SAMPLE.replace("d2) * acts[1] * (1 - acts[1])", "d2) * acts[1] * (2 - acts[1])")
    )
    first = [
        p for _, p in parts(found) if p.verdict in ("proved", "checked") and p.source == "np.dot(d1, x.T)"
    ]
    assert not first


def test_each_rating_is_a_step_along_the_rows_that_it_reads() -> None:
    found = judged_source(RATINGS)
    assert [loss.inferred for loss in found.losses] == [True]
    assert {p.wrt: p.optimiser for p in updates(found)} == {
        "users[u]": "gradient descent with weight decay",
        "items[i]": "gradient descent with weight decay",
        "bias[u]": "gradient descent",
    }
    assert {p.verdict for _, p in parts(found) if p.source in ("e * items[i]", "e * row")} == {"proved"}
    assert not wrong(found)


def test_a_rating_that_steps_along_another_row_is_not_called_a_gradient() -> None:
    found = judged_source(RATINGS.replace("(e * items[i] -", "(e * row -"))
    right = {p.wrt for _, p in parts(found) if p.role == "gradient" and p.verdict in ("proved", "checked")}
    assert "users[u]" not in right


def test_losses_that_are_never_added_up_are_trained_on_together() -> None:
    found = judged_source(TWO_LOSSES)
    assert len(updates(found)) == 2
    assert {p.optimiser for p in updates(found)} == {"gradient descent"}
    assert any("never added up" in note.what for note in found.notices)
    assert not wrong(found)


@pytest.mark.parametrize("fault", [("d @ V.T + h", "d @ V.T - h"), ("X.T @ dh", "X.T @ dh * 3")])
def test_their_sum_does_not_make_a_wrong_gradient_right(fault: tuple[str, str]) -> None:
    found = judged_source(TWO_LOSSES.replace(*fault))
    assert {line for line, p in parts(found) if p.verdict == "wrong"} == {17 if "dh" not in fault[0] else 18}


def test_it_is_said_where_no_loss_is_found_that_the_steps_could_go_down() -> None:
    unknown = PER_SAMPLE.replace("(acts[2] - y) * acts[2] * (1 - acts[2])", "np.cos(acts[2]) * acts[1].sum()")
    assert unknown != PER_SAMPLE
    assert any("No loss is computed that these steps" in note.what for note in judged_source(unknown).notices)
    assert not any("these steps" in note.what for note in judged_source(PER_SAMPLE).notices)


BROADCAST = """
import numpy as np
rng = np.random.default_rng(5)
X, y, w = rng.normal(size=(7, 3)), rng.normal(size=(7, 1)), rng.normal(size=3)
for step in range(5):
    miss = X @ w - y
    w = w - 0.01 * X.T @ miss.mean(axis=0)
    print(step, np.mean(np.abs(miss)))
"""


def test_a_vector_of_outputs_less_a_column_of_targets_is_pointed_out() -> None:
    notes = [note for note in judged_source(BROADCAST).notices if "every output with every target" in note.what]
    assert [note.line for note in notes] == [6]
    assert "(7,) and (7, 1)" in notes[0].what
    right = BROADCAST.replace("X @ w - y", "X @ w - y[:, 0]").replace("miss.mean(axis=0)", "miss")
    assert not any("every output" in note.what for note in judged_source(right).notices)


PAIRED = """\
import numpy as np
rng = np.random.default_rng(8)
xs, ys = rng.normal(size=(3, 4)), rng.normal(size=(3, 2))
W = rng.normal(size=(2, 4))
for step in range(6):
    outs = [W @ x[:, None] for x in xs]
    dW = np.zeros_like(W)
    for x, y, out in zip(xs, ys, outs):
        dW += {error} @ x[None, :]
    W -= 0.1 * dW
    loss = np.mean([(out - y) ** 2 for out, y in zip(outs, ys)])
"""


def test_a_loss_that_compares_every_output_with_every_target_is_not_what_such_a_step_goes_down() -> None:
    found = judged_source(PAIRED.format(error="(out - y[:, None])"))
    assert not [p for _, p in parts(found) if p.verdict in ("wrong", "unexplained")]
    assert any("each output with its own target, which was inferred" in note.what for note in found.notices)


def test_a_step_that_goes_down_it_as_it_is_is_explained_by_it() -> None:
    found = judged_source(PAIRED.format(error="(out - y).mean(axis=1, keepdims=True)"))
    assert not any("inferred" in note.what for note in found.notices)
    assert {p.of for _, p in parts(found) if p.role == "gradient"} == {"loss"}


POLICY = """\
import numpy as np
rng = np.random.default_rng(1)
theta = rng.normal(size=(4, 3))
def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()
for episode in range(6):
    x = rng.normal(size=4)
    action = rng.choice(3, p=softmax(x @ theta))
    reward = 1.5 if action == 0 else -0.5
    p = softmax(x @ theta)
    grad = -np.outer(x, p)
    grad[:, action] += {added}
    theta += 0.1 * reward * grad
"""


def test_the_gradient_of_a_log_probability_that_is_written_out_is_recognised() -> None:
    found = judged_source(POLICY.format(added="x"))
    assert {(p.target, p.verdict) for _, p in parts(found) if p.whole and p.role == "gradient"} == {("grad", "proved")}
    assert any("minus the logarithm of p[action]" in note.what for note in found.notices)


def test_what_is_not_its_gradient_is_not_known() -> None:
    found = judged_source(POLICY.format(added="2 * x"))
    assert not any("logarithm" in note.what for note in found.notices)
    assert not [p for _, p in parts(found) if p.target == "grad" and p.verdict in ("proved", "checked")]
