"""Gradients that are added up and never set back to zero, though a step is made of them in every iteration."""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source
from tests.diagnosis.planted import Planted, assert_told, wrong

PROGRAM = """\
import numpy as np
rng = np.random.default_rng(3)
X, y = rng.normal(size=(30, 3)), rng.normal(size=(30, 2))
W, V = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
dW, dV, rate = np.zeros_like(W), np.zeros_like(V), 0.01
for step in range(9):
    h = np.tanh(X @ W)
    e = h @ V - y
    loss = 0.5 * np.sum(e ** 2)
    dV = h.T @ e
    dW = X.T @ (e @ V.T * (1 - h ** 2))
    W -= rate * dW
    V -= rate * dV
"""
KEPT = PROGRAM.replace("dV = h", "dV += h").replace("dW = X", "dW += X")


@pytest.mark.parametrize(
    ("right", "planted"),
    [("    dV = h.T @ e", "    dV += h.T @ e"), ("    dW = X.T @ (e", "    dW += X.T @ (e")],
)
def test_a_sum_that_begins_before_the_loop_is_told_and_mended(right: str, planted: str) -> None:
    fix = next(line.strip() for line in PROGRAM.splitlines() if line.startswith(right))
    assert_told(Planted(PROGRAM, right, planted, "accumulation", fix))


def test_it_is_said_that_earlier_steps_are_still_in_it() -> None:
    [(_, first), (_, second)] = wrong(KEPT)
    assert first.diagnosis is not None
    assert second.diagnosis is not None
    assert "still holds those of earlier steps" in first.diagnosis.says
    assert {first.diagnosis.fix, second.diagnosis.fix} == {"dV = h.T @ e", "dW = X.T @ (e @ V.T * (1 - h ** 2))"}


@pytest.mark.parametrize(
    "reset",
    [
        "    dW[...] = 0\n    dV.fill(0)\n",
        "    dW, dV = np.zeros_like(W), np.zeros_like(V)\n",
        "    dW *= 0\n    dV *= 0\n",
        "    dW *= 0.9\n    dV *= 0.9\n",  # momentum
    ],
)
def test_sums_that_are_set_back_or_fade_are_right(reset: str) -> None:
    assert not wrong(KEPT + reset)


def test_sums_of_several_batches_for_one_step_are_right() -> None:
    steps = "    W -= rate * dW\n    V -= rate * dV\n"
    every = "".join(f"    {line}\n" for line in (*steps.splitlines(), "    dW, dV = np.zeros_like(W), np.zeros_like(V)"))
    source = KEPT.replace(steps, f"    if step % 3 == 2:\n{every}")
    assert not wrong(source)
    assert any("as one step" in n.what for n in judged_source(source).notices)


def test_a_velocity_may_keep_all_of_it() -> None:
    velocity = KEPT.replace("dW", "speed_of_W").replace("dV", "speed_of_V")
    assert not wrong(velocity)
