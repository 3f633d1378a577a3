"""Rows that a loss reads together, ``E[words]``, and that a loop updates one by one: each step is by its row."""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source
from tests.diagnosis.planted import Planted, assert_told, wrong

WORDS = """\
import numpy as np
rng = np.random.default_rng(0)
E, U, rate = rng.normal(size=(9, 3)), rng.normal(size=(3, 9)), 0.1
for words, target in [([0, 1, 3, 4], 2), ([1, 2, 4, 5], 3), ([2, 3, 5, 6], 4)]:
    h = E[words].mean(axis=0)
    p = np.exp(h @ U)
    p /= p.sum()
    loss = -np.log(p[target])
    e = p.copy()
    e[target] -= 1
    dU = np.outer(h, e)
    dh = U @ e
    U -= rate * dU
    for w in words:
        E[w] -= rate * dh / len(words)
"""
FAULTS = {
    "weights that were updated before": Planted(
        WORDS,
        "    dh = U @ e\n    U -= rate * dU\n",
        "    U -= rate * dU\n    dh = U @ e\n",
        "stale operand",
        "    dh = U @ e\n    for w in words:\n        E[w] -= rate * dh / len(words)\n    U -= rate * dU",
    ),
    "the share of each word": Planted(
        WORDS, "rate * dh / len(words)", "rate * dh", "factor", "E[w] -= rate * dh / len(words)"
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_and_mended(name: str) -> None:
    assert_told(FAULTS[name], at_its_line=name.startswith("the share"))


def test_the_right_program_is_proved() -> None:
    found = judged_source(WORDS)
    assert not wrong(WORDS)
    assert {p.verdict for line in found.lines for p in line.parts if p.role == "gradient"} == {"proved"}


def test_a_row_that_is_read_twice_is_not_judged() -> None:
    assert not wrong(WORDS.replace("[0, 1, 3, 4]", "[0, 1, 1, 4]").replace("[1, 2, 4, 5]", "[1, 2, 2, 5]").replace("[2, 3, 5, 6]", "[2, 3, 3, 6]"))
