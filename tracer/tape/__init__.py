"""The small tape: nodes, replay, the numeric reverse sweep, and a recorder of plain NumPy functions."""

from __future__ import annotations

from tracer.tape.functions import Slice, resolve
from tracer.tape.node import Binding, Call, Kind, Node, Notice, Ref, Site, Span, Window
from tracer.tape.record import CannotRecord, record
from tracer.tape.sweep import sweep
from tracer.tape.tape import ReplayError, Tape, evaluate, operands, references, replay, substitute

__all__ = [
    "Binding", "Call", "CannotRecord", "Kind", "Node", "Notice", "Ref", "ReplayError", "Site", "Slice", "Span", "Tape",
    "evaluate", "operands", "record", "references", "replay", "resolve", "substitute", "sweep", "Window",
]  # fmt: skip
