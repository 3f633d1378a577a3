"""A backward pass that starts from errors weighted by data, as of a policy: the weighted loss is inferred."""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source, parts

POLICY = """\
import numpy as np

rng = np.random.RandomState(0)
n_in, n_hidden, steps = 3, 4, 4
W1 = rng.randn(n_hidden, n_in) * 0.5
w2 = rng.randn(n_hidden) * 0.5
rate = 0.05

for episode in range(3):
    states, hiddens, errors, rewards = [], [], [], []
    for t in range(steps):
        s = rng.randn(n_in)
        h = np.maximum(0, W1 @ s)
        prob = 1 / (1 + np.exp(-(w2 @ h)))
        action = 1 if rng.rand() < prob else 0
        states.append(s)
        hiddens.append(h)
        errors.append(action - prob)
        rewards.append(float(action == (s[0] > 0)) + rng.rand())
    S = np.vstack(states)
    Hs = np.vstack(hiddens)
    err = np.vstack(errors)
    adv = np.array(rewards).reshape(-1, 1)
    adv = adv - adv.mean()
    err *= adv
    dw2 = (Hs.T @ err).ravel()
    dh = np.outer(err, w2)
    dh[Hs <= 0] = 0
    dW1 = dh.T @ S
    W1 += rate * dW1
    w2 += rate * dw2
"""

SOFTMAX = """\
import numpy as np

rng = np.random.default_rng(4)
X, gain = rng.normal(size=(9, 4)), rng.normal(size=(9, 1))
Y = np.eye(3)[rng.integers(0, 3, 9)]
W, b = rng.normal(size=(4, 3)), np.zeros(3)
for step in range(3):
    z = X @ W + b
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    delta = gain * (p - Y)
    dW = X.T @ delta
    db = delta.sum(axis=0)
    W -= 0.1 * dW
    b -= 0.1 * db
"""


@pytest.mark.parametrize(
    ("source", "loss", "gradients"),
    [
        (POLICY, "binary cross-entropy weighted by adv, which is held constant", {"dw2", "dW1"}),
        (SOFTMAX, "cross-entropy weighted by gain, which is held constant", {"delta", "dW", "db"}),
    ],
    ids=["policy", "softmax"],
)
def test_weighted_errors_make_a_weighted_loss(source: str, loss: str, gradients: set[str]) -> None:
    found = judged_source(source)
    assert any(f"the backward pass fits {loss}" in note.what for note in found.notices)
    right = {p.target for _, p in parts(found) if p.role == "gradient" and p.verdict in ("proved", "checked")}
    assert gradients <= right


def test_a_wrong_mask_behind_a_weighted_error_is_found_and_mended() -> None:
    found = judged_source(POLICY.replace("dh[Hs <= 0] = 0", "dh[Hs > 0] = 0"))
    wrong = [p for _, p in parts(found) if p.verdict == "wrong"]
    assert [p.diagnosis.fix for p in wrong if p.diagnosis] == ["dh[Hs <= 0] = 0"]
