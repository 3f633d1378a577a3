"""Run a program in this process and record it.

In: a `Program` and which iterations to record.  Out: a `Recording`.  The program runs as ``__main__`` in
a fresh namespace; its prints are captured, its ``input()`` is scripted, its ``sys.argv`` is its own.
When the chosen iteration does not compute the cost, or the loop ends before it, the program is run
again with the iteration that was found out.
"""

from __future__ import annotations

import builtins
import contextlib
import io
import linecache
import os
import sys
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from tracer.program.errors import ProgramError
from tracer.program.loops import Loop, seldom_updates, unwritten_around
from tracer.program.program import Program, load
from tracer.program.siblings import siblings
from tracer.recording.box import Place
from tracer.recording.chosen import (
    better_iterations,
    chosen_loops,
    not_reached,
    notices_of,
    untold,
)
from tracer.recording.cost import Following, conditional_costs, cost_after
from tracer.recording.failures import failure
from tracer.recording.former_names import former_names
from tracer.recording.instrument import RECORDER, Instrumenter
from tracer.recording.modules import own_modules
from tracer.recording.provenance import set_aside
from tracer.recording.recorder import LoopPlan, Recorder, Stop
from tracer.recording.recording import Recording
from tracer.recording.repeating import hands_gradients_on, loops_around, repeated_loss
from tracer.recording.stubs import missing_packages_stubbed, of_notebooks
from tracer.tape.node import Notice

#: The iteration that is recorded, with the one before it, when none is chosen.
DEFAULT_ITERATION = 1


@dataclass
class Request:
    """What to record and how to run the program; see `record_source`."""

    program: Program
    args: Sequence[str] = ()
    loop: int | None = None
    iteration: int | None = None
    run_on: bool = False
    define: Mapping[str, str] = field(default_factory=dict)
    setup: Path | None = None
    stdin: str = ""
    when_complete: Callable[[Recording], None] | None = None
    as_module: bool = False
    modules: dict[str, Program] = field(default_factory=dict)


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
    program, own = siblings(program, _file_of(program).resolve().parent, modules)
    request = Request(
        program, args, loop, iteration, run_on, define or {}, setup, stdin, when_complete, as_module, own
    )
    before = [
        *program.notices,
        *(Notice(0, 0, f"{Path(each.path).name}: {n.what}") for each in own.values() for n in each.notices),
    ]
    loops = [] if as_module else chosen_loops(program, loop, list(own.values()))
    first, seek = (DEFAULT_ITERATION, _Seek.ALL) if iteration is None else (iteration, _Seek.COST)
    chosen = [first] * len(loops)
    recording, recorder = _attempt(request, loops, chosen, seek)
    if not loops and not as_module:
        found = _repeating(request, recording, recorder, first, seek)
        if found is not None:
            recording, recorder, around = found
            loops, chosen = [around], [first]
            before.append(Notice(around.line, 0, _UNRECOGNISED))
    if loops and loop is None and not any(plan.count for plan in recorder.plans):
        # The loops stand in functions that nobody calls: what the program does without them is recorded.
        extra = notices_of(program, recorder, loops, chosen, chosen, iteration)
        recording, recorder = _attempt(request, [], [], _Seek.NOTHING)
    else:
        again = better_iterations(recorder, recording.tape, chosen, recording.ended != "stopped")
        if again != chosen:
            recording, recorder = _attempt(request, loops, again, _Seek.NOTHING)
        extra = notices_of(program, recorder, loops, chosen, again, iteration)
        long = [plan for plan in recorder.plans if plan.rest > max(_LONGEST_REST, _MOST_STEPS * plan.step)]
        if long:
            recording, recorder = _attempt(request, loops, again, _Seek.STEP)
        extra += [Notice(plan.line, 0, _REST_LEFT_OUT.format(rest=plan.rest, step=plan.step)) for plan in long]
    if loops and loop is None:
        extra += untold(program, loops, list(own.values()))
    recording.notices = (*before, *recording.notices, *recording.tape.notices, *extra)
    return recording


