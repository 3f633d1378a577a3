"""From a `Program` to a `Tape`: run it, and record the operations of the chosen iterations."""

from __future__ import annotations

from tracer.recording.child import record_in_child
from tracer.recording.errors import (
    MissingPackage,
    NameUndefined,
    OutOfMemory,
    ProgramFailed,
    RecordingError,
    TimedOut,
)
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
