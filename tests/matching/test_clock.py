"""What there is no time for is left out, and said."""

from __future__ import annotations

import time

import pytest

from tests.building.explained import recording
from tracer.explanation.building import builder
from tracer.matching.analysing import analyse
from tracer.matching.clock import Clock, Task

NAME = "two_layer_net"


class Stopped(Clock):
    """A clock that has no time for one task."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task = task

    def left(self, task: Task) -> float:
        return 0.0 if task is self.task else super().left(task)


def test_a_task_has_its_share_though_the_others_took_all() -> None:
    clock = Clock(seconds=0.0)
    assert all(clock.left(task) > 0 for task in Task)
    clock.add(Task.PROOF, 100.0)
    assert clock.left(Task.PROOF) == 0.0
    assert clock.left(Task.DERIVATION) > 0


def test_time_is_counted_for_the_task_that_took_it() -> None:
    clock = Clock()
    before = clock.left(Task.FAULT)
    start = time.thread_time()
    while time.thread_time() - start < 0.01:
        pass
    assert clock.spend(Task.FAULT, start) >= 0.01
    assert clock.left(Task.FAULT) <= before - 0.01


def test_without_time_for_proofs_the_same_gradients_are_checked_in_numbers() -> None:
    clock = Stopped(Task.PROOF)
    found, whole = analyse(recording(NAME).tape, None, clock), analyse(recording(NAME).tape)
    assert found.matcher.matches.keys() == whole.matcher.matches.keys()
    verdicts = {v.verdict for node in found.matcher.matches if (v := found.verified(node)) is not None}
    assert verdicts == {"checked"}
    told = [whole.verified(node) for node in whole.matcher.matches]
    assert any(v is not None and v.verdict == "proved" for v in told)
    assert clock.left_out[Task.PROOF]


@pytest.mark.parametrize("task", [Task.PROOF, Task.DERIVATION])
def test_the_report_says_which_lines_were_not_looked_at_and_why(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builder, "Clock", lambda: Stopped(task))
    told = [note.what for note in builder.build_explanation(recording(NAME)).notices]
    (note,) = [what for what in told if "time for" in what]
    assert note.startswith(f"The time for {task}s was used up: lines ")
    monkeypatch.undo()
    assert not any("time for" in n.what for n in builder.build_explanation(recording(NAME)).notices)
