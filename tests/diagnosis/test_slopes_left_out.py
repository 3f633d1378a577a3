"""Slopes that are left out where errors are handed back, or taken for the value, in programs that write NumPy otherwise."""

from __future__ import annotations

import pytest

from tests.diagnosis.planted import wrong

ERRORS = """\
import numpy
rng = numpy.random.RandomState(0)
class Net:
    def __init__(self):
        self.first, self.second = rng.normal(size=(4, 3)), rng.normal(size=(2, 4))
        self.bend = lambda z: BEND
    def learn(self, given, wanted):
        given, wanted = numpy.array(given, ndmin=2).T, numpy.array(wanted, ndmin=2).T
        inner = self.bend(numpy.dot(self.first, given))
        outer = self.bend(numpy.dot(self.second, inner))
        error = wanted - outer
        inner_error = numpy.dot(self.second.T, BACK)
        self.second += 0.3 * numpy.dot(error * SLOPE(outer), inner.T)
        self.first += 0.3 * numpy.dot(inner_error * SLOPE(inner), given.T)
def logistic(a):
    return a * (1.0 - a)
def hyperbolic(a):
    return 1.0 - a ** 2
net = Net()
for k in range(9):
    net.learn(rng.uniform(size=3), rng.uniform(size=2))
"""

MARGINS = """\
import numpy as np
rng = np.random.default_rng(3)
X = rng.normal(size=(8, 2))
y = np.where(X[:, 0] + 0.3 * X[:, 1] > 0, 1.0, -1.0)
w, b, C = rng.normal(size=2), 0.0, 0.1
for step in range(120):
    gap = 1 - y * (X @ w + b)
    gap[gap <= 0] = 0
    gap[gap > 0] = 1
    dw = X.T @ (-y * gap) / len(X) + C * w
    db = np.mean(-y * gap)
    w -= 0.05 * dw
    b -= 0.05 * db
    if step % 40 == 0:
        loss = np.mean(np.maximum(0, 1 - y * (X @ w + b))) + 0.5 * C * np.dot(w, w)
        print(loss)
"""


@pytest.mark.parametrize(
    ("bend", "slope"), [("1 / (1 + numpy.exp(-z))", "logistic"), ("numpy.tanh(z)", "hyperbolic")]
)
def test_errors_that_are_handed_back_without_the_slope_of_the_outputs(bend: str, slope: str) -> None:
    program = ERRORS.replace("BEND", bend).replace("SLOPE", slope)
    found = wrong(program.replace("BACK", "error"))
    assert {line for line, _ in found} == {12}
    [diagnosis] = [p.diagnosis for _, p in found if p.diagnosis is not None]
    assert diagnosis.kind == "missing derivative"
    assert diagnosis.fix is not None
    assert "error * " in diagnosis.fix
    assert "np." not in diagnosis.fix.replace("numpy.", "")
    assert not wrong(program.replace("BACK", f"error * {slope}(outer)"))


def test_the_margin_itself_in_place_of_its_slope() -> None:
    line = "    gap[gap > 0] = 1\n"
    found = wrong(MARGINS.replace(line, ""))
    assert {number for number, _ in found} == {8}
    assert [p.diagnosis.fix for _, p in found if p.diagnosis is not None] == [line.strip()]


def test_a_gradient_that_is_zero_where_no_sample_is_within_the_margin_is_no_fault() -> None:
    assert not wrong(MARGINS)
