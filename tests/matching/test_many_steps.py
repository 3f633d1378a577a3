"""Programs of very many small steps: what a step costs does not grow with their number."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.building.explained import analysed_source
from tracer.matching.differences import FiniteDifferences
from tracer.matching.proof import Prover

SOURCE = """\
import numpy as np
rng = np.random.default_rng(0)
W, x = 0.5 * rng.normal(size=(3, 3)), rng.normal(size=({steps}, 3))
for step in range(2):
    h = [np.ones(3)]
    for t in range({steps}):
        h.append(np.tanh(W @ h[-1] + x[t]))
    loss = 0.5 * np.sum(h[-1] ** 2)
    dW, dh = np.zeros_like(W), h[-1]
    for t in reversed(range({steps})):
        dz = dh * (1 - h[t + 1] ** 2)
        dW += np.outer(dz, h[t])
        dh = W.T @ dz
    W -= 0.1 * dW
"""


def attempts(steps: int, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many proofs of unnamed parts, and finite differences, an analysis asks for."""
    asked: Counter[str] = Counter()
    prove, compare = Prover.prove, FiniteDifferences.compare

    def proving(self, match):  # type: ignore[no-untyped-def]
        asked["unnamed" if not self.graph.tape.nodes[match.node].names else "named"] += 1
        return prove(self, match)

    def comparing(self, match):  # type: ignore[no-untyped-def]
        asked["difference"] += 1
        return compare(self, match)

    with monkeypatch.context() as patch:
        patch.setattr(Prover, "prove", proving)
        patch.setattr(FiniteDifferences, "compare", comparing)
        analysed_source(SOURCE.format(steps=steps))
    return asked


def test_of_many_occurrences_only_some_are_proved_and_none_is_compared_before_it_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few, many = attempts(20, monkeypatch), attempts(40, monkeypatch)
    assert few["unnamed"] == many["unnamed"] > 0
    assert many["named"] >= few["named"] + 20  # what later steps rest on is proved at each step
    assert few["difference"] == many["difference"] == 0


def test_the_step_that_is_shown_is_proved_and_compared() -> None:
    found = analysed_source(SOURCE.format(steps=20))
    shown = [n for n in found.tape.find("dz") if n.window in found.tape.last_windows()]
    verified = found.verified(shown[-1].id)
    assert verified is not None
    assert verified.verdict == "proved"
    assert verified.difference is not None
    assert verified.difference.agrees
