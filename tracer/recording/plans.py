"""Which iterations of the loops are recorded, and how far the program has come in each.

In: the recorder counts.  Out: plain data: the plan of a training loop, each entry of a loop, and the end of it all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tracer.recording.state import Mode
from tracer.tape.node import Call, Site


class Stop(BaseException):
    """All windows are recorded: the program need not go on."""


@dataclass
class LoopPlan:
    """Which iterations of one training loop are windows.

    Attributes:
        line: the loop's line.
        first, last: the iterations to record, counted from 0 over all entries of the loop.
        ends: the iterations that a window ends with, where several make one: those since the last update.
        seeks_cost: whether to count on natively until the cost is computed, if it was not in ``last``.
        seeks_end: whether to count on natively until the loop ends for the first time: the cost comes after it.
        is_update: whether what is sought is not the cost, but an update that is made only every so often.
        to_end: whether it comes after the program's last iteration: then the loops around this one end, too.
        with_rest: whether the last window goes on to the end of what a loop around this one does.
        first_entry: how many iterations there were when it ended for the first time.
        step, rest: how many operations the last window has before and after the end of its iteration.
        depth: how many calls of a function are under way of which each is an iteration.
    """

    line: int
    first: int
    last: int
    seeks_cost: bool = False
    seeks_end: bool = False
    to_end: bool = False
    with_rest: bool = False
    is_update: bool = False
    ends: frozenset[int] | None = None
    first_entry: int | None = None
    step: int = 0
    rest: int = 0
    depth: int = 0
    count: int = 0
    recorded: int = 0
    cost_seen: list[int] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return self.count > self.last

    @property
    def goes_on(self) -> bool:
        """Whether the window that the last iteration belongs to has another one."""
        return self.ends is not None and not self.complete and self.count - 1 not in self.ends

    @property
    def settled(self) -> bool:
        """Whether nothing more is to be learnt from this loop."""
        seen = [k for k in self.cost_seen if k >= self.last]
        cost = not self.seeks_cost or bool(seen) and (not self.is_update or len(self.cost_seen) > 1)
        return self.complete and cost and not (self.seeks_end and (self.to_end or self.first_entry is None))


@dataclass
class Token:
    """One entry of a loop: iterations so far, the mode that it was entered in, and how many entries there were before."""

    mode: Mode
    before: int
    count: int = 0
    plan: LoopPlan | None = None
    entry: LoopEntry | None = None
    recorded: bool = False
    calls: tuple[Call, ...] = ()


@dataclass
class LoopEntry:
    """One entry of a loop of a program that is recorded whole: its header, and the nodes that stood on the tape by then."""

    header: Site
    start: int
    stop: int | None = None

    def holds(self, node: int) -> bool:
        return self.start <= node and (self.stop is None or node < self.stop)
