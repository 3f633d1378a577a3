"""Which loops of a program are recorded, and which iterations of them.

In: the program, and what a first run of it has shown.  Out: loops, iterations, and notices that say what was chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tracer.program.errors import ProgramError
from tracer.program.loops import Loop, all_loops, loops_at, training_loops, untold_loops
from tracer.program.program import Program
from tracer.recording.cost import is_loss_name
from tracer.recording.recorder import Recorder
from tracer.tape.node import Notice
from tracer.tape.tape import Tape

_UNTOLD = (
    "This loop may train, too, but was not recognised as one that does; it is not explained. --loop {line} explains it."
)
#: So many operations that lead to one update are recorded; one iteration, where there are more.
_LONGEST_ROUND = 6000
_TOGETHER = (
    "Iterations {first} to {last} are explained as one step: only then does this loop update the parameters. "
    "Use --iteration K for another."
)
_NOT_REACHED = (
    "The program did not come to this loop in the time it had, so it is not explained. Allow more time, --timeout SECONDS, "
    "or let the loops before it end sooner."
)


def chosen_loops(program: Program, line: int | None, own: Sequence[Program]) -> list[Loop]:
    """The loop in a line, or every training loop, also those of the program's ``own`` modules.

    Raises:
        ProgramError: there is no loop in that line.
    """
    if line is None:
        return list(training_loops(program, own))
    found = loops_at(program, line)
    if not found:
        lines = ", ".join(str(loop.line) for loop in all_loops(program)) or "none"
        raise ProgramError(
            f"There is no loop in line {line}.",
            program.path,
            line,
            0,
            program.source_line(line),
            f"Its loops are in lines: {lines}.",
        )
    return found[:1]


@dataclass(frozen=True)
class Round:
    """The iterations from one update of the parameters to the next, and those before them: two windows, or one.

    Attributes:
        since: the first iteration of all.
        ends: the last ones of both.
    """

    since: int
    ends: frozenset[int]

    @property
    def first(self) -> int:
        """The first iteration of those that lead to the last of the updates."""
        return min(self.ends) + 1 if len(self.ends) > 1 else self.since


def rounds(recorder: Recorder, iterations: list[int]) -> list[Round | None]:
    """Which iterations make one step together, where the parameters are updated only every so often.

    Arguments:
        iterations: those that update them.
    """
    found = []
    for plan, last in zip(recorder.plans, iterations, strict=True):
        updates = [-1, *plan.cost_seen]
        at = updates.index(last) if plan.is_update and last in updates else 0
        if at == 1 and last + 1 in updates:
            at = 0  # only the first update is waited for, until there are data enough
        before = [updates[k] + 1 for k in (at - 2, at - 1) if k >= 0]
        room = [k for k in before if plan.step * (last - k + 1) <= _LONGEST_ROUND]
        ends = frozenset(k - 1 for k in room[1:]) | {last}
        found.append(Round(room[0], ends) if at and room and room[-1] < last else None)
    return found


def better_iterations(
    recorder: Recorder, tape: Tape, chosen: list[int], ended: bool, asked: int | None
) -> list[int]:
    """The iterations to record instead, from what this run has shown; ``ended``: it came to the program's end.

    Arguments:
        asked: the iteration that the user wants.
        tape: what was recorded; the recorder may have let go of it.
    """
    better = []
    for plan, iteration in zip(recorder.plans, chosen, strict=True):
        later = [k for k in plan.cost_seen if k >= iteration]
        if plan.is_update and asked is None and len(plan.cost_seen) > 1 and plan.cost_seen[1] > plan.cost_seen[0] + 1:
            better.append(plan.cost_seen[1])  # the second of two steps that several iterations make together
        elif 0 < plan.count <= plan.first:
            better.append(max(plan.count - 1, 0))
        elif plan.seeks_cost and later and later[0] != iteration:
            better.append(later[0])
        elif plan.to_end and plan.seeks_end and not _has_loss(tape):
            better.append(plan.count - 1 if ended and plan.count else iteration)
        elif plan.seeks_end and plan.first_entry and not _has_loss(tape):
            better.append(plan.first_entry - 1)
        else:
            better.append(iteration)
    return better


def _has_loss(tape: Tape) -> bool:
    """Whether the recorded iterations compute something that is called a loss, or computed by a function so called."""
    bound = ((b.name, tape.nodes[b.node]) for b in tape.bindings)
    named = any(is_loss_name(name) and n.window >= 0 and np.prod(n.shape or ()) == 1 for name, n in bound)
    return named or any(is_loss_name(call.function) for n in tape.window_nodes() for call in n.calls)


def untold(program: Program, explained: Sequence[Loop], own: Sequence[Program]) -> list[Notice]:
    """The loops that may train too, where others are explained."""
    return [Notice(loop.line, 0, _UNTOLD.format(line=loop.line)) for loop in untold_loops(program, explained, own)]


def not_reached(program: Program, recorder: Recorder, loops: Sequence[Loop]) -> list[Notice]:
    """The loops that are still to come while the program runs."""
    pairs = zip(recorder.plans, loops, strict=True)
    return [
        Notice(loop.line, 0, _NOT_REACHED) for plan, loop in pairs if not plan.complete and loop.path == program.path
    ]


def notices_of(
    program: Program,
    recorder: Recorder,
    loops: list[Loop],
    chosen: list[int],
    used: list[int],
    asked: int | None,
    together: Sequence[Round | None],
) -> list[Notice]:
    found = []
    for plan, loop, first, last, step in zip(recorder.plans, loops, chosen, used, together, strict=True):
        if loop.path != program.path:
            continue  # Its line is one of another file.
        if plan.count == 0:
            found.append(Notice(loop.line, 0, "This loop was never reached, so it is not explained."))
        elif not plan.with_rest and last < first or (plan.count <= first and asked is not None):
            found.append(
                Notice(
                    loop.line,
                    0,
                    f"This loop ended after {plan.count} iterations; the last of them are explained.",
                )
            )
        elif plan.with_rest:
            what = f"Iteration {last} is explained, the last one before the cost is computed."
            found.append(Notice(loop.line, 0, what))
        elif step is not None:
            found.append(Notice(loop.line, 0, _TOGETHER.format(first=step.first, last=last)))
        elif last > first:
            does = "updates the parameters" if plan.is_update else "computes the cost"
            found.append(
                Notice(loop.line, 0, f"Iteration {last} is explained, the first from {first} on that {does}.")
            )
    return found
