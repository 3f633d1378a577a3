"""Parameters that start as whole numbers: the iterations are explained in which they are real."""

from __future__ import annotations

import pytest

from tests.building.explained import explained_source, parts
from tests.recording.test_windows import iterations, record

LINE = """\
xs, ys = [1.0, 2.0, 3.5, 4.25], [2.1, 3.9, 7.2, 8.3]
m = b = START
for k in range(COUNT):
    loss = dm = db = 0
    for x, y in zip(xs, ys):
        miss = m * x + b - y
        loss += miss ** 2 / 4
        dm += 2 / 4 * x * miss
        db += 2 / 4 * miss
    m, b = m - 0.02 * dm, b - 0.02 * db
"""
VECTOR = """\
import numpy as np
rng = np.random.default_rng(0)
X, y, w = rng.normal(size=(6, 2)), rng.normal(size=6), np.array([0, 0])
for k in range(4):
    miss = X @ w - y
    loss = np.mean(miss ** 2)
    w = w - 0.1 * 2 * X.T @ miss / 6
"""
LIST = """\
rows, theta = [([1.0, 2.0], 3.0), ([0.5, 1.0], 1.0)], [0, 0]
for k in range(4):
    loss, grad = 0.0, [0.0, 0.0]
    for row, t in rows:
        miss = sum(p * x for p, x in zip(theta, row)) - t
        loss += miss ** 2
        for j in range(2):
            grad[j] += 2 * miss * row[j]
    theta = [p - 0.1 * g for p, g in zip(theta, grad)]
"""


def line(start: str = "0", count: int = 9) -> str:
    return LINE.replace("START", start).replace("COUNT", str(count))


@pytest.mark.parametrize("source", [line(), VECTOR, LIST], ids=["numbers", "an array", "a list"])
def test_the_first_iteration_that_starts_from_real_numbers_is_explained(source: str) -> None:
    recording = record(source)
    assert iterations(recording) == [1, 2]
    assert any("starts from whole numbers" in n.what for n in recording.notices)


@pytest.mark.parametrize(
    "source",
    [line("0.0"), VECTOR.replace("[0, 0]", "[0.0, 0]"), LIST.replace("[0, 0]", "[0.5, 0.0]")],
)
def test_otherwise_the_iterations_are_as_ever(source: str) -> None:
    recording = record(source)
    assert iterations(recording) == [0, 1]
    assert not [n for n in recording.notices if "whole numbers" in n.what]


def test_the_iteration_that_is_asked_for_rules_and_a_short_loop_is_explained_as_it_is() -> None:
    assert iterations(record(line(), iteration=1)) == [0, 1]
    assert iterations(record(line(count=2))) == [0, 1]


def test_whole_numbers_that_stay_are_no_parameters() -> None:
    assert not record(line().replace("m, b =", "u, v =")).notices


def test_a_running_total_is_no_parameter() -> None:
    total = line("0.0").replace("m = b", "total = 0\nm = b").replace("    m, b", "    total += loss\n    m, b")
    assert not record(total).notices
    assert iterations(record(total)) == [0, 1]


def test_where_a_later_iteration_is_explained_for_another_reason_that_one_is_said() -> None:
    seldom = line().replace("    m, b", "    if k % 4 == 3:\n        cost = loss * 2\n    m, b").replace("loss", "sum_of_all")
    said = [n.what[:32] for n in record(seldom).notices]
    assert said == ["Iteration 3 is explained, the fi"]


def test_the_gradients_of_such_parameters_are_explained() -> None:
    told = {
        p.target: p.verdict for _, p in parts(explained_source(line())) if p.role == "gradient" and p.whole
    }
    assert {told["dm"], told["db"]} <= {"checked", "proved"}
    wrong = explained_source(line().replace("x * miss", "x * x * miss"))
    assert "dm" in {p.target for _, p in parts(wrong) if p.verdict == "wrong"}
