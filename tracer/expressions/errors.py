"""The one error of this room: an expression that has no derivation, with the place in it and what to do."""

from __future__ import annotations


class CannotDerive(Exception):
    """An expression, or what was said about its shapes, cannot be used.

    Attributes:
        message: what is wrong, in one sentence.
        expression: the text as it was given, or ``""``.
        line, column: where in it, lines from 1 and columns from 0; the line is 0 if there is no such place.
        hint: what to do, or ``""``.
    """

    def __init__(
        self, message: str, expression: str = "", line: int = 0, column: int = 0, hint: str = ""
    ) -> None:
        self.message, self.expression, self.hint = message, expression, hint
        self.line, self.column = line, column
        place = f"column {column}: " if line == 1 else f"line {line}, column {column}: " if line else ""
        super().__init__(place + message + (f" {hint}" if hint else ""))

    def told(self) -> str:
        """The message with the expression, a caret under the place, and what to do."""
        place = f"column {self.column}: " if self.line == 1 else ""
        if self.line > 1:
            place = f"line {self.line}, column {self.column}: "
        text = place + self.message
        if self.line:
            text += f"\n    {self.expression.split(chr(10))[self.line - 1]}\n    {' ' * self.column}^"
        return text + (f"\n  {self.hint}" if self.hint else "")
