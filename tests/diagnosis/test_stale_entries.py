"""Entries that a gradient reads after their update are named stale; the program that keeps or reads them before is right."""

from __future__ import annotations

import pytest

from tests.building.explained import judged_source
from tests.matching.factorised import RIGHT, STALE, factorisation, judged
from tracer.api import Explanation
from tracer.explanation.model import Diagnosis

NET = """\
import numpy as np
rng = np.random.default_rng(0)
X, T = rng.normal(size=(8, 3)), rng.uniform(size=(8, 2))
W1, W2 = rng.normal(size=(4, 3)), rng.normal(size=(2, 4))
rate = 0.1
for x, t in zip(X, T):
    h = np.tanh(np.dot(W1, x))
    y = np.dot(W2, h)
    loss = 0.5 * np.sum((y - t) ** 2)
    d2 = y - t
{backward}
    for i in range(4):
        for j in range(3):
            W1[i][j] -= rate * d1[i] * x[j]
"""
UPDATE = """\
    for i in range(2):
        for j in range(4):
            W2[i][j] -= rate * d2[i] * h[j]"""
HIDDEN = "    d1 = np.dot(W2.T, d2) * (1 - h ** 2)"


def wrong(found: Explanation) -> list[tuple[int, Diagnosis | None]]:
    return [(line, part.diagnosis) for line, part in judged(found) if part.verdict == "wrong"]


def mended(source: str, diagnosis: Diagnosis) -> str:
    (edit,) = diagnosis.edits
    lines = source.split("\n")
    lines[edit.line - 1 : edit.end_line] = edit.new.split("\n")
    return "\n".join(lines)


@pytest.mark.parametrize("style", STALE)
def test_the_second_factor_is_updated_with_the_new_first_one(style: str) -> None:
    source = factorisation(STALE[style])
    ((line, diagnosis),) = wrong(judged_source(source))
    assert source.split("\n")[line - 1].strip() == STALE[style].split("\n")[1]
    assert diagnosis is not None
    assert diagnosis.kind == "stale operand"
    place = "P[i][k]" if "P[i][k]" in source.split("\n")[line - 1] else "P[i, k]"
    assert f"old_P = {place}" in diagnosis.says
    again = judged_source(mended(source, diagnosis))
    assert {part.verdict for _, part in judged(again)} == {"proved"}


ROWS = """\
import numpy as np
rng = np.random.default_rng(0)
P, Q = rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
ratings = [(int(rng.integers(5)), int(rng.integers(4)), float(rng.integers(1, 6))) for _ in range(9)]
for u, i, r in ratings:
    e = r - P[u].dot(Q[i])
    {kept}P[u] += 0.05 * (e * Q[i] - 0.02 * P[u])
    Q[i] += 0.05 * (e * {row} - 0.02 * Q[i])
"""


def test_rows_that_decay_in_their_step_are_kept_as_copies() -> None:
    source = ROWS.format(kept="", row="P[u]")
    ((line, diagnosis),) = wrong(judged_source(source))
    assert line == source.count("\n")
    assert diagnosis is not None
    assert diagnosis.kind == "stale operand"
    assert mended(source, diagnosis) == ROWS.format(kept="old_P = P[u].copy()\n    ", row="old_P")
    assert not wrong(judged_source(mended(source, diagnosis)))


@pytest.mark.parametrize("style", RIGHT)
def test_no_alarm_where_the_old_numbers_are_read(style: str) -> None:
    found = judged_source(factorisation(RIGHT[style]))
    assert {part.verdict for _, part in judged(found)} == {"proved"}


def test_a_layer_that_was_updated_entry_by_entry_is_propagated_through_too_late() -> None:
    source = NET.format(backward=f"{UPDATE}\n{HIDDEN}")
    found = wrong(judged_source(source))
    hidden = source.split("\n").index(HIDDEN) + 1
    assert {line for line, _ in found} == {hidden, hidden + 3}
    told = [d for _, d in found if d is not None]
    assert {d.kind for d in told} == {"stale operand"}
    assert {mended(source, d) for d in told if d.edits} == {NET.format(backward=f"{HIDDEN}\n{UPDATE}")}
    assert not wrong(judged_source(NET.format(backward=f"{HIDDEN}\n{UPDATE}")))


def test_one_factor_that_goes_up_is_told_at_its_line() -> None:
    step = RIGHT["read before"].replace("Q[k][j] = qkj + alpha", "Q[k][j] = qkj - alpha")
    source = factorisation(step)
    ((line, diagnosis),) = wrong(judged_source(source))
    assert source.split("\n")[line - 1].strip() == step.split("\n")[2]
    assert diagnosis is not None
    assert diagnosis.kind == "sign"


def test_a_line_that_is_right_for_some_entries_only_is_not_said_to_be_right() -> None:
    """``W[i][j] -= d[j] * x[i]`` is the gradient where i = j, and nowhere else."""
    source = NET.format(backward=f"{HIDDEN}\n{UPDATE}").replace("size=(8, 3)", "size=(8, 4)").replace("(4, 3)", "(4, 4)")
    square = source.replace("range(3)", "range(4)")
    swapped = square.replace("d1[i] * x[j]", "d1[j] * x[i]")
    last = [p.verdict for line, p in judged(judged_source(square)) if line == square.count("\n")]
    assert "proved" in last
    told = [p.verdict for line, p in judged(judged_source(swapped)) if line == swapped.count("\n") if p.source == "rate * d1[j] * x[i]"]
    assert told
    assert set(told) <= {"wrong", "unexplained"}
