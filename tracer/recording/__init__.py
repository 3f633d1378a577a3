"""From a `Program` to a `Tape`: run it, and record the operations of the chosen iterations.

What runs in the child process is imported there; here only when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracer.recording.child import record_in_child
from tracer.recording.errors import (
    MissingPackage,
    NameUndefined,
    OutOfMemory,
    ProgramFailed,
    RecordingError,
    TimedOut,
)

if TYPE_CHECKING:
    from tracer.recording.function import record_function
    from tracer.recording.recording import Recording
    from tracer.recording.run import record_source

__all__ = [
    "MissingPackage",
    "NameUndefined",
    "OutOfMemory",
    "ProgramFailed",
    "Recording",
    "RecordingError",
    "TimedOut",
    "record_function",
    "record_in_child",
    "record_source",
]

_HOMES = {"record_function": "function", "Recording": "recording", "record_source": "run"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
