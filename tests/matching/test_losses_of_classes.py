"""Scores that are only compared with a bound: the rule of a perceptron, and an ``if`` that looks at a margin, go down a loss."""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source, parts
from tracer.explanation.model import Explanation, Part

DATA = """\
import numpy as np
rng = np.random.default_rng(2)
X = rng.normal(size=(30, 2))
t = np.where(X[:, 0] - X[:, 1] > 0.3, {high}, {low})
w, b, rate, lam = rng.normal(size=2), 0.1, 0.1, 0.01
def step(z):
    if z > 0:
        return 1
    return 0
for x, y in zip(X, t):
    z = np.dot(w, x) + b
"""
ERROR = """\
    out = {out}
    error = {error}
    w {way}= rate * error * x
    b += rate * error
"""
MARGIN = """\
    if {wrong}:
        w {way}= rate * y * x
        b += rate * y
"""
SUPPORT = """\
    if y * z >= 1:
        w -= rate * (2 * lam * w)
    else:
        w -= rate * (2 * lam * w - y * x)
        b -= rate * -y
"""


def explained(rule: str, high: int = 1, low: int = 0) -> Explanation:
    return judged_source(DATA.format(high=high, low=low) + rule)


def assert_steps_along(found: Explanation) -> None:
    """What both steps are made of is proved: by ``b``, or by ``z``, whose gradient is the same number."""
    told = {(p.wrt, p.verdict) for p in gradients(found)}
    assert ("w", "proved") in told
    assert {("b", "proved"), ("z", "proved")} & told
    assert {verdict for _, verdict in told} == {"proved"}


def gradients(found: Explanation) -> list[Part]:
    return [p for _, p in parts(found) if p.role == "gradient"]


@pytest.mark.parametrize(
    ("out", "low"), [("step(z)", 0), ("1 if z > 0 else 0", 0), ("np.where(z >= 0, 1, -1)", -1), ("np.sign(z)", -1), ("(z > 0).astype(int)", 0)]
)
def test_the_rule_of_a_perceptron_goes_down_its_loss(out: str, low: int) -> None:
    found = explained(ERROR.format(out=out, error="y - out", way="+"), low=low)
    assert_steps_along(found)
    assert any("the perceptron loss" in note.what for note in found.notices)


@pytest.mark.parametrize("wrong", ["y * z <= 0", "y * z < 1", "np.sign(z) != y"])
def test_an_if_that_looks_at_a_margin_chooses_the_side_of_a_hinge_loss(wrong: str) -> None:
    found = explained(MARGIN.format(wrong=wrong, way="+"), low=-1)
    assert_steps_along(found)
    assert any("a hinge loss" in note.what for note in found.notices)


def test_a_penalty_beside_it_is_weight_decay() -> None:
    found = explained(SUPPORT, low=-1)
    assert {p.verdict for p in gradients(found) if p.source in ("y * x", "rate * -y")} == {"proved"}
    assert {p.optimiser for _, p in parts(found) if p.role == "update"} >= {"gradient descent with weight decay"}


@pytest.mark.parametrize("rule", [ERROR.format(out="step(z)", error="y - out", way="-"), MARGIN.format(wrong="y * z <= 0", way="-")])
def test_a_sign_that_is_wrong_in_one_of_the_steps_is_told(rule: str) -> None:
    found = explained(rule, low=0 if "out" in rule else -1)
    told = [p.diagnosis for p in gradients(found) if p.verdict == "wrong" and p.diagnosis is not None]
    assert {d.kind for d in told} == {"sign"}


def test_what_is_no_class_of_the_score_has_no_such_loss() -> None:
    found = explained(ERROR.format(out="1 if x[0] > 0 else 0", error="y - out", way="+"))
    assert not any("perceptron" in note.what for note in found.notices)
