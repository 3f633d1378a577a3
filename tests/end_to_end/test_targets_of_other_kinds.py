"""Errors of targets that are no arrays: lists, and one number for several outputs; no loss is computed."""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source, parts
from tests.diagnosis.planted import wrong

NET = """\
import numpy as np
rng = np.random.default_rng(0)
W, b = rng.normal(size=(3, 5)), np.zeros(3)
labels = [{label} for k in range(4)]
for k in range(4):
    x, target = rng.normal(size=5), labels[k]
    out = 1 / (1 + np.exp(-np.dot(W, x) - b))
    error = {error}
    delta = error * out * (1 - out)
    W -= 0.1 * np.outer(delta, x)
    b -= 0.1 * delta
"""
ONE_EACH = "[1 if j == k % 3 else 0 for j in range(3)]"


@pytest.mark.parametrize(
    ("label", "error"),
    [
        (ONE_EACH, "out - target"),
        ("[float(rng.uniform()) for j in range(3)]", "out - target"),
        ("(0.1, 0.9, 0.1)", "out - target"),
        (ONE_EACH, "np.subtract(out, target)"),
        ("float(rng.uniform())", "out - target"),
    ],
)
def test_the_loss_is_inferred_from_errors_of_any_targets(label: str, error: str) -> None:
    source = NET.format(label=label, error=error)
    found = judged_source(source)
    assert [loss.inferred for loss in found.losses] == [True]
    assert {p.verdict for _, p in parts(found)} - {None} == {"proved"}
    told = wrong(source.replace("W -= ", "W += ").replace("b -= ", "b += "))
    assert {p.diagnosis.kind for _, p in told if p.diagnosis} == {"sign"}


def test_errors_that_all_steps_go_up_by_are_the_fault_at_their_own_line() -> None:
    source = NET.format(label="float(rng.uniform())", error="target - out")
    [(line, part)] = wrong(source)
    assert part.diagnosis is not None
    assert (line, part.diagnosis.fix) == (8, "error = out - target")
