"""The small tape: nodes, replay, the numeric reverse sweep, and a recorder of plain NumPy functions.

NumPy is imported with what needs it, so that a program can be read, and started, before that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tracer.tape.node import Binding, Call, Kind, Node, Notice, Ref, Site, Span, Window

if TYPE_CHECKING:
    from tracer.tape.array_recorder import CannotRecord, record
    from tracer.tape.functions import Slice, resolve
    from tracer.tape.reverse import sweep
    from tracer.tape.tape import ReplayError, Tape, evaluate, operands, references, replay, substitute

__all__ = [
    "Binding", "Call", "CannotRecord", "Kind", "Node", "Notice", "Ref", "ReplayError", "Site", "Slice", "Span", "Tape",
    "evaluate", "operands", "record", "references", "replay", "resolve", "substitute", "sweep", "Window",
]  # fmt: skip

_HOMES = {
    "Slice": "functions", "resolve": "functions", "sweep": "reverse",
    "CannotRecord": "array_recorder", "record": "array_recorder",
    **dict.fromkeys(("ReplayError", "Tape", "evaluate", "operands", "references", "replay", "substitute"), "tape"),
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
