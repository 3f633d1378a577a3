"""From source text to `Program`: syntax tree, exact spans, statements and loops.  Knows nothing of values."""

from __future__ import annotations

from tracer.program.errors import ProgramError
from tracer.program.loops import Loop, training_loops
from tracer.program.program import Program, Statement, load, parse, with_call

__all__ = ["Loop", "Program", "ProgramError", "Statement", "load", "parse", "training_loops", "with_call"]
