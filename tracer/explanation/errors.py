"""What is wrong with a request, in words for the person who made it."""

from __future__ import annotations


class CannotExplain(Exception):
    """A program ran and was read, but what was asked about it cannot be done.

    Attributes:
        message: what is wrong, in one sentence (there is no loss of that name…).
        hint: what to do, or ``""``.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        self.message, self.hint = message, hint
        super().__init__(message + (f" {hint}" if hint else ""))
