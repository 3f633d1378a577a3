"""Runs that look for the iterations to explain: for a loop that no text tells, and past parameters that are whole numbers.

In: a `Request`, and what a first run of it has shown.  Out: another recording, if there is one.  What is only tried stops as
soon as it has been recorded.
"""

from __future__ import annotations

from dataclasses import replace

from tracer.program.loops import Loop, functions_around, unwritten_around
from tracer.program.program import Program
from tracer.recording.attempt import Request, Seek, attempt
from tracer.recording.errors import RecordingError
from tracer.recording.recorder import Recorder
from tracer.recording.recording import Recording
from tracer.recording.repeating import hands_gradients_on, loops_around, midst_of_the_longest, repeated_losses
from tracer.recording.whole_numbers import starts_from_whole_numbers
from tracer.tape.node import Node

Found = tuple[Recording, Recorder, Loop]
#: So many loops that no statement writes are tried.
_MOST_TRIED = 3


def found_by_running(
    request: Request, whole: Recording, recorder: Recorder, first: int, seek: Seek
) -> Found | None:
    """A recording of the loop that trains, where a program was recorded whole and its loss was computed again and again.

    That is the innermost loop of which one iteration hands gradients on to the next; statements are tried before
    comprehensions, calls of ``map`` and recursive functions, and these before any function that is called again.  Where the
    recording of the whole went on too long, it may also be the outermost of which two iterations are not too long.
    """
    repeated = repeated_losses(whole.tape) if recorder.cut is None else [recorder.cut]
    inside = repeated[0] if repeated else midst_of_the_longest(whole.tape, recorder.entries)
    if inside is None:
        return None
    tries = replace(request, run_on=False, when_complete=None)
    around = list(loops_around(inside, recorder.entries, request.program, list(request.modules.values())))
    short: list[Found] = []
    for loop in reversed(around):
        recording, there = attempt(tries, [loop], [first], seek)
        if there.cut is None and there.plans[0].count > first:
            short.append((recording, there, loop))
            if hands_gradients_on(recording.tape):
                return _run_on(request, short[-1], first, seek)
    program, site = request.program, inside.site
    own = list(request.modules.values())
    others = unwritten_around(program, site.path or program.path, site.span, own) if site is not None else []
    for loop in (*others[:_MOST_TRIED], *_functions_under_way(repeated, program, own)):
        recording, there = attempt(tries, [loop], [first], seek)
        if there.cut is None and there.plans[0].count > first and hands_gradients_on(recording.tape):
            return _run_on(request, (recording, there, loop), first, seek)
    return _run_on(request, short[-1], first, seek) if short and recorder.cut is not None else None


def _run_on(request: Request, found: Found, first: int, seek: Seek) -> Found:
    """What was found by a run that stopped there, by one that goes on to the end if that is asked for."""
    if not request.run_on:
        return found
    return *attempt(request, [found[2]], [first], seek), found[2]


def past_whole_numbers(
    request: Request, loops: list[Loop], chosen: list[int], seek: Seek, made: tuple[Recording, Recorder]
) -> tuple[Recording, Recorder, list[int]]:
    """A recording that does not start from parameters that are still whole numbers, if the loops go on for long enough."""
    if request.iteration is not None:
        return *made, chosen
    later = [k + starts_from_whole_numbers(made[0].tape, loop.line, k) for loop, k in zip(loops, chosen, strict=True)]
    if later == chosen:
        return *made, chosen
    try:
        recording, recorder = attempt(request, loops, later, seek)
    except RecordingError:
        return *made, chosen
    enough = all(plan.count > k for plan, k in zip(recorder.plans, later, strict=True) if plan.count)
    return (recording, recorder, later) if enough else (*made, chosen)


def _functions_under_way(nodes: list[Node], program: Program, own: list[Program]) -> list[Loop]:
    """The program's functions that were running when these nodes were made, the innermost first.

    Who calls one cannot always be seen: two functions call each other, or a function of a library is given it.
    """
    found: list[Loop] = []
    sites = (site for node in nodes for site in (node.site, *(call.site for call in reversed(node.calls))))
    for site in sites:
        if site is not None:
            found += functions_around(program, site.path or program.path, site.span, own)
    return list({id(loop.node): loop for loop in found}.values())[:_MOST_TRIED]
