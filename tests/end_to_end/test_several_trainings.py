"""Several trainings in one program: each has its own loss, whether it is computed at once, later or not at all."""

from __future__ import annotations

import itertools

import pytest

from tests.building.explained import judged_source, parts
from tests.diagnosis.planted import wrong

START = """\
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(30, 3))
t = (X[:, 0] > 0).astype(float)
c = rng.integers(0, 3, 30)
T = np.eye(3)[c]
"""
#: A training, and what the report says of the loss that it goes down.
TRAININGS = {
    "logistic": (
        "w, b = np.zeros(3), 0.0\nfor epoch in range(20):\n    p = 1 / (1 + np.exp(-(X @ w + b)))\n"
        "    w -= 0.1 * X.T @ (p - t) / 30\n    b -= 0.1 * np.mean(p - t)\n",
        "binary cross-entropy",
    ),
    "classes": (
        "W = np.zeros((3, 3))\nfor epoch in range(20):\n    e = np.exp(X @ W)\n    q = e / e.sum(axis=1, keepdims=True)\n"
        "    W -= 0.1 * X.T @ (q - T) / 30\n",
        "fits cross-entropy",
    ),
    "squares": (
        "v, d = np.zeros(3), 0.0\nfor epoch in range(20):\n    s = np.tanh(X @ v + d)\n    err = s - t\n"
        "    v -= 0.1 * X.T @ (err * (1 - s ** 2)) / 30\n    d -= 0.1 * np.mean(err * (1 - s ** 2))\n",
        "half the sum of squared errors",
    ),
    "computed": (
        "u = np.zeros(3)\nfor epoch in range(20):\n    f = X @ u\n    loss = np.mean((f - t) ** 2)\n"
        "    u -= 0.1 * 2 * X.T @ (f - t) / 30\n",
        "",
    ),
    "later": (
        "a = np.zeros(3)\nfor epoch in range(20):\n    g = np.tanh(X @ a)\n    a -= 0.1 * X.T @ ((g - t) * (1 - g ** 2))\n"
        "    cost = 0.5 * np.sum((np.tanh(X @ a) - t) ** 2)\n",
        "",
    ),
}


@pytest.mark.parametrize("names", list(itertools.permutations(TRAININGS, 2)))
def test_each_training_goes_down_its_own_loss(names: tuple[str, str]) -> None:
    found = judged_source(START + "".join(TRAININGS[n][0] for n in names))
    told = " ".join(n.what for n in found.notices)
    assert all(TRAININGS[n][1] in told for n in names)
    assert len(found.losses) == 2
    assert not [p for _, p in parts(found) if p.verdict in ("wrong", "unexplained")]
    assert len({p.of_line for _, p in parts(found) if p.role == "gradient" and p.verdict}) == 2


@pytest.mark.parametrize("other", ["logistic", "classes", "computed"])
def test_a_fault_in_one_of_them_is_told_there_and_nowhere_else(other: str) -> None:
    squares, _ = TRAININGS["squares"]
    faulty = squares.replace("np.mean(err * (1 - s ** 2))", "np.mean(err)")
    for first, second in ((TRAININGS[other][0], faulty), (faulty, TRAININGS[other][0])):
        source = START + first + second
        line = source[: source.index("np.mean(err)")].count("\n") + 1
        assert [n for n, _ in wrong(source)] == [line]


def test_a_training_of_which_no_loss_is_known_leaves_the_others_alone() -> None:
    odd = TRAININGS["squares"][0].replace("err = s - t", "err = np.cos(s) * t + s").replace("err * (1 - s ** 2)", "np.sin(err)")
    found = judged_source(START + TRAININGS["classes"][0] + odd)
    assert not [p for _, p in parts(found) if p.verdict == "wrong"]
    line = 1 + START.count("\n") + TRAININGS["classes"][0].count("\n")
    assert {p.verdict for at, p in parts(found) if at < line} - {None} == {"proved"}
