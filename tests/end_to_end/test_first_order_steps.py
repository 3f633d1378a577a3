"""Steps along the gradient by what a parameter was moved to: an approximation that is said to be one, and no fault."""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source, parts
from tracer.api import Explanation

ONE_TASK = """\
import numpy as np
rng = np.random.default_rng(0)
D, n, alpha, beta = 3, 8, 0.05, 0.1
w = rng.normal(size=D)
for it in range(4):
    true = rng.normal(size=D)
    Xs, Xq = rng.normal(size=(n, D)), rng.normal(size=(n, D))
    ys, yq = Xs @ true, Xq @ true
    inner = 2 * Xs.T @ (Xs @ w - ys) / n
    fast = w - alpha * inner
    err = Xq @ fast - yq
    loss = np.mean(err ** 2)
    grad = 2 * Xq.T @ err / n
    w -= beta * grad
"""
SEVERAL_TASKS = """\
import numpy as np
rng = np.random.default_rng(0)
D, n, alpha, beta = 3, 8, 0.05, 0.1
w = rng.normal(size=D)
for it in range(4):
    meta = np.zeros(D)
    for task in range(2):
        true = rng.normal(size=D)
        Xs, Xq = rng.normal(size=(n, D)), rng.normal(size=(n, D))
        fast = w.copy()
        for k in range(2):
            fast = fast - alpha * 2 * Xs.T @ (Xs @ fast - Xs @ true) / n
        err = Xq @ fast - Xq @ true
        loss = np.mean(err ** 2)
        meta += 2 * Xq.T @ err / n
    w -= beta * meta / 2
"""
SECOND_ORDER = ONE_TASK.replace("    w -= ", "    grad -= alpha * 2 * Xs.T @ (Xs @ grad) / n\n    w -= ")


def said(found: Explanation) -> list[int]:
    return [note.line for note in found.notices if "first-order approximation" in note.what]


@pytest.mark.parametrize("source", [ONE_TASK, SEVERAL_TASKS], ids=["one task", "several tasks"])
def test_a_step_along_the_gradient_by_the_moved_parameter_is_said_to_be_first_order(source: str) -> None:
    found = judged_source(source)
    assert said(found) == [source[: source.index("w -= beta")].count("\n") + 1]
    assert not [p for _, p in parts(found) if p.verdict in ("wrong", "unexplained")]
    right = {p.wrt for _, p in parts(found) if p.verdict in ("proved", "checked") and p.role == "gradient"}
    assert "fast" in right
    assert "w" not in right


def test_a_step_along_the_whole_gradient_is_no_approximation() -> None:
    found = judged_source(SECOND_ORDER)
    assert said(found) == []
    assert "w" in {p.wrt for _, p in parts(found) if p.verdict in ("proved", "checked") and p.role == "gradient"}


@pytest.mark.parametrize("planted", ["2 * Xs.T @ err / n", "2 * Xq.T @ (err * err) / n"])
def test_another_value_is_not_excused_as_one(planted: str) -> None:
    found = judged_source(ONE_TASK.replace("2 * Xq.T @ err / n", planted))
    assert said(found) == []
    assert "w" not in {p.wrt for _, p in parts(found) if p.verdict in ("proved", "checked") and p.role == "gradient"}
