"""A function for a slope that is given the output of the activation where it expects the input, or the other way round.

No loss is computed in these programs: their backward passes start from errors times a slope.
"""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source
from tests.diagnosis.planted import wrong

NET = """\
import numpy as np
np.random.seed(3)
def act(x):
    return {act}
def slope(x):
    return {slope}
X, Y = np.random.randn(12, 3), 0.5 + 0.2 * np.random.randn(12, 2)
V, W = np.random.randn(3, 4), np.random.randn(4, 2)
for step in range(9):
    s = X @ V
    h = act(s)
    z = h @ W
    out = act(z)
    d2 = (out - Y) * slope({by_last})
    d1 = (d2 @ W.T) * slope({by_first})
    W -= 0.05 * h.T @ d2
    V -= 0.05 * X.T @ d1
"""
ONE_CALL = {"by_last": "z", "by_first": "h"}
OF_OUTPUTS = {"by_last": "out", "by_first": "h"}
OF_INPUTS = {"by_last": "z", "by_first": "s"}
LINE = 6


@pytest.mark.parametrize(
    ("act", "slope", "given", "mended"),
    [
        ("np.tanh(x)", "1 - np.tanh(x) ** 2", OF_OUTPUTS, "return 1 - x ** 2"),
        ("1 / (1 + np.exp(-x))", "act(x) * (1 - act(x))", OF_OUTPUTS, "return x * (1 - x)"),
        ("1 / (1 + np.exp(-x))", "x * (1 - x)", OF_INPUTS, "return act(x) * (1 - act(x))"),
        ("np.tanh(x)", "1 - x * x", OF_INPUTS, "return 1 - np.tanh(x) * np.tanh(x)"),
    ],
)
def test_a_slope_of_the_wrong_value_is_mended_where_it_is_written(act: str, slope: str, given: dict[str, str], mended: str) -> None:
    [(line, part)] = wrong(NET.format(act=act, slope=slope, **given))
    assert part.diagnosis is not None
    assert (line, part.diagnosis.kind, part.diagnosis.fix) == (LINE, "missing derivative", mended)


@pytest.mark.parametrize(
    ("act", "slope", "given"),
    [
        ("np.tanh(x)", "1 - np.tanh(x) ** 2", OF_INPUTS),
        ("1 / (1 + np.exp(-x))", "x * (1 - x)", OF_OUTPUTS),
    ],
)
def test_the_right_ones_fit_squared_errors(act: str, slope: str, given: dict[str, str]) -> None:
    found = judged_source(NET.format(act=act, slope=slope, **given))
    assert {p.verdict for line in found.lines for p in line.parts if p.role == "gradient"} <= {"proved", "checked"}
    assert any("the backward pass fits half the sum of squared errors" in note.what for note in found.notices)


def test_errors_that_are_weighted_by_data_are_not_taken_for_squared_ones() -> None:
    program = NET.format(act="np.tanh(x)", slope="1 - np.tanh(x) ** 2", **OF_INPUTS)
    weighted = program.replace("(out - Y) * slope(z)", "(out - Y) * X[:, :2]")
    assert not wrong(weighted)
    assert not any("judged by this loss" in note.what for note in judged_source(weighted).notices)


def test_where_other_calls_are_right_the_call_is_mended() -> None:
    [(_, part)] = wrong(NET.format(act="np.tanh(x)", slope="1 - np.tanh(x) ** 2", **ONE_CALL))
    assert part.diagnosis is not None
    assert part.diagnosis.fix == "d1 = (d2 @ W.T) * slope(s)"


SAMPLES = """\
import numpy as np
sigmoid = lambda x: 1.0 / (1.0 + np.exp(-x))
slope = lambda x: sigmoid(x) * (1.0 - sigmoid(x))
rng = np.random.RandomState(0)
W = [rng.randn(4, 3), rng.randn(2, 4)]
b = [rng.randn(4, 1), rng.randn(2, 1)]
for x, y in [(rng.rand(3, 1), rng.rand(2, 1)) for _ in range(5)]:
    a = [x]
    for w, c in zip(W, b):
        a.append(sigmoid(w @ a[-1] + c))
    delta = (a[-1] - y) * slope(a[-1])
    for l in (1, 0):
        dw, db = delta @ a[l].T, delta
        if l > 0:
            delta = (W[l].T @ delta) * slope(a[l])
        W[l] = W[l] - 0.5 * dw
        b[l] = b[l] - 0.5 * db
"""


def test_an_error_times_a_slope_is_no_step_along_the_error_so_that_squares_are_meant_and_not_cross_entropy() -> None:
    [(line, part)] = wrong(SAMPLES)
    assert part.diagnosis is not None
    assert (line, part.diagnosis.fix) == (3, "slope = lambda x: x * (1.0 - x)")
