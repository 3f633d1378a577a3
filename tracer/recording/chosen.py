"""Which loops of a program are recorded, and which iterations of them.

In: the program, and what a first run of it has shown.  Out: loops, iterations, and notices that say what was chosen.
"""

from __future__ import annotations

from collections.abc import Sequence

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


def better_iterations(recorder: Recorder, tape: Tape, chosen: list[int], ended: bool) -> list[int]:
    """The iterations to record instead, from what this run has shown; ``ended``: it came to the program's end.

    Arguments:
        tape: what was recorded; the recorder may have let go of it.
    """
    better = []
    for plan, iteration in zip(recorder.plans, chosen, strict=True):
        later = [k for k in plan.cost_seen if k >= iteration]
        if 0 < plan.count <= plan.first:
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
    named = any(is_loss_name(b.name) and tape.nodes[b.node].window >= 0 for b in tape.bindings)
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
) -> list[Notice]:
    found = []
    for plan, loop, first, last in zip(recorder.plans, loops, chosen, used, strict=True):
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
        elif last > first:
            does = "updates the parameters" if plan.is_update else "computes the cost"
            found.append(
                Notice(loop.line, 0, f"Iteration {last} is explained, the first from {first} on that {does}.")
            )
    return found
