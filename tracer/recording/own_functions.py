"""Calls of the program's own functions, and their bodies.

Such a call is no operation: the body records itself, and its nodes know that it was running.  The arguments' boxes
are handed over, so that numbers keep their nodes under the parameters' names.
"""

from __future__ import annotations

import functools
import sys
import types
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracer.recording import python2_text, stubs
from tracer.recording.box import Box, Place, is_number
from tracer.recording.foreign_calls import ForeignCalls
from tracer.recording.harmless import is_recorded
from tracer.recording.state import SETUP_LIMIT, Mode
from tracer.tape.functions import round_half_away
from tracer.tape.node import Call

#: Functions of these are no functions of the program, even where they are written in Python.
_LIBRARIES = frozenset(
    "numpy scipy matplotlib pandas sklearn math random functools operator copy".split()
)


@dataclass
class _Pending:
    """A call of a function of the program that has not entered its body yet."""

    codes: tuple[types.CodeType, ...]
    args: list[Box]
    kwargs: dict[str, Box]
    function: Any


class OwnFunctions(ForeignCalls):
    """Callbacks at the borders of the program's functions."""

    def __init__(self, places: list[Place]) -> None:
        super().__init__(places)
        self.pending: _Pending | None = None
        self.last_return: Box | None = None
        self.entered = 0
        #: What ``np.frompyfunc`` made, with the function that it calls for each entry.
        self.python_functions: dict[int, tuple[np.ufunc, Any]] = {}

    def enter(self, index: int) -> bool:
        """A function body begins: whether the recorded version is the one to run."""
        pending, self.pending = self.pending, None
        if self.mode is Mode.SETUP and self.setup_nodes >= SETUP_LIMIT:
            self.turn(Mode.OFF)
        if not self.room():
            return False
        self.entered += 1
        frame = sys._getframe(1)
        code = frame.f_code
        self.scope_count += 1
        self.scopes[id(frame)] = self.scope_count
        self.last_return = None
        if pending is not None and code in pending.codes:
            self._bind_arguments(pending, frame)
        return True

    def expect(self, codes: tuple[types.CodeType, ...], parameters: dict[str, Box]) -> None:
        """The next function to enter is one of ``codes``; its parameters are these boxes."""
        self.pending = _Pending(codes, [], parameters, None)

    def _bind_arguments(self, pending: _Pending, frame: types.FrameType) -> None:
        code = frame.f_code
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        positional = list(names[: code.co_argcount])
        args = list(pending.args)
        if isinstance(pending.function, (types.MethodType, type)) or not isinstance(
            pending.function, types.FunctionType
        ):
            positional = positional[1:]
        for name, box in [*zip(positional, args, strict=False), *pending.kwargs.items()]:
            if box.node is not None and name in names:
                self.place_name(self.where(frame, name), box)
        rest = args[len(positional) :]
        at = len(names)
        if code.co_flags & 0x04:
            extra = frame.f_locals.get(code.co_varnames[at])
            for k, box in enumerate(rest):
                self.locate_item(extra, k, box)
            at += 1
        if code.co_flags & 0x08:
            extra = frame.f_locals.get(code.co_varnames[at])
            for name, box in pending.kwargs.items():
                if name not in names:
                    self.locate_item(extra, name, box)

    def returned(self, index: int, box: Any) -> Any:
        box = box if isinstance(box, Box) else Box(box)
        self.last_return = box
        return box.value

    def _call_user(self, function: Any, args: list[Box], kwargs: dict[str, Box], place: Place) -> Box:
        codes = codes_of(function)
        self.pending = _Pending(codes, args, kwargs, function)
        before = self.entered
        arrays = [
            b for b in (*args, *kwargs.values()) if isinstance(b.value, np.ndarray) and is_number(b.value)
        ]
        for box in arrays:
            self.memory.read(box.value, place)
        outside = self.calls
        self.calls = (*outside, Call(getattr(function, "__name__", type(function).__name__), place.site))
        values, named = [b.value for b in args], {k: b.value for k, b in kwargs.items()}
        try:
            if is_recorded(codes):
                result = function(*values, **named)
            else:
                result = self.unrecorded_call(function, values, named)
        finally:
            self.calls = outside
            self.pending = None
        if not self.mode:
            return Box(result, None, place)
        if getattr(function, "__module__", "") == stubs.__name__:
            return self.boxed(result, place)
        if self.entered != before:
            given, self.last_return = self.last_return, None
            if given is not None and given.value is result:
                return Box(result, given.node, place, given.items)
            return self.boxed(result, place)
        return self._unknown(function, args, kwargs, result, place)


def is_users(function: Any) -> bool:
    """Whether a function, class or callable object is written in Python, outside NumPy and the like."""
    target: Any
    kind = type(function)
    if kind is types.FunctionType or kind is types.MethodType:
        return not _is_of_a_library(function.__module__ or "")
    if isinstance(function, (types.FunctionType, types.MethodType)) or (
        isinstance(function, type) and not function.__module__.startswith("builtins")
    ):
        target = function
    elif isinstance(function, (types.BuiltinFunctionType, np.ufunc, functools.partial, type)):
        return False
    else:
        target = vars(type(function)).get("__call__")
        if not isinstance(target, types.FunctionType):
            return False
    if _is_of_a_library(getattr(target, "__module__", "") or ""):
        return False
    if isinstance(function, type):
        return isinstance(getattr(function, "__init__", None), types.FunctionType)
    return True


@functools.cache
def _is_of_a_library(module: str) -> bool:
    return module.split(".")[0] in _LIBRARIES or module in (round_half_away.__module__, python2_text.__name__)


def codes_of(function: Any) -> tuple[types.CodeType, ...]:
    """The code that a call of a function, method, class or object runs."""
    if type(function) is types.FunctionType:
        return (function.__code__,)
    candidates = [function, getattr(function, "__func__", None), vars(type(function)).get("__call__")]
    if isinstance(function, type):
        candidates = [getattr(function, "__init__", None), getattr(function, "__new__", None)]
    return tuple(c.__code__ for c in candidates if isinstance(c, types.FunctionType))
