"""The time that one explanation may take, and what had to be left out when it was over.

The time is that of the processor, so that a busy machine gives the same answers.  It is spent in the order of
what a reader needs: what each line is, then proofs, then faults, then derivations.  Invariant: what
is left out is written down here, with its line, so that the report can say so.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

#: What an ordinary program of a hundred lines takes a fraction of.
_SECONDS = 9.0


class Task(StrEnum):
    """What there may be no time for."""

    LOSS = "loss"
    PROOF = "proof"
    FAULT = "fault"
    CORRECTION = "correction"
    DERIVATION = "derivation"


#: How much of the time each task may take at most, and what it always has, however long the others took.
_MOST = {Task.LOSS: 20.0, Task.PROOF: 5.0, Task.FAULT: 6.0, Task.CORRECTION: 10.0, Task.DERIVATION: 5.0}
_LEAST = {Task.LOSS: 20.0, Task.PROOF: 2.0, Task.FAULT: 4.0, Task.CORRECTION: 10.0, Task.DERIVATION: 2.0}


@dataclass
class Clock:
    """Runs from the moment it is made."""

    seconds: float = _SECONDS
    left_out: dict[Task, dict[int, None]] = field(default_factory=dict)
    _spent: dict[Task, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._end = time.thread_time() + self.seconds

    def left(self, task: Task) -> float:
        """How many seconds a task still has."""
        spent = self._spent.get(task, 0.0)
        whole = min(_MOST[task] - spent, self._end - time.thread_time())
        return max(whole, _LEAST[task] - spent, 0.0)

    def spend(self, task: Task, since: float) -> float:
        """Count the time since ``since``, a value of `time.thread_time`; gives it back."""
        took = time.thread_time() - since
        self.add(task, took)
        return took

    def add(self, task: Task, seconds: float) -> None:
        """Count time that passed elsewhere, such as in a process that runs a corrected program."""
        self._spent[task] = self._spent.get(task, 0.0) + seconds

    def leave_out(self, task: Task, lines: Iterable[int]) -> None:
        """Write down that there was no time for a task, and the lines that wanted it."""
        self.left_out.setdefault(task, {}).update(dict.fromkeys(lines))
