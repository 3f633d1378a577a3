"""Weight decay that a sum of gradients starts from, before rows are added to it in place."""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source, parts
from tests.diagnosis.planted import Planted, assert_told, wrong

ROWS = """\
import numpy as np
rng = np.random.default_rng(5)
E, u = rng.normal(size=(6, 3)), rng.normal(size=3)
words, y, decay = np.array([0, 2, 2, 5]), rng.normal(size=4), 0.05
for step in range(6):
    e = E[words] @ u - y
    loss = np.sum(e ** 2)
    dE = decay * E
    np.add.at(dE, words, 2 * np.outer(e, u))
    E -= 0.1 * dE
    u -= 0.1 * 2 * E[words].T @ e
"""
#: The same towards a likelihood: minus the gradient, rows taken off what starts from minus the decay.
UP = (
    ROWS.replace("dE = decay * E", "dE = -decay * E")
    .replace("np.add.at", "np.subtract.at")
    .replace("E -= 0.1", "E += 0.1")
    .replace("    u -= 0.1 * 2 * E[words].T @ e\n", "")
)
DOWN = ROWS.replace("    u -= 0.1 * 2 * E[words].T @ e\n", "")


@pytest.mark.parametrize("source", [DOWN, UP], ids=["down", "up"])
def test_a_sum_that_starts_from_the_decay_is_a_step_with_weight_decay(source: str) -> None:
    found = judged_source(source)
    assert not [p for _, p in parts(found) if p.verdict in ("wrong", "unexplained")]
    steps = {p.optimiser for _, p in parts(found) if p.target in ("dE", "E") and p.role == "update"}
    assert steps == {"gradient descent with weight decay"}
    assert {p.verdict for _, p in parts(found) if p.source == "2 * np.outer(e, u)"} == {"proved"}


@pytest.mark.parametrize(
    "planted",
    [
        Planted(DOWN, "dE = decay * E", "dE = -decay * E", "", None),
        Planted(DOWN, "loss = np.sum(e ** 2)", "loss = np.sum(e ** 2) + decay * np.sum(E ** 2)", "", None),
    ],
    ids=["a decay that makes weights grow", "half of a penalty that the loss has"],
)
def test_what_only_looks_like_it_is_wrong(planted: Planted) -> None:
    assert planted.program.count(planted.right) == 1
    assert wrong(planted.program.replace(planted.right, planted.wrong))


def test_what_else_is_added_is_no_decay() -> None:
    found = judged_source(DOWN.replace("np.outer(e, u)", "np.outer(e, e[:3])"))
    [summed] = [p for _, p in parts(found) if p.source.startswith("np.add.at")]
    assert (summed.verdict, summed.optimiser) == ("unexplained", None)


def test_weights_that_were_updated_are_told_beside_it() -> None:
    assert_told(
        Planted(
            ROWS,
            "    u -= 0.1 * 2 * E[words].T @ e\n",
            "    u -= 0.1 * 2 * E[words].T @ e\n",
            "stale operand",
            "    u -= 0.1 * 2 * E[words].T @ e\n    E -= 0.1 * dE",
        )
    )
