"""A mean of absolute errors tells how the training goes; it is no loss of a backward pass that starts from the errors."""

from __future__ import annotations

import pytest

from tests.building.explained import explained_source, parts

NET = """
import numpy as np
rng = np.random.default_rng(1)
X, y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
weights = [rng.normal(size=(2, 4)), rng.normal(size=(4, 1))]
def squash(x, slope=False):
    return x * (1 - x) if slope else 1 / (1 + np.exp(-x))
def learn(layers, rate):
    error = y - layers[-1]
    for k in (1, 0):
        delta = error * squash(layers[k + 1], True)
        error = delta @ weights[k].T
        weights[k] += rate * layers[k].T @ delta
    return MEASURE
for epoch in range(4):
    layers = [X]
    for w in weights:
        layers.append(squash(layers[-1] @ w))
    loss = learn(layers, 0.8)
"""


@pytest.mark.parametrize(
    "measure", ["np.mean(np.abs(y - layers[-1]))", "np.mean(np.abs(layers[-1] - y))", "np.sum(np.abs(y - layers[-1])) / 4"]
)
def test_the_squared_errors_are_descended_wherever_the_absolute_ones_are_computed(measure: str) -> None:
    found = explained_source(NET.replace("MEASURE", measure))
    assert [loss.inferred for loss in found.losses] == [True]
    assert any("adds up how far off the outputs are" in note.what for note in found.notices)
    assert not [p for _, p in parts(found) if p.verdict in ("wrong", "unexplained")]


@pytest.mark.parametrize("measure", ["np.mean(np.abs(y - 2 * layers[-1]))", "np.mean(np.abs(y - layers[-2] @ weights[1]))"])
def test_the_absolute_values_of_something_else_are_a_loss(measure: str) -> None:
    found = explained_source(NET.replace("MEASURE", measure))
    assert not any("adds up how far off the outputs are" in note.what for note in found.notices)
