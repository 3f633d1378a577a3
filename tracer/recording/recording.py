"""`Recording`: what one run of a program gave."""

from __future__ import annotations

from dataclasses import dataclass

from tracer.program.program import Program
from tracer.tape.node import Notice
from tracer.tape.tape import Tape


@dataclass
class Recording:
    """A tape, the program that it came from, and how the run ended.

    Attributes:
        stdout: what the program printed.
        ended: ``"end"``, ``"stopped"`` (all windows were recorded), ``"exit"`` (``sys.exit``) or ``"time"``.
        notices: what the reader should know, those of the program and of the tape too.
        modules: the program's other files, where they cannot be read again by their paths: cells of a notebook.
    """

    tape: Tape
    program: Program
    stdout: str = ""
    ended: str = "end"
    notices: tuple[Notice, ...] = ()
    modules: tuple[Program, ...] = ()
