"""Backpropagation through time that is cut after some steps on purpose: no gradient of the loss, and no fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.building.explained import judged_source, parts
from tracer.api import Explanation

FOLDER = Path(__file__).parents[1] / "programs" / "truncated"
PLAIN = (FOLDER / "outputs_reach_back_a_few_steps.py").read_text(encoding="utf-8")
SENTENCES = (FOLDER / "sentence_model_with_a_limit.py").read_text(encoding="utf-8")


def told(found: Explanation, target: str) -> set[tuple[str | None, str | None]]:
    return {(p.verdict, p.contribution) for _, p in parts(found) if p.target == target and p.wrt == target[1:]}


def wrong(found: Explanation) -> list[int]:
    return [n for n, p in parts(found) if p.verdict == "wrong"]


def test_the_number_of_steps_is_said() -> None:
    found = judged_source(PLAIN)
    assert told(found, "dWh") == {("checked", "over at most 2 steps back in time")}
    assert told(found, "dWx") == {("checked", "over at most 2 steps back in time")}
    assert any("truncated gradient" in (p.remark or "") for _, p in parts(found))
    assert {p.optimiser for _, p in parts(found) if p.role == "update"} == {"gradient descent"}
    assert not wrong(found)


def test_a_limit_that_is_longer_than_the_sequence_cuts_nothing() -> None:
    found = judged_source(PLAIN.replace("trunc = 3", "trunc = 9"))
    assert not any("truncated" in (p.remark or "") for _, p in parts(found))
    assert {p.optimiser for _, p in parts(found) if p.role == "update"} == {"gradient descent"}


def test_a_model_of_sentences_with_an_inferred_loss_is_recognised() -> None:
    found = judged_source(SENTENCES)
    assert not wrong(found)
    assert {p.wrt for _, p in parts(found) if "truncated" in (p.remark or "")} >= {"self.U", "self.W"}


@pytest.mark.parametrize(
    "fault",
    [
        ("(1 - h[k - 1] ** 2)", "(1 - h[k - 1])"),
        ("delta = Wh.T @ delta", "delta = Wh @ delta"),
        ("np.outer(delta, xs[k])", "np.outer(delta, xs[t])"),
    ],
    ids=["slope", "transpose", "operand"],
)
def test_a_fault_within_the_limit_is_not_taken_for_a_cut(fault: tuple[str, str]) -> None:
    assert fault[0] in PLAIN
    found = judged_source(PLAIN.replace(*fault))
    both = told(found, "dWh") | told(found, "dWx")
    assert both != {("checked", "over at most 2 steps back in time")}


def test_a_recurrent_path_that_was_forgotten_is_no_cut() -> None:
    found = judged_source(PLAIN.replace("trunc = 3", "trunc = 1"))
    assert not any("truncated" in (p.remark or "") for _, p in parts(found))