def _repeating(
    request: Request, whole: Recording, recorder: Recorder, first: int, seek: _Seek
) -> tuple[Recording, Recorder, Loop] | None:
    """A recording of the loop that trains, where a program was recorded whole and its loss was computed again and again.

    That is the innermost loop of which one iteration hands gradients on to the next; statements are tried before
    comprehensions, calls of ``map`` and recursive functions.  Where the recording of the whole
    went on too long, it may also be the outermost of which two iterations are not too long.
    """
    inside = recorder.cut or repeated_loss(whole.tape)
    if inside is None:
        return None
    around = list(loops_around(inside, recorder.entries, request.program, list(request.modules.values())))
    short: list[tuple[Recording, Recorder, Loop]] = []
    for loop in reversed(around):
        recording, there = _attempt(request, [loop], [first], seek)
        if there.cut is None and there.plans[0].count > first:
            if hands_gradients_on(recording.tape):
                return recording, there, loop
            short.append((recording, there, loop))
    others = unwritten_around(request.program, [inside.site] if inside.site else [], list(request.modules.values()))
    for loop in others[:_MOST_TRIED]:
        recording, there = _attempt(request, [loop], [first], seek)
        if there.cut is None and there.plans[0].count > first and hands_gradients_on(recording.tape):
            return recording, there, loop
    return short[-1] if short and recorder.cut is not None else None


def _file_of(program: Program) -> Path:
    file = Path(program.path)
    if not file.exists() and Path(file.name).exists():
        return Path(file.name)  # The child runs in the program's own folder.
    return file


#: So many loops that no statement writes are tried.
_MOST_TRIED = 3
#: So many calls are under way around and between those of the program, of which some recurse until they are stopped.
_OWN_FRAMES = 100
_UNRECOGNISED = (
    "No loop was recognised as one that trains by what is written in it, but this one repeats the same work: "
    "two of its iterations are explained. Use --loop LINE to choose another."
)
#: What comes after a loop is recorded up to so many operations, and also if it is no more than so many steps.
_LONGEST_REST = 4000
_MOST_STEPS = 4
_REST_LEFT_OUT = (
    "The cost that comes after this loop takes {rest} operations, and a step {step}: it is computed for other data than "
    "the step, one after the other, and is not explained."
)


class _Seek(Enum):
    """What a run looks for while it records the iterations that it was given."""

    NOTHING = 0
    COST = 1  # the iteration that computes the cost
    ALL = 2  # also how long a loop is that the cost comes after
    STEP = 3  # nothing, and what comes after the loop is left out


def _attempt(
    request: Request, loops: list[Loop], iterations: list[int], seek: _Seek
) -> tuple[Recording, Recorder]:
    program = request.program
    modules = list(request.modules.values())
    updates = [seldom_updates(loop, program, modules) for loop in loops]
    costs = [seldom or conditional_costs(loop.statement) for loop, seldom in zip(loops, updates, strict=True)]
    places: list[Place] = []

    def rewritten(each: Program) -> types.CodeType:
        chosen = loops, [c for found in costs for c in found]
        return compile(Instrumenter(each, places, *chosen).module(), each.path, "exec", dont_inherit=True)

    trees = [each.tree for each in (program, *modules)]
    plans = []
    for loop, k, found, seldom in zip(loops, iterations, costs, updates, strict=True):
        plan = LoopPlan(loop.line, max(k - 1, 0), k, seek in (_Seek.COST, _Seek.ALL) and bool(found))
        plan.is_update = bool(seldom)
        after = cost_after(loop, trees, loops) if request.iteration is None else Following.NEVER
        if after is not Following.NEVER:
            plan.seeks_end, plan.with_rest = seek is _Seek.ALL, seek is _Seek.NOTHING
            plan.to_end = after is Following.END
        plans.append(plan)
    recorder = Recorder(places, plans, request.run_on)
    tape, recorder.main_path = recorder.tape, program.path
    code = rewritten(program)
    own = {name: (each, rewritten(each)) for name, each in request.modules.items()}
    out = io.StringIO()
    ended = "end"
    report = request.when_complete
    if report is not None:
        recorder.when_complete = lambda: report(_so_far(recorder, program, loops, out))
    with set_aside(), own_modules(own), _surroundings(request, recorder, out) as (namespace, notices):
        try:
            _prepare(request, namespace)
            recorder.begin()
            exec(code, namespace)
        except Stop:
            ended = "stopped"
        except SystemExit:
            ended = "exit"
        except BaseException as error:
            recorder.finish()
            done = (
                Recording(recorder.tape, program, out.getvalue(), "failed", tuple(notices))
                if recorder.complete
                else None
            )
            raise failure(error, program, done, out.getvalue(), request.modules.values()) from None
        finally:
            recorder.finish()
    return Recording(tape, program, out.getvalue(), ended, tuple(notices)), recorder


