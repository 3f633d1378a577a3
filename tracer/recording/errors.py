"""What can go wrong when a program is run to be recorded; each error knows its place in the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracer.recording.recording import Recording


class RecordingError(Exception):
    """A program could not be recorded.

    Attributes:
        message: what happened.
        path, line, column: where, 0 if that is not known.
        source_line: the line as written.
        hint: what to do.
        recording: what was recorded up to there, if the windows were complete.
        stdout: what the program had printed.
    """

    def __init__(
        self, message: str, path: str = "", line: int = 0, column: int = 0, source_line: str = "", hint: str = "",
        recording: Recording | None = None, stdout: str = "",
    ) -> None:  # fmt: skip
        self.message, self.path, self.line, self.column = message, path, line, column
        self.source_line, self.hint, self.recording, self.stdout = source_line, hint, recording, stdout
        place = f"{path}:{line}:{column}: " if line else f"{path}: " if path else ""
        super().__init__(place + message + (f" {hint}" if hint else ""))


class ProgramFailed(RecordingError):
    """The program raised an exception: ``kind`` is its type, ``traceback`` its own frames only."""

    kind = ""
    traceback = ""


class MissingPackage(ProgramFailed):
    """The program imports a package that is not installed: ``package``."""

    package = ""


class NameUndefined(ProgramFailed):
    """The program reads ``name``, which it never defines: often only a part of it was copied."""

    name = ""


class TimedOut(RecordingError):
    """The program ran for longer than ``seconds``."""

    seconds = 0.0


class OutOfMemory(RecordingError):
    """The program wanted more memory than it was given."""
