"""A term that is missing where the gradients are those of a sum, and the loss is a mean: it is said without the count."""

from __future__ import annotations

from tests.diagnosis.planted import Planted, assert_told, wrong

SKIP = """\
import numpy as np
rng = np.random.default_rng(3)
X, Y = rng.normal(size=(3, 8)), rng.normal(size=(3, 8))
W, V = rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
for step in range(9):
    a = np.tanh(W @ X)
    out = V @ a + a
    loss = 0.5 * np.sum((out - Y) ** 2) / X.shape[1]
    d = out - Y
    da = V.T @ d + d
    dz = da * (1 - a ** 2)
    W -= 0.1 * dz @ X.T / X.shape[1]
    V -= 0.1 * d @ a.T / X.shape[1]
"""


def test_the_right_program_has_no_fault() -> None:
    assert not wrong(SKIP)


def test_a_path_that_is_left_out_is_added_without_multiplying_and_dividing_by_the_count() -> None:
    assert_told(Planted(SKIP, "da = V.T @ d + d", "da = V.T @ d", "missing term", "da = V.T @ d + d"))
