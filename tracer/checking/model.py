"""What is known of one checked program, as data, in the shape of its JSON.

Lines count from 1, columns from 0, in characters of the file as written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tracer.explanation.model import Edit, Note, Verdict

#: What may be said of a gradient.
VERDICTS: tuple[Verdict, ...] = ("proved", "checked", "wrong", "unexplained")

#: What may be said of a program.
Outcome = Literal["right", "nothing found", "not known", "wrong", "failed"]


@dataclass(frozen=True, slots=True)
class Judged:
    """One gradient of a program.

    Attributes:
        line, column, end_line, end_column: where it stands; the end is exclusive.
        code: what it is bound to, else its source text.
        what: what it is, in a few words: ``∂loss/∂W2``.
        kind, says, fix, edits: of a wrong one, the diagnosis: the corrected line, and what to replace.
        remark: a convention that is no mistake, or None.
        module: the path of the program's own module that it stands in, whose lines are then counted; None for the program.
    """

    line: int
    column: int
    end_line: int
    end_column: int
    code: str
    what: str
    verdict: Verdict
    kind: str | None = None
    says: str | None = None
    fix: str | None = None
    edits: tuple[Edit, ...] = ()
    remark: str | None = None
    module: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a program could not be checked.

    Attributes:
        kind: ``input`` (it cannot be read), ``program`` (it failed), ``time``, ``memory``, or ``tracer`` (a
            mistake of this tool).
        line: 0 if there is no such place.
    """

    kind: Literal["input", "program", "time", "memory", "tracer"]
    message: str
    line: int = 0
    column: int = 0
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """One program, checked.

    Attributes:
        key: changes with its text and with everything that it was checked with.
    """

    path: str
    key: str
    seconds: float
    gradients: tuple[Judged, ...] = ()
    notices: tuple[Note, ...] = ()
    failure: Failure | None = None

    def count(self, verdict: Verdict) -> int:
        """How many gradients have a verdict."""
        return sum(gradient.verdict == verdict for gradient in self.gradients)

    @property
    def outcome(self) -> Outcome:
        """The worst that is known of it."""
        if self.failure is not None:
            return "failed"
        if self.count("wrong"):
            return "wrong"
        if self.count("unexplained"):
            return "not known"
        return "right" if self.gradients else "nothing found"
