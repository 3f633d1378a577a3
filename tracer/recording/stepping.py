"""A function that another one calls again and again, where that is the training loop: ``map(step, batches)``.

In: the function, and the number of its plan.  Out: a callable that does the same, and tells the recorder where each
call begins and ends.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Protocol

from tracer.recording.box import Box


class Steps(Protocol):
    """What is told of each step."""

    def step_begin(self, number: int) -> Any: ...

    def handed_on(self, name: str, value: Any) -> None: ...

    def step_end(self, token: Any, ended: bool = True) -> None: ...


class Stepping:
    """Calls ``function``, of which each call is an iteration.

    Arguments:
        folds: whether its first argument is what it gave before, as in ``reduce``.
    """

    __slots__ = ("function", "kept", "number", "recorder")

    def __init__(self, recorder: Steps, number: int, function: Any, folds: bool) -> None:
        self.recorder, self.number, self.function = recorder, number, function
        self.kept = _first_parameter(function) if folds else ""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        token = self.recorder.step_begin(self.number)
        try:
            result = self.function(*args, **kwargs)
            if self.kept:
                self.recorder.handed_on(self.kept, result)
            return result
        finally:
            self.recorder.step_end(token, False)

    def step(self, call: Callable[[Any], Box]) -> Box:
        """An iteration that the recorder itself carries out: it is given the function."""
        token = self.recorder.step_begin(self.number)
        try:
            return call(self.function)
        finally:
            self.recorder.step_end(token, False)


def _first_parameter(function: Any) -> str:
    """The name of what a function is given first; ``""`` where that cannot be seen."""
    given = 0
    if isinstance(function, functools.partial):
        function, given = function.func, len(function.args)
    code = getattr(function, "__code__", None)
    return code.co_varnames[given] if code is not None and code.co_argcount > given else ""
