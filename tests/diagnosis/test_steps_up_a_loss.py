"""A step that goes up the loss while all the others go down: a fault, but for adversaries and multipliers."""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source, parts

NET = """\
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(9, 3)), rng.normal(size=(9, 2))
W1, b1 = rng.normal(size=(4, 3)), np.zeros(4)
W2, b2 = rng.normal(size=(2, 4)), np.zeros(2)
for step in range(3):
    h = np.tanh(X @ W1.T + b1)
    out = h @ W2.T + b2
    loss = np.mean((out - Y) ** 2)
    dout = 2 * (out - Y) / out.size
    dW2, db2 = dout.T @ h, dout.sum(axis=0)
    dz = (dout @ W2) * (1 - h ** 2)
    dW1, db1 = dz.T @ X, dz.sum(axis=0)
    W1 -= 0.1 * dW1
    b1 -= 0.1 * db1
    W2 -= 0.1 * dW2
    b2 -= 0.1 * db2
"""

ADVERSARY = """\
import numpy as np
rng = np.random.default_rng(1)
real, noise = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
G, w, b = rng.normal(size=(2, 3)), rng.normal(size=(3, 1)), np.zeros(1)
seen = np.vstack([np.ones((8, 1)), np.zeros((8, 1))])
for step in range(3):
    both = np.vstack([real, noise @ G])
    p = 1 / (1 + np.exp(-(both @ w + b)))
    loss = -np.mean(seen * np.log(p) + (1 - seen) * np.log(1 - p))
    ds = (p - seen) / len(p)
    dw, db = both.T @ ds, ds.sum(axis=0)
    dG = noise.T @ (ds @ w.T)[8:]
    w -= 0.1 * dw
    b -= 0.1 * db
    G += 0.1 * dG
"""

MULTIPLIER = """\
import numpy as np
rng = np.random.default_rng(2)
X, t = rng.normal(size=(9, 3)), rng.normal(size=9)
w, b, lam = rng.normal(size=3), 0.0, 1.0
for step in range(3):
    e = X @ w + b - t
    g = np.sum(w ** 2)
    loss = np.mean(e ** 2) + lam * g
    de = 2 * e / len(t)
    dw, db = X.T @ de + 2 * lam * w, de.sum()
    w -= 0.1 * dw
    b -= 0.1 * db
    lam += 0.1 * g
"""


def wrong(source: str) -> list[tuple[str, str, list[str]]]:
    """What is called wrong: its source, the kind of fault, the corrected lines."""
    found = [part for _, part in parts(judged_source(source)) if part.diagnosis]
    return [(p.source, p.diagnosis.kind, [e.new.strip() for e in p.diagnosis.edits]) for p in found if p.diagnosis]


@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2"])
def test_the_odd_step_is_the_fault(name: str) -> None:
    [(at, kind, mended)] = wrong(NET.replace(f"{name} -= ", f"{name} += "))
    assert (at, kind, mended) == (f"0.1 * d{name}", "sign", [f"{name} -= 0.1 * d{name}"])


LINE = """\
import numpy as np
x, y = np.linspace(0, 4, 9), 2.5 * np.linspace(0, 4, 9) - 1
a, c = 0.0, 0.0
for step in range(4):
    e = a * x + c - y
    mse = (e ** 2).sum() / len(x)
    da, dc = 2 / len(x) * (e * x).sum(), 2 / len(x) * e.sum()
    a -= 0.02 * da
    c -= 0.02 * dc
"""


def test_one_of_two_steps_up_is_the_fault() -> None:
    assert wrong(LINE) == []
    assert wrong(LINE.replace("c -= ", "c += ")) == [("0.02 * dc", "sign", ["c -= 0.02 * dc"])]


@pytest.mark.parametrize("source", [NET, ADVERSARY, MULTIPLIER], ids=["all go down", "an adversary", "a multiplier"])
def test_who_goes_up_on_purpose_is_not_wrong(source: str) -> None:
    assert wrong(source) == []


COUNTS = """\
import numpy as np
rng = np.random.default_rng(3)
X, k = np.c_[np.ones(12), rng.normal(size=(12, 2))], rng.poisson(1.5, 12)
beta = np.zeros(3)
for step in range(4):
    rate = np.exp(X @ beta)
    loglik = np.mean(k * (X @ beta) - rate)
    gradient = X.T @ (k - rate) / len(k)
    beta += 0.2 * gradient
"""


