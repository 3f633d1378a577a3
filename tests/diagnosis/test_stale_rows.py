"""Rows that are read again after they were updated; and errors by which features are multiplied, which are no rates."""

from __future__ import annotations

from tests.diagnosis.planted import wrong

ROWS = """\
import numpy as np
rng = np.random.RandomState(3)
words, targets = rng.uniform(-0.5, 0.5, size=(9, 4)), rng.uniform(-0.5, 0.5, size=(9, 4))
done, total = 0, 60
for step in range(total):
    w, rows = rng.randint(9), rng.choice(9, 3, replace=False)
    rate = max(0.001, 0.05 * (1 - done / total))
    h = words[w]
    g = 1 / (1 + np.exp(-(targets[rows] @ h))) - np.array([1.0, 0.0, 0.0])
    back = g @ targets[rows]
    targets[rows] -= rate * np.outer(g, h)
    words[w] -= rate * back
    done += 1
"""

VALUES = """\
import numpy as np
rng = np.random.RandomState(0)
theta = np.zeros(4)

def features(state, action):
    found = np.zeros(4)
    found[state % 2], found[2 + action] = 0.5 + state, 1.0
    return found

for episode in range(5):
    state = 0
    while state < 3:
        action = rng.randint(2)
        there, reward = state + 1, float(action)
        best = max(np.dot(theta, features(there, a)) for a in (0, 1))
        td_error = reward + 0.9 * best - np.dot(theta, features(state, action))
        theta += 0.1 * td_error * features(state, action)
        state = there
"""


def test_rows_that_are_read_after_their_update_are_stale_though_the_rate_is_computed_anew() -> None:
    early, late = "    back = g @ targets[rows]\n", "    targets[rows] -= rate * np.outer(g, h)\n"
    assert early + late in ROWS
    found = wrong(ROWS.replace(early + late, late + early))
    assert min(line for line, _ in found) == 11
    told = [p.diagnosis for _, p in found if p.diagnosis is not None]
    assert {d.kind for d in told} == {"stale operand"}
    assert len({d.fix for d in told}) == 1
    assert "targets[rows].copy()" in (told[0].fix or "")
    assert not wrong(ROWS)


def test_a_step_along_features_by_an_error_reads_nothing_stale() -> None:
    assert not wrong(VALUES)
