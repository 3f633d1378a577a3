"""Contrastive divergence: the steps of a restricted Boltzmann machine go down a difference of free energies."""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source, parts

MACHINE = """\
import numpy as np
rng = np.random.default_rng(0)
def logistic(z):
    return 1 / (1 + np.exp(-z))
V = (rng.uniform(size=(20, 6)) < 0.4).astype(int)
W, a, b = 0.1 * rng.normal(size=(6, 4)), np.zeros(6), np.zeros((1, 4))
for epoch in range(20):
    h = logistic(np.dot(V, W) + b)
    states = np.zeros(h.shape)
    states[h > rng.uniform(size=h.shape)] = 1
    seen = logistic(np.dot(states, W.T) + a)
    sample = {sample}
    k = logistic(np.dot(sample, W) + b)
    W += 0.1 * ((np.dot(V.T, h) - np.dot({of}.T, k)) / len(V){decay})
    a += 0.1 * np.mean(V - sample, axis=0)
    b += 0.1 * np.mean(h - k, axis=0)
    {told}
"""
PLAIN = {"sample": "seen", "of": "sample", "decay": "", "told": "pass"}
SAYS = "a difference of free energies, -log(1 + exp(z)), of data and of a sample that is held constant"
DRAWN = "(rng.uniform(size=seen.shape) < seen).astype(float)"


@pytest.mark.parametrize("sample", ["seen", DRAWN])
@pytest.mark.parametrize("told", ["pass", "error = np.sum((V - seen) ** 2)"])
@pytest.mark.parametrize("decay", ["", " - 0.001 * W"])
def test_the_steps_go_down_it_whatever_is_told_of_the_sample(sample: str, told: str, decay: str) -> None:
    found = judged_source(MACHINE.format(**PLAIN | {"sample": sample, "told": told, "decay": decay}))
    assert not {p.verdict for _, p in parts(found)} & {"wrong", "unexplained"}
    said = [n.what for n in found.notices]
    assert any(SAYS in what for what in said)
    assert any(what.startswith("error tells how far what is drawn is from the data") for what in said) is (told != "pass")


@pytest.mark.parametrize("change", [{"of": "seen", "sample": DRAWN}, {"of": "-sample"}, {"of": "np.ones_like(sample)"}])
@pytest.mark.parametrize("told", ["pass", "error = np.sum((V - seen) ** 2)"])
def test_steps_of_which_one_does_not_are_no_contrastive_divergence_and_not_wrong(change: dict[str, str], told: str) -> None:
    found = judged_source(MACHINE.format(**PLAIN | change | {"told": told}))
    assert not any(SAYS in n.what for n in found.notices)
    assert not [p for _, p in parts(found) if p.verdict == "wrong"]


COLUMNS = """\
import numpy as np
rng = np.random.default_rng(1)
logistic = lambda z: 1 / (1 + np.exp(-z))
W, a, b = 0.1 * rng.normal(size=(4, 6)), np.zeros((6, 1)), np.zeros((4, 1))
for step in range(20):
    v = (rng.uniform(size=(6, 1)) < 0.4).astype(float)
    h = logistic(W @ v + b)
    u = logistic(W.T @ (rng.uniform(size=h.shape) < h) + a)
    k = logistic(W @ u + b)
    W += 0.1 * (h @ v.T - k @ u.T)
    a += 0.1 * (v - u)
    b += 0.1 * (h - k)
"""


def test_one_sample_may_be_a_column() -> None:
    found = judged_source(COLUMNS)
    assert any(SAYS in n.what for n in found.notices)
    assert not {p.verdict for _, p in parts(found)} & {"wrong", "unexplained"}
