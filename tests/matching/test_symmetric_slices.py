"""Differences between all pairs, one matrix for each feature: they stay symmetric in replays."""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source, parts

EVIDENCE = """\
import numpy as np
rng = np.random.default_rng(2)
X, y = rng.normal(size=(9, 2)), rng.normal(size=9)
S = (X[:, None, :] - X[None, :, :]) ** 2
theta = np.zeros(2)
for step in range(20):
    K = np.exp(-0.5 * (S * np.exp(theta)).sum(axis=2)) + 0.3 * np.eye(9)
    evidence = -0.5 * y @ np.linalg.solve(K, y) - 0.5 * np.linalg.slogdet(K)[1]
    inverse = np.linalg.inv(K)
    alpha = inverse @ y
    M = np.outer(alpha, alpha) - inverse
    g = np.zeros(2)
    for j in range(2):
        g[j] = -0.25 * np.sum(M * (K - 0.3 * np.eye(9)) * S[:, :, j]) * np.exp(theta[j])
    theta = theta + 0.01 * g
"""


def test_the_gradient_of_the_evidence_of_a_gaussian_process_is_known() -> None:
    found = judged_source(EVIDENCE)
    assert {p.verdict for _, p in parts(found) if p.target in ("M", "g") and p.verdict} == {"checked"}
    assert [loss.name for loss in found.losses] == ["evidence"]


@pytest.mark.parametrize("planted", ["np.outer(alpha, alpha) + inverse", "np.outer(alpha, y) - inverse"])
def test_another_matrix_is_not(planted: str) -> None:
    found = judged_source(EVIDENCE.replace("np.outer(alpha, alpha) - inverse", planted))
    assert not {p.verdict for _, p in parts(found) if p.target == "M"} & {"proved", "checked"}


def test_differences_that_are_not_symmetric_do_not_become_so() -> None:
    found = judged_source(EVIDENCE.replace("S = (X[:, None, :] - X[None, :, :]) ** 2", "S = rng.uniform(size=(9, 9, 2))"))
    assert not {p.verdict for _, p in parts(found) if p.target == "M"} & {"proved", "checked"}
