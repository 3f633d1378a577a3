"""Programs with several training loops: each is explained, or named in a notice that says how to ask for it."""

from __future__ import annotations

import pytest

from tests.recording.test_windows import record
from tracer.program import parse, training_loops
from tracer.program.loops import untold_loops
from tracer.recording import Recording

HEAD = """\
import numpy as np
rng = np.random.RandomState(1)
X = rng.randn(20, 3); y = X @ rng.randn(3)
def by_samples(w):
    for i in range(20):
        s = X[i] @ w
        w -= 0.1 * (s - y[i]) * X[i]
    return w
def by_all(w):
    for _ in range(30):
        e = X @ w - y
        loss = e @ e / 40
        grad = X.T @ e / 20
        w -= 0.1 * grad
    return w
"""


def said(recording: Recording) -> list[tuple[int, str]]:
    return [(n.line, n.what[:45]) for n in recording.notices]


def test_both_of_two_trainings_are_recorded() -> None:
    tape = record(
        HEAD
        + "w = by_all(np.zeros(3))\nfor _ in range(9):\n    d = X @ w - y\n    cost = d @ d\n    w -= X.T @ d / 99\n"
    ).tape
    assert [(w.loop_line, w.iteration) for w in tape.windows] == [(10, 0), (10, 1), (17, 0), (17, 1)]


def test_one_that_was_not_recognised_is_named_with_the_way_to_ask_for_it() -> None:
    source = HEAD + "print(by_all(np.zeros(3)), by_samples(np.zeros(3)))\n"
    assert said(record(source)) == [(5, "This loop may train, too, but was not recogni")]
    assert "--loop 5 " in record(source).notices[0].what
    assert {w.loop_line for w in record(source, loop=5).tape.windows} == {5}
    assert said(record(source, loop=5)) == []


@pytest.mark.parametrize(
    "more",
    [
        "by_all(np.zeros(3))",  # nobody calls the other one
        "total = 0.0\nfor k in range(9):\n    total -= X[k] @ y[:3]\nby_all(np.zeros(3))",  # nothing reads what it adds up
        "r = y - X @ np.ones(3)\nwhile np.abs(r).max() > 1:\n    r = r * 0.5\nby_all(np.zeros(3))",
    ],
)
def test_loops_that_cannot_train_are_not_named(more: str) -> None:
    program = parse(HEAD + more + "\n")
    assert untold_loops(program, training_loops(program)) == []


def test_where_the_time_is_up_before_the_second_loop_that_is_said() -> None:
    seen: list[Recording] = []
    source = (
        HEAD
        + "by_all(np.zeros(3))\nw = np.ones(3)\nfor _ in range(9):\n    d = X @ w - y\n    cost = d @ d\n    w -= X.T @ d / 99\n"
    )
    whole = record(source, when_complete=seen.append)
    assert said(seen[0]) == [(18, "The program did not come to this loop in the ")]
    assert said(whole) == []
