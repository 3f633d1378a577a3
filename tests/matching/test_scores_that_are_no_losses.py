"""What a step is computed from is a score, also where another forward pass computes it and no step is made of that."""

from __future__ import annotations

from tests.building.explained import judged_source, parts

CRITIC = """\
import numpy as np
rng = np.random.default_rng(3)
w, b = rng.normal(size=4), np.zeros(1)
def value(x):
    return np.tanh(x) @ w + b[0]
x = rng.normal(size=4)
for step in range(30):
    after = 0.9 * x + 0.3 * rng.normal(size=4)
    target = float(step % 3 == 0) + 0.9 * float(value(after))
    shown = value(x)
    v = value(x)
    dv = v - target
    dw, db = dv * np.tanh(x), np.array([dv])
    w -= 0.1 * dw
    b -= 0.1 * db
    x = after
"""


def test_a_value_that_is_computed_again_for_the_step_is_not_what_it_goes_down() -> None:
    found = judged_source(CRITIC)
    assert not [p for _, p in parts(found) if p.verdict == "wrong"]
    assert all("shown" not in loss.name and loss.inferred for loss in found.losses)
    [error] = [p for _, p in parts(found) if p.target == "dv"]
    assert (error.verdict, error.wrt) == ("proved", "v")


def test_a_scalar_that_no_step_is_made_of_may_be_one() -> None:
    printed = CRITIC.replace("shown = value(x)", "print(0.5 * (value(x) - target) ** 2)")
    assert {loss.inferred for loss in judged_source(printed).losses} == {False}


def test_a_rate_that_gets_smaller_is_no_gradient() -> None:
    scheduled = CRITIC.replace("    x = after", "    x = after\n    rate *= 0.97").replace("w -= 0.1", "w -= rate").replace(
        "x = rng.normal(size=4)\nfor", "x, rate = rng.normal(size=4), 0.1\nfor"
    )
    printed = scheduled.replace("shown = value(x)", "loss = -np.mean(np.tanh(x) @ w)")
    for source in (scheduled, printed):
        assert not [p for _, p in parts(judged_source(source)) if p.target == "rate" and p.verdict]
