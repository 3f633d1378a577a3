"""Many programs checked at once: each in a process of its own, with its verdicts as data.

Comes in: paths, folders, patterns.  Goes out: a `Checked` for each program, as soon as it is there.  Invariant:
whatever one program does, the others are checked.
"""

from tracer.checking.model import Checked, Failure, Judged
from tracer.checking.programs import NoSuchProgram, find_programs
from tracer.checking.running import Limits, check_programs

__all__ = ["Checked", "Failure", "Judged", "Limits", "NoSuchProgram", "check_programs", "find_programs"]
