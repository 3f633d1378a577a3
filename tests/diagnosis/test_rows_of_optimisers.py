"""Rows that an optimiser's step moves by an error times a row of another parameter: the wrong row is told and mended."""

from __future__ import annotations

import pytest

from tests.diagnosis.planted import Planted, assert_told, wrong

PAIRS = """\
import numpy as np
rng = np.random.default_rng(4)
P, Q = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
cP, cQ = np.ones((5, 3)), np.ones((5, 3))
pairs = [(0, 3, 1.0), (2, 4, -0.5), (1, 0, 0.3), (4, 2, 0.8)]
for epoch in range(3):
    total = 0.0
    for i, j, r in pairs:
        e = P[i] @ Q[j] - r
        total += 0.5 * e ** 2
        up = e * Q[j]
        uq = e * P[i]
        P[i] -= 0.1 * up / np.sqrt(cP[i])
        Q[j] -= 0.1 * uq / np.sqrt(cQ[j])
        cP[i] += up ** 2
        cQ[j] += uq ** 2
"""


def test_the_right_program_has_no_fault() -> None:
    assert not wrong(PAIRS)


@pytest.mark.parametrize(
    ("right", "planted"), [("uq = e * P[i]", "uq = e * P[j]"), ("up = e * Q[j]", "up = e * Q[i]")]
)
def test_another_row_is_told_and_mended(right: str, planted: str) -> None:
    assert_told(Planted(PAIRS, f"        {right}\n", f"        {planted}\n", "wrong operand", right))


def test_the_state_of_the_optimiser_is_no_such_row() -> None:
    assert not wrong(PAIRS.replace("up / np.sqrt(cP[i])", "up / (1e-8 + np.sqrt(cP[i]))"))
