"""A library calls the functions for the loss and its gradient with copies of its parameters: these are one array."""

from __future__ import annotations

import pytest

from tests.building.explained import explained_source, parts
from tests.recording.test_windows import record
from tracer.tape import Kind

PROGRAM = """\
import numpy as np
from scipy.optimize import minimize
rng = np.random.default_rng(0)
X = rng.normal(size=(9, 2))
y = (X @ np.array([1.0, -2.0]) > 0) * 1.0
def cost(theta):
    h = 1 / (1 + np.exp(-X @ theta))
    return -np.mean(y * np.log(h) + (1 - y) * np.log(1 - h))
def slope(theta):
    h = 1 / (1 + np.exp(-X @ theta))
    return X.T @ (h - y) / len(y)
minimize(cost, np.array([0.1, 0.2]), jac=slope, method="BFGS", options={"maxiter": 1})
"""


@pytest.fixture(autouse=True)
def scipy() -> None:
    pytest.importorskip("scipy.optimize")


def test_what_comes_again_with_the_same_entries_is_a_copy_of_what_came_before() -> None:
    tape = record(PROGRAM).tape
    read = [n for n in tape.window_nodes() if "theta" in n.names and n.shape == (2,)]
    assert {n.op for n in read} == {"untracked", "copy"}
    for node in read:
        if node.op == "copy":
            [before] = [tape.nodes[k] for k in tape.operands(node.id)]
            assert before.kind is Kind.LEAF
            assert (before.value == node.value).all()


def test_other_entries_and_arrays_of_zeros_are_leaves_of_their_own() -> None:
    zeros = PROGRAM.replace("np.array([0.1, 0.2])", "np.zeros(2)")
    tape = record(zeros).tape
    read = [n for n in tape.window_nodes() if "theta" in n.names and n.shape == (2,)]
    assert [n.op for n in read if not n.value.any()] == ["untracked"] * sum(not n.value.any() for n in read)
    assert any(n.op == "untracked" and n.value.any() for n in read)


def test_the_gradient_that_the_library_asks_for_is_that_of_the_loss() -> None:
    told = [p for _, p in parts(explained_source(PROGRAM)) if p.source == "X.T @ (h - y) / len(y)"]
    assert [p.verdict for p in told if p.role == "gradient"] == ["proved"]
    wrong = explained_source(PROGRAM.replace("(h - y) / len(y)", "(h - 2 * y) / len(y)"))
    assert not [
        p
        for _, p in parts(wrong)
        if p.source == "X.T @ (h - 2 * y) / len(y)" and p.verdict in ("proved", "checked")
    ]
