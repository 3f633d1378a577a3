"""Functions that numba would compile run as plain Python, and are recorded."""

from __future__ import annotations

import sys
import types

import pytest

from tests.building.explained import explained_source, parts
from tests.recording.test_windows import record

PROGRAM = """\
import numpy as np
from numba import njit, prange, float64
from numba.typed import List
DECORATED
def forward(X, w):
    out = np.zeros(len(X))
    for i in prange(len(X)):
        for j in range(len(w)):
            out[i] += X[i, j] * w[j]
    return out
rng = np.random.default_rng(0)
X, y, w = rng.normal(size=(4, 2)), rng.normal(size=4), np.zeros(2)
losses = List()
for k in range(5):
    d = forward(X, w) - y
    loss = np.mean(d * d)
    losses.append(loss)
    w = w - 0.1 * 2 * X.T @ d / 4
print(len(losses))
"""


@pytest.mark.parametrize(
    "decorated",
    [
        "@njit",
        "@njit()",
        "@njit(parallel=True, fastmath=True)",
        "@njit(float64[:](float64[:, :], float64[:]), cache=True)",
    ],
)
def test_a_compiled_function_is_recorded_as_it_is_written(decorated: str) -> None:
    recording = record(PROGRAM.replace("DECORATED", decorated), run_on=True)
    assert recording.stdout == "5\n"
    assert sum(n.op == "multiply" and n.scope == "forward" for n in recording.tape.window_nodes()) == 2 * 8
    assert [(n.line, n.what[:31]) for n in recording.notices] == [(2, "The functions that numba would ")]


def test_the_gradient_through_it_is_explained() -> None:
    found = explained_source(PROGRAM.replace("DECORATED", "@njit"))
    assert {p.verdict for _, p in parts(found) if p.role == "gradient"} <= {"checked", "proved"}
    assert any(p.role == "update" and p.of == "loss" for _, p in parts(found))


def test_functions_of_each_entry_are_called_for_each() -> None:
    source = "import numpy as np, numba\n@numba.vectorize(['float64(float64)'])\ndef f(v):\n    return v * 2 if v > 1 else v\nprint(f(np.array([0.5, 3.0])))\n"
    assert record(source).stdout == "[0.5 6. ]\n"


def test_a_numba_that_is_there_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    there = types.ModuleType("numba")
    monkeypatch.setitem(sys.modules, "numba", there)
    record("from numba import jit\n@jit\ndef f(v):\n    return v\nprint(f(2.0))\n")
    assert sys.modules["numba"] is there