def _so_far(recorder: Recorder, program: Program, loops: list[Loop], out: io.StringIO) -> Recording:
    notices = (*program.notices, *recorder.tape.notices, *not_reached(program, recorder, loops))
    return Recording(recorder.tape, program, out.getvalue(), "time", notices)


def _prepare(request: Request, namespace: dict[str, Any]) -> None:
    """Bind what ``--define`` and ``--setup`` give."""
    import numpy as np

    namespace.update(of_notebooks(request.program))
    if request.setup is not None:
        before = load(request.setup)
        exec(compile(before.tree, before.path, "exec"), namespace)
    for name, value in request.define.items():
        if not name.isidentifier():
            raise ProgramError(f"{name!r} is not a name that can be defined.", hint="Write NAME=VALUE.")
        try:
            namespace[name] = eval(value, {"np": np, "numpy": np})
        except Exception as error:
            raise ProgramError(
                f"The value of {name} cannot be used: {error}.", hint=f"{name}={value!r}"
            ) from None


@contextlib.contextmanager
def _surroundings(
    request: Request, recorder: Recorder, out: io.StringIO
) -> Iterator[tuple[dict[str, Any], list[Notice]]]:
    """Everything around the program that it may see: modules, arguments, streams, the folder beside it."""
    program = request.program
    file = _file_of(program)
    folder = str(file.resolve().parent)
    module = types.ModuleType(file.stem if request.as_module else "__main__")
    module.__dict__.update({"__file__": str(file), "__builtins__": builtins})
    saved = sys.argv, list(sys.path), sys.modules.get("__main__"), sys.stdin, os.environ.get("MPLBACKEND")
    linecache.cache[program.path] = (len(program.text), None, program.text.splitlines(True), program.path)
    outer = getattr(builtins, RECORDER, None)
    notices: list[Notice] = []
    sys.argv, sys.stdin = [program.path, *request.args], io.StringIO(request.stdin)
    sys.path.insert(0, folder)
    sys.modules["__main__"] = module
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + _OWN_FRAMES)
    os.environ["MPLBACKEND"] = "Agg"
    setattr(builtins, RECORDER, recorder)
    try:
        programs = (program, *request.modules.values())
        with (
            contextlib.redirect_stdout(out),
            missing_packages_stubbed(program, notices),
            former_names(programs, notices.append),
        ):
            yield module.__dict__, notices
    finally:
        sys.argv, sys.path[:], sys.stdin = saved[0], saved[1], saved[3]
        sys.setrecursionlimit(limit)
        if saved[2] is not None:
            sys.modules["__main__"] = saved[2]
        if saved[4] is None:
            os.environ.pop("MPLBACKEND", None)
        else:
            os.environ["MPLBACKEND"] = saved[4]
        linecache.cache.pop(program.path, None)
        put_back(outer, recorder)


def put_back(outer: Recorder | None, used: Recorder) -> None:
    """What rewritten code knows as the recorder from now on.

    Generators and threads of the program may still end after it: where there was no recorder before, the one that was
    used stays, emptied, and lets them run natively.
    """
    if outer is None:
        used.retire()
    setattr(builtins, RECORDER, used if outer is None else outer)
