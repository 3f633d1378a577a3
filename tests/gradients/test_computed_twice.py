"""A value that a program computes twice is one array of the formulas: its derivative counts once, not twice."""

from __future__ import annotations

import numpy as np
import pytest

from tests.building.explained import analysed_source
from tests.gradients.test_adjoints import last_root, root_on
from tracer.matching.analysis import Analysis

#: Losses of Z = X @ W - y, each with something in it that is computed twice, and their derivatives by Z.
LOSSES = [
    ("np.sum((X @ W - y) * (X @ W - y))", "2 * (X @ W - y)"),
    ("np.sum(np.tanh(np.sin(X @ W - y) + np.sin(X @ W - y)))", "2 * np.cos(Z) * (1 - np.tanh(2 * np.sin(Z)) ** 2)"),
    ("np.sum(np.cos(Z) * np.cos(Z))", "-2 * np.cos(Z) * np.sin(Z)"),
    ("np.sum(np.exp(Z) / (1 + np.exp(Z)))", "np.exp(Z) / (1 + np.exp(Z)) ** 2"),
    ("np.vdot(np.tanh(Z), np.tanh(Z)) / 2", "np.tanh(Z) * (1 - np.tanh(Z) ** 2)"),
    ("np.sum((Z - 1) * (Z - 1) * (Z - 1))", "3 * (Z - 1) ** 2"),
]


def found_in(loss: str, slope: str) -> Analysis:
    return analysed_source(f"""
import numpy as np
rng = np.random.default_rng(3)
X, y = rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
W = rng.normal(size=(4, 3))
for it in range(3):
    Z = X @ W - y
    loss = {loss}
    dZ = {slope}
    dW = X.T @ dZ
    W = W - 0.01 * dW
""")


@pytest.mark.parametrize(("loss", "slope"), LOSSES)
def test_the_adjoint_by_a_parameter_is_that_of_differences(loss: str, slope: str) -> None:
    found = found_in(loss, slope)
    root = last_root(found)
    sweep = found.matcher.adjoints[root][1]
    (weights,) = {u.before for u in found.updates.values() if u.before in sweep.full}
    for index in np.ndindex(4, 3):
        slopes = (root_on(found, 1, root, weights, index, h) - root_on(found, 1, root, weights, index, -h) for h in (1e-5,))
        assert abs(next(slopes) / 2e-5 - sweep.full[weights][index]) < 1e-5 * max(1.0, abs(sweep.full[weights][index]))


@pytest.mark.parametrize(("loss", "slope"), LOSSES)
def test_the_hand_written_gradient_is_recognised(loss: str, slope: str) -> None:
    found = found_in(loss, slope)
    named = {name: n for n, node in enumerate(found.tape.nodes) for name in node.names}
    assert found.matcher.best(named["dW"]) is not None
    assert found.matcher.best(named["dZ"]) is not None


def test_half_of_such_a_gradient_is_not_taken_for_it() -> None:
    found = found_in(LOSSES[0][0], "X @ W - y")
    named = {name: n for n, node in enumerate(found.tape.nodes) for name in node.names}
    match = found.matcher.best(named["dW"])
    assert match is None or match.scale.text != "1"