@pytest.mark.parametrize(
    ("old", "new", "mended"),
    [
        ("beta += ", "beta -= ", "beta += 0.2 * gradient"),
        ("(k - rate)", "(rate - k)", "gradient = X.T @ (k - rate) / len(k)"),
    ],
)
def test_a_likelihood_is_not_gone_down(old: str, new: str, mended: str) -> None:
    assert wrong(COUNTS) == []
    [(_, kind, lines)] = wrong(COUNTS.replace(old, new))
    assert (kind, lines) == ("sign", [mended])


def test_the_negative_of_a_likelihood_is_gone_down() -> None:
    negated = COUNTS.replace("loglik = np.mean(k * (X @ beta) - rate)", "neg_loglik = -np.mean(k * (X @ beta) - rate)")
    assert wrong(negated.replace("beta += 0.2 * gradient", "beta -= 0.2 * -gradient")) == []


LAYERS = """\
import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(9, 3)), rng.normal(size=(9, 2))
W = [rng.normal(size=(3, 4)), rng.normal(size=(4, 4)), rng.normal(size=(4, 2))]
b = [np.zeros(4), np.zeros(4), np.zeros(2)]
for step in range(3):
    a = [X]
    for k in range(3):
        z = a[k] @ W[k] + b[k]
        a.append(np.tanh(z) if k < 2 else z)
    loss = np.mean((a[3] - Y) ** 2)
    d, dW, db = 2 * (a[3] - Y) / Y.size, [0, 0, 0], [0, 0, 0]
    for k in (2, 1, 0):
        dW[k], db[k] = a[k].T @ d, d.sum(axis=0)
        d = (d @ W[k].T) * (1 - a[k] ** 2)
    for k in range(3):
        W[k] -= 0.1 * dW[k]
        b[k] -= 0.1 * db[k]
"""

BY_CALLS = ADVERSARY.replace("for step", "def move(p, d):\n    p -= 0.1 * d\nfor step").replace(
    "    w -= 0.1 * dw\n    b -= 0.1 * db\n    G += 0.1 * dG\n", "    move(w, dw)\n    move(b, db)\n    move(G, -dG)\n"
)


def test_one_line_that_takes_some_steps_up_and_others_down_is_given_a_wrong_sign() -> None:
    assert wrong(LAYERS) == []
    turned = LAYERS.replace("d = (d @ W[k].T)", "d = -(d @ W[k].T)")
    assert {kind for _, kind, _ in wrong(turned)} == {"sign"}
    two = turned.replace(", rng.normal(size=(4, 4))", "").replace("np.zeros(4), np.zeros(4)", "np.zeros(4)")
    for old, new in (("(3)", "(2)"), ("k < 2", "k < 1"), ("a[3]", "a[2]"), ("(2, 1, 0)", "(1, 0)")):
        two = two.replace(old, new)
    assert {line for _, _, edits in wrong(two) for line in edits} == {"d = d @ W[k].T * (1 - a[k] ** 2)"}


def test_a_function_that_is_told_by_another_call_to_go_up_is_not_wrong() -> None:
    assert wrong(BY_CALLS) == []


REWARDED = """\
import numpy as np
rng = np.random.default_rng(3)
W, b = rng.normal(size=(4, 3)) * 0.1, np.zeros(3)
rewards = [-1.0, -0.5, -2.0, 3.0]
for turn in range(4):
    x, tried = rng.normal(size=4), rng.normal(size=3)
    out = np.tanh(x @ W + b)
    {reward}
    delta = (tried - out) * (1 - out ** 2)
    W += 0.1 * np.outer(x, delta) * reward
    b += 0.1 * reward * delta
"""


@pytest.mark.parametrize(
    "reward", ["reward = 2.0 if tried[0] > 100 else -1.0", "reward = rewards[turn]", "reward = -0.5 if turn else 1.0"]
)
def test_a_reward_that_is_negative_this_time_turns_no_step_round(reward: str) -> None:
    assert wrong(REWARDED.format(reward=reward)) == []


@pytest.mark.parametrize("reward", ["reward = 2.0 if tried[0] < 100 else -1.0", "reward = -rewards[0]"])
def test_what_goes_up_the_loss_with_a_positive_reward_is_told(reward: str) -> None:
    source = REWARDED.format(reward=reward).replace("(tried - out)", "(out - tried)")
    assert {kind for _, kind, _ in wrong(source)} == {"sign"}
