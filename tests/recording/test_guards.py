"""``if …: continue`` before all updates: the iteration is explained that comes past it."""

from __future__ import annotations

import pytest

from tests.program.test_loops import lines_of_seldom_updates
from tests.recording.following import TAIL, differences, natively, recorded
from tests.recording.test_windows import iterations, record
from tracer.tape.node import Kind

REPLAYED = """\
import numpy as np
rng = np.random.default_rng(0)
w, memory = np.zeros(3), []
for k in range(30):
    memory.append((rng.normal(size=3), 1.0))
    if GUARD:
        ACTION
    x = np.array([m[0] for m in memory[-4:]])
    d = x @ w - 1.0
    loss = np.mean(d * d)
    w = w - 0.1 * 2 * x.T @ d / len(x)
"""
GUARDED = REPLAYED.replace("GUARD", "len(memory) < 9").replace("ACTION", "continue")


@pytest.mark.parametrize(
    ("source", "explained"),
    [
        (GUARDED, [7, 8]),
        (GUARDED.replace("continue", "print(k)\n        continue"), [7, 8]),
        (GUARDED.replace("continue", "pass"), [0, 1]),
        (GUARDED.replace("    if len", "    w = w - 0.001 * w\n    if len"), [0, 1]),
    ],
    ids=["a full memory", "with something done", "nothing left out", "an update before"],
)
def test_the_first_iteration_that_makes_the_updates_is_explained(source: str, explained: list[int]) -> None:
    assert iterations(record(source)) == explained
    moved = [n.what[-30:] for n in record(source).notices]
    assert moved == ["on that updates the parameters."[-30:]] * (explained != [0, 1])


def test_iterations_of_which_only_the_last_makes_the_updates_are_explained_together() -> None:
    found = record(GUARDED.replace("len(memory) < 9", "k % 3 != 1"))
    assert iterations(found) == [1, 4]
    assert any("Iterations 2 to 4 are explained as one step" in n.what for n in found.notices)
    drawn = [n for n in found.tape.nodes if n.kind is Kind.RANDOM]
    assert [n.window for n in drawn] == [0, 0, 1, 1, 1]


def test_the_guard_is_the_statement_below_which_updates_are_seldom() -> None:
    assert lines_of_seldom_updates(GUARDED) == [6]
    assert (
        lines_of_seldom_updates(
            GUARDED.replace("        continue\n", "        continue\n    else:\n        k = k + 0\n")
        )
        == []
    )


def test_the_program_does_what_it_does_natively() -> None:
    source = GUARDED + TAIL
    assert differences(natively(source, {}), recorded(source, {}, None)) == []
