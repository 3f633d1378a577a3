"""Record a program in this process: `record_source`.

In: a `Program` and which iterations to record.  Out: a `Recording`.  When the chosen iteration does not compute the cost,
shows too little, or the loop ends before it, the program is run again with the iteration that was found out.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tracer.program.loops import Loop
from tracer.program.program import Program
from tracer.program.siblings import siblings
from tracer.recording.attempt import Request, Seek, attempt, file_of
from tracer.recording.chosen import better_iterations, chosen_loops, notices_of, rounds, untold
from tracer.recording.errors import RecordingError
from tracer.recording.recording import Recording
from tracer.recording.searching import found_by_running, past_whole_numbers
from tracer.recording.telling import LOOKED_AT, is_short, most_telling, shown, watched
from tracer.tape.node import Notice

#: The iteration that is recorded, with the one before it, when none is chosen.
DEFAULT_ITERATION = 1


def record_source(
    program: Program,
    *,
    args: Sequence[str] = (),
    loop: int | None = None,
    iteration: int | None = None,
    run_on: bool = False,
    define: Mapping[str, str] | None = None,
    setup: Path | None = None,
    stdin: str = "",
    when_complete: Callable[[Recording], None] | None = None,
    as_module: bool = False,
    modules: Mapping[str, str] | None = None,
) -> Recording:
    """Run and record a program in this process.

    Arguments:
        args: its command line arguments.
        loop: line of the only loop to record; by default every training loop.
        iteration: the iteration to record, counted from 0, with the one before it; 1 by default.
        run_on: whether the program goes on natively to its end after the last window.
        define: names to bind before it starts, to the values of Python expressions.
        setup: a file that is run before it in the same namespace.
        stdin: what ``input()`` reads.
        when_complete: called with what there is whenever a loop's windows are complete while the
            program still runs.
        as_module: run it as an imported module, not as ``__main__``, and record it whole.
        modules: other texts for some of its own modules, by their paths.

    Raises:
        ProgramFailed, MissingPackage, NameUndefined: see `tracer.recording.errors`.
        ProgramError: ``loop`` is no loop, or ``define`` or ``setup`` cannot be used.
    """
    program, own = siblings(program, file_of(program).resolve().parent, modules)
    request = Request(
        program, args, loop, iteration, run_on, define or {}, setup, stdin, when_complete, as_module, own
    )
    before = [
        *program.notices,
        *(Notice(0, 0, f"{Path(each.path).name}: {n.what}") for each in own.values() for n in each.notices),
    ]
    loops = [] if as_module else chosen_loops(program, loop, list(own.values()))
    first, seek = (DEFAULT_ITERATION, Seek.ALL) if iteration is None else (iteration, Seek.COST)
    chosen = [first] * len(loops)
    recording, recorder = attempt(request, loops, chosen, seek)
    if not loops and not as_module:
        found = found_by_running(request, recording, recorder, first, seek)
        if found is not None:
            recording, recorder, around = found
            loops, chosen = [around], [first]
            said = _CALLED if isinstance(around.node, ast.FunctionDef) else _UNRECOGNISED
            before.append(Notice(around.line, 0, said))
    if loops and loop is None and not any(plan.count for plan in recorder.plans):
        # The loops stand in functions that nobody calls: what the program does without them is recorded.
        extra = notices_of(program, recorder, loops, chosen, chosen, iteration, [None] * len(loops))
        recording, recorder = attempt(request, [], [], Seek.NOTHING)
    else:
        recording, recorder, later = past_whole_numbers(request, loops, chosen, seek, (recording, recorder))
        moved = [loop.line for loop, k, old in zip(loops, later, chosen, strict=True) if k > old]
        chosen = later
        again = better_iterations(recorder, recording.tape, chosen, recording.ended != "stopped", iteration)
        together = rounds(recorder, again)
        told: list[Notice] = []
        if again == chosen and not any(together) and iteration is None and recorder.cut is None:
            again, told = _telling(request, loops, chosen, recording)
        if again != chosen or any(together):
            recording, recorder = attempt(request, loops, again, Seek.NOTHING, together=together)
        extra = told or notices_of(program, recorder, loops, chosen, again, iteration, together)
        kept = [plan for plan, k, c in zip(recorder.plans, again, chosen, strict=True) if k == c and plan.line in moved]
        extra += [Notice(plan.line, 0, _WHOLE.format(k=plan.last)) for plan in kept]
        long = [plan for plan in recorder.plans if plan.rest > max(_LONGEST_REST, _MOST_STEPS * plan.step)]
        if long:
            recording, recorder = attempt(request, loops, again, Seek.STEP)
        extra += [Notice(plan.line, 0, _REST_LEFT_OUT.format(rest=plan.rest, step=plan.step)) for plan in long]
    if loops and loop is None:
        extra += untold(program, loops, list(own.values()))
    recording.notices = (*before, *recording.notices, *recording.tape.notices, *extra)
    return recording


def _telling(
    request: Request, loops: list[Loop], chosen: list[int], found: Recording
) -> tuple[list[int], list[Notice]]:
    """The iterations that show most of the loops, where those that were recorded leave something out.

    Another run looks at the next ones, no further; what was found is reported before, in case the time is up.
    """
    program, own, tape = request.program, list(request.modules.values()), found.tape
    what = [watched(loop, program, own) for loop in loops]
    last = {(w.loop_line, w.iteration): at for at, w in enumerate(tape.windows)}
    places = [last.get((loop.line, k)) for loop, k in zip(loops, chosen, strict=True)]
    complete = [place is not None and not shown(tape, place, w, program)[1] for place, w in zip(places, what, strict=True)]
    if all(complete) or None in places or not is_short(tape):
        return chosen, []
    if request.when_complete is not None:
        request.when_complete(replace(found, notices=(*found.notices, *tape.notices)))
    short = replace(request, run_on=False, when_complete=None)
    try:
        recording, _ = attempt(short, loops, [k + LOOKED_AT for k in chosen], Seek.STEP, chosen)
    except RecordingError:
        return chosen, []  # It fails after the iterations that are explained.
    better, notices = [], []
    for loop, w, k in zip(loops, what, chosen, strict=True):
        best, gained = most_telling(recording.tape, loop, w, k, program)
        better.append(best)
        if gained is not None and loop.path == program.path:
            what_more = _MORE[gained.kind].format(best=best, k=k, line=gained.stretch.span.line)
            notices.append(Notice(loop.line, 0, what_more + _ANOTHER))
    return better, notices


_UNRECOGNISED = (
    "No loop was recognised as one that trains by what is written in it, but this one repeats the same work: "
    "two of its iterations are explained. Use --loop LINE to choose another."
)
_CALLED = (
    "No loop was recognised as one that trains by what is written in it, but this function is called again and again and "
    "does the same work: two of its calls are explained. Use --loop LINE to choose another."
)
_WHOLE = (
    "Iteration {k} is explained: the first one starts from whole numbers, by which there are no derivatives. "
    "Use --iteration K for another."
)
_MORE = {
    "ran": "Iteration {best} is explained, which carries out line {line}; iteration {k} does not.",
    "not zero": "Iteration {best} is explained: in iteration {k}, what line {line} gives is zero.",
    "again": "Iteration {best} is explained, which goes through line {line} more than once; iteration {k} does not.",
}
_ANOTHER = " Use --iteration K for another."
#: What comes after a loop is recorded up to so many operations, and also if it is no more than so many steps.
_LONGEST_REST = 4000
_MOST_STEPS = 4
_REST_LEFT_OUT = (
    "The cost that comes after this loop takes {rest} operations, and a step {step}: it is computed for other data than "
    "the step, one after the other, and is not explained."
)
