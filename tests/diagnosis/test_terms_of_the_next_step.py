"""In a loop over time the last term of a gradient is added where the next step begins; the fault may stand before that."""

from __future__ import annotations

import pytest

from tests.diagnosis.planted import Planted, assert_told, wrong
from tracer.diagnosis import targets
from tracer.diagnosis.edits import changed_code
from tracer.diagnosis.entrances import Entrances
from tracer.diagnosis.rewrites import Operand
from tracer.diagnosis.trials import Trials
from tracer.matching.analysing import analyse
from tracer.program import parse
from tracer.recording import record_source

LEAKY = """\
import numpy as np
rng = np.random.default_rng(7)
X, Y = rng.normal(size=(3, 6, 2)), rng.normal(size=(3, 6, 1))
W, U, V, leak = rng.normal(size=(2, 3)), rng.normal(size=(3, 3)), rng.normal(size=(3, 1)), rng.uniform(size=3)
for epoch in range(3):
    h, steps, loss = np.zeros((6, 3)), [], 0.0
    for x, y in zip(X, Y):
        c = np.tanh(x @ W + h @ U)
        new = leak * h + c
        e = new @ V - y
        loss = loss + 0.5 * np.sum(e * e)
        steps.append((x, h, c, new, e))
        h = new
    dW, dU, dV = np.zeros_like(W), np.zeros_like(U), np.zeros_like(V)
    dh = np.zeros((6, 3))
    for x, h, c, new, e in reversed(steps):
        dV += new.T @ e
        dh = dh + e @ V.T
        dc = dh * (1 - c * c)
        dW += x.T @ dc
        dU += h.T @ dc
        dh = dh * leak + dc @ U.T
    W, U, V = W - 0.1 * dW, U - 0.1 * dU, V - 0.1 * dV
"""
LINE = "dh = dh * leak + dc @ U.T"
LINE_NUMBER = 1 + LEAKY[: LEAKY.index(LINE)].count("\n")


def test_the_right_program_has_no_fault() -> None:
    assert not wrong(LEAKY)


@pytest.mark.parametrize(
    ("planted", "kind"),
    [
        ("dh = dh * leak + dh @ U.T", "wrong operand"),
        ("dh = dh * leak + dc @ U", "transpose"),
    ],
)
def test_a_fault_in_what_goes_to_the_step_before_is_told_where_it_stands(planted: str, kind: str) -> None:
    assert_told(Planted(LEAKY, LINE, planted, kind, LINE))


def test_the_sum_at_the_beginning_of_the_next_step_shows_whether_an_edit_is_right() -> None:
    tape = record_source(parse(LEAKY.replace(LINE, "dh = dh * leak + dh @ U.T"), "leaky.py")).tape
    analysis = analyse(tape)
    judged = targets(analysis)
    trials = Trials(analysis, [t for t in judged if t.is_wrong], [t for t in judged if not t.is_wrong])
    entrances = Entrances(trials)
    there = [e for e in changed_code(trials) if isinstance(e.text, Operand) and e.text.span.line == LINE_NUMBER]
    instead = [e.text.new for e in there if entrances.lets_right_through(e)]
    assert 0 < len(instead) < len(there)
    assert {tuple(tape.nodes[n].names) for n in instead} == {("dc",)}
