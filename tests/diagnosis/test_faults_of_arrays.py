"""Faults in what a statement does to an array: another one is changed, or only a part of it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.diagnosis.planted import Planted, assert_told, wrong

CLASSIFIER = """\
import numpy as np
rng = np.random.default_rng(0)
N, D, H, C = 12, 3, 5, 4
X, y = rng.normal(size=(N, D)), rng.integers(0, C, 12)
W1, W2 = rng.normal(size=(D, H)), rng.normal(size=(H, C))
for step in range(4):
    h = np.maximum(0, X @ W1)
    scores = h @ W2
    probs = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    loss = -np.log(probs[range(N), y]).mean()
    dscores = probs.copy()
    dscores[range(N), y] -= 1
    dscores /= N
    dW2 = h.T @ dscores
    dh = dscores @ W2.T
    dh[h <= 0] = 0
    dW1 = X.T @ dh
    W1 -= 0.5 * dW1
    W2 -= 0.5 * dW2
"""

FAULTS = {
    "a value that nothing reads is changed": Planted(
        CLASSIFIER,
        "    dscores[range(N), y] -= 1",
        "    scores[range(N), y] -= 1",
        "wrong operand",
        "dscores[range(N), y] -= 1",
    ),
    "a value that the backward pass still needs is changed": Planted(
        CLASSIFIER, "    dscores[range(N), y] -= 1", "    h[range(N), y] -= 1", "wrong operand", "dscores[range(N), y] -= 1"
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_told_by_its_kind_and_mended(name: str, tmp_path: Path) -> None:
    assert_told(FAULTS[name], tmp_path)


@pytest.mark.parametrize("program", [CLASSIFIER])
def test_the_same_programs_without_the_fault_are_right(program: str, tmp_path: Path) -> None:
    assert not wrong(program, tmp_path)
