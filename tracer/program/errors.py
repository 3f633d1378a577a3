"""The one error of this room: a program that cannot be read, with its place and what to do about it."""

from __future__ import annotations


class ProgramError(Exception):
    """A program that cannot be read or parsed.

    Attributes:
        message: what is wrong, in one sentence.
        path: the file, as the user named it.
        line, column: where, lines from 1 and columns from 0; 0 when there is no such place.
        source_line: the line as written, or ``""``.
        hint: what to do, or ``""``.
    """

    def __init__(
        self,
        message: str,
        path: str = "",
        line: int = 0,
        column: int = 0,
        source_line: str = "",
        hint: str = "",
    ) -> None:
        self.message, self.path, self.line, self.column = message, path, line, column
        self.source_line, self.hint = source_line, hint
        place = f"{path}:{line}:{column}: " if line else f"{path}: " if path else ""
        super().__init__(place + message + (f" {hint}" if hint else ""))
