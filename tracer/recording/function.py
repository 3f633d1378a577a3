"""Record one call of a Python function: `record_function`.

In: a function and its arguments.  Out: a `Recording` whose leaves carry the parameters' names.  The code
of the function, and of the other functions and classes that it can reach, is exchanged for its recorded
version while it runs, so closures, methods and globals work and nothing of the program is imported
again; afterwards the code is put back.  They may stand in other files and in other cells of a notebook.
"""

from __future__ import annotations

import builtins
import contextlib
import inspect
import io
import types
from collections.abc import Callable
from typing import Any

from tracer.program.errors import ProgramError
from tracer.program.loops import Loop, training_loops
from tracer.program.program import Program, parse
from tracer.recording.attempt import put_back
from tracer.recording.box import Box, Place, is_number
from tracer.recording.code_making import RECORDER
from tracer.recording.failures import failure
from tracer.recording.instrument import Instrumenter
from tracer.recording.own_functions import codes_of
from tracer.recording.plans import LoopPlan, Stop
from tracer.recording.reached import exchanged, functions_reached, own_files
from tracer.recording.recorder import Recorder
from tracer.recording.recording import Recording
from tracer.tape.node import Kind, Site, Span


def record_function(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Recording:
    """Call ``function(*args, **kwargs)`` and record it.

    Arguments:
        function: a function or method written in Python, whose source can be read.

    Raises:
        ProgramError: its source cannot be found (built in, or typed at a prompt).
        ProgramFailed: the call raised an exception.
    """
    plain = inspect.unwrap(function)
    plain = getattr(plain, "__func__", plain)
    if not isinstance(plain, types.FunctionType):
        raise ProgramError(
            f"{function!r} is not a function written in Python.", hint="Give a function or a method."
        )
    program = _module_program(plain)
    functions = functions_reached(plain, (*args, *kwargs.values(), getattr(function, "__self__", None)))
    modules = own_files(program, functions)
    loops = [loop for loop in training_loops(program, modules) if _inside(loop, plain)]
    places: list[Place] = []
    codes = {
        each.path: compile(
            Instrumenter(each, places, loops).module(), each.path, "exec", dont_inherit=True
        )
        for each in (program, *modules)
    }
    plans = [LoopPlan(loop.line, 0, 1) for loop in loops]
    recorder = Recorder(places, plans, run_on=False)
    tape, out, ended = recorder.tape, io.StringIO(), "end"
    outer = getattr(builtins, RECORDER, None)
    with exchanged(functions, codes), contextlib.redirect_stdout(out):
        setattr(builtins, RECORDER, recorder)
        try:
            _call(recorder, function, plain, args, kwargs, program)
        except Stop:
            ended = "stopped"
        except Exception as error:
            recorder.finish()
            raise failure(error, program, None, out.getvalue()) from error
        finally:
            recorder.finish()
            put_back(outer, recorder)
    return Recording(tape, program, out.getvalue(), ended, (*program.notices, *tape.notices), modules)


def _module_program(function: types.FunctionType) -> Program:
    """The program that the function stands in: its whole file, or its own text where there is no file."""
    path = function.__code__.co_filename
    try:
        lines, _ = inspect.findsource(function)
    except (OSError, TypeError):
        raise ProgramError(
            f"The source of {function.__name__} cannot be found.",
            path,
            hint="Put it into a file or a notebook cell.",
        ) from None
    return parse("".join(lines), path)


def _inside(loop: Loop, function: types.FunctionType) -> bool:
    if loop.path != function.__code__.co_filename:
        return False
    lines, first = inspect.getsourcelines(function)
    return first <= loop.line < first + len(lines)


def _call(
    recorder: Recorder,
    function: Callable[..., Any],
    plain: types.FunctionType,
    args: Any,
    kwargs: Any,
    program: Program,
) -> Any:
    line = plain.__code__.co_firstlineno
    span = Span(line, 0, line, len(program.source_line(line)))
    place = Place(Site(span, program.source_line(line).strip(), program.path), plain.__name__)
    given = inspect.signature(function).bind(*args, **kwargs)
    boxes: dict[str, Box] = {}
    for name, value in given.arguments.items():
        if is_number(value) and not isinstance(value, (bool, range)):
            node = recorder.node(Kind.LEAF, "", (), {}, value, place, None, (name,))
            recorder.remember(value, node)
            boxes[name] = Box(value, node, place)
    recorder.begin()
    recorder.expect(codes_of(function) or (plain.__code__,), boxes)
    return function(*args, **kwargs)
