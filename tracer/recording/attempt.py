"""Run a program once in this process, and record the iterations that were chosen.

In: a `Request`, and the loops with their iterations.  Out: a `Recording`, and the recorder, which knows what it has seen.
The program runs as ``__main__`` in a fresh namespace; its prints are captured, its ``input()`` is scripted, its
``sys.argv`` is its own.
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
from tracer.program.loops import Loop, seldom_updates
from tracer.program.program import Program, load
from tracer.recording.at_exit import run_at_exit
from tracer.recording.box import Place
from tracer.recording.chosen import Round, not_reached
from tracer.recording.code_making import RECORDER
from tracer.recording.cost import Following, conditional_costs, cost_after
from tracer.recording.failures import failure
from tracer.recording.former_names import former_names
from tracer.recording.instrument import Instrumenter
from tracer.recording.modules import own_modules
from tracer.recording.plans import LoopPlan, Stop
from tracer.recording.provenance import set_aside
from tracer.recording.python2 import built_in, python2_strings
from tracer.recording.python2_text import numbers_without_types
from tracer.recording.recorder import Recorder
from tracer.recording.recording import Recording
from tracer.recording.stubs import missing_packages_stubbed, of_notebooks
from tracer.tape.node import Notice

#: A call of the program is up to so many calls where it is recorded, and so many are under way around it.
_CALLS_PER_CALL, _OWN_CALLS = 10, 100


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


def file_of(program: Program) -> Path:
    file = Path(program.path)
    if not file.exists() and Path(file.name).exists():
        return Path(file.name)  # The child runs in the program's own folder.
    return file


class Seek(Enum):
    """What a run looks for while it records the iterations that it was given."""

    NOTHING = 0
    COST = 1  # the iteration that computes the cost
    ALL = 2  # also how long a loop is that the cost comes after
    STEP = 3  # nothing, and what comes after the loop is left out


def attempt(
    request: Request,
    loops: list[Loop],
    iterations: list[int],
    seek: Seek,
    since: Sequence[int] | None = None,
    together: Sequence[Round | None] = (),
) -> tuple[Recording, Recorder]:
    """Run the program and record two iterations of each loop, or all from those of ``since`` to these.

    Arguments:
        together: the iterations of each loop that are one step, where it has such.
    """
    program = request.program
    modules = list(request.modules.values())
    first = [max(k - 1, 0) for k in iterations] if since is None else since
    updates = [seldom_updates(loop, program, modules) for loop in loops]
    costs = [seldom or conditional_costs(loop.statement) for loop, seldom in zip(loops, updates, strict=True)]
    places: list[Place] = []

    def rewritten(each: Program) -> types.CodeType:
        chosen = loops, [c for found in costs for c in found]
        return compile(Instrumenter(each, places, *chosen).module(), each.path, "exec", dont_inherit=True)

    trees = [each.tree for each in (program, *modules)]
    plans = []
    for loop, start, k, found, seldom in zip(loops, first, iterations, costs, updates, strict=True):
        plan = LoopPlan(loop.line, start, k, seek in (Seek.COST, Seek.ALL) and bool(found))
        plan.is_update = bool(seldom)
        after = cost_after(loop, trees, loops) if request.iteration is None else Following.NEVER
        if after is not Following.NEVER:
            plan.seeks_end, plan.with_rest = seek is Seek.ALL, seek is Seek.NOTHING
            plan.to_end = after is Following.END
        plans.append(plan)
    for plan, step in zip(plans, together, strict=False):
        if step is not None:
            plan.first, plan.ends = step.since, step.ends
    recorder = Recorder(places, plans, request.run_on)
    tape, recorder.main_path = recorder.tape, program.path
    code = rewritten(program)
    own = {name: (each, rewritten(each)) for name, each in request.modules.items()}
    out = io.StringIO()
    ended = "end"
    report = request.when_complete
    if report is not None:
        recorder.when_complete = lambda: report(_so_far(recorder, program, loops, out))
    files = {each.path for each in (program, *modules)}
    with (
        set_aside(),
        own_modules(own),
        _surroundings(request, recorder, out) as (namespace, notices),
        run_at_exit(files) as end,
    ):
        try:
            _prepare(request, namespace)
            recorder.given(namespace.get("__file__"))
            recorder.begin()
            exec(code, namespace)
        except Stop:
            ended = "stopped"
        except SystemExit:
            ended = "exit"
        except BaseException as error:
            recorder.finish()
            end()
            done = (
                Recording(recorder.tape, program, out.getvalue(), "failed", tuple(notices))
                if recorder.complete
                else None
            )
            raise failure(error, program, done, out.getvalue(), request.modules.values()) from None
        finally:
            recorder.finish()
        if ended != "stopped":
            end()
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
    file = file_of(program)
    folder = str(file.resolve().parent)
    module = types.ModuleType(file.stem if request.as_module else "__main__")
    module.__file__ = str(file)
    saved = sys.argv, list(sys.path), sys.modules.get("__main__"), sys.stdin, os.environ.get("MPLBACKEND")
    linecache.cache[program.path] = (len(program.text), None, program.text.splitlines(True), program.path)
    outer = getattr(builtins, RECORDER, None)
    notices: list[Notice] = []
    sys.argv, sys.stdin = [program.path, *request.args], io.StringIO(request.stdin)
    sys.path.insert(0, folder)
    sys.modules["__main__"] = module
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(_CALLS_PER_CALL * limit + _OWN_CALLS)
    os.environ["MPLBACKEND"] = "Agg"
    setattr(builtins, RECORDER, recorder)
    module.__dict__["__builtins__"] = built_in(program)
    try:
        programs = (program, *request.modules.values())
        with (
            contextlib.redirect_stdout(out),
            missing_packages_stubbed(program, notices),
            former_names(programs, notices.append),
            python2_strings(programs),
            numbers_without_types(programs),
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
