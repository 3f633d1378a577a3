"""What arrays and indices are called in sentences."""

from __future__ import annotations

from typing import Protocol

from tracer.calculus.printing import Letters
from tracer.calculus.terms import Index


class Called(Protocol):
    """What arrays are called."""

    def source(self, array: str) -> str: ...
    def array(self, name: str) -> str: ...
    def is_temporary(self, array: str) -> bool: ...


def letter_of(index: Index, letters: Letters) -> str:
    """The letter of an index; of one that the formula does not show, some words."""
    try:
        return letters[index]
    except KeyError:
        return "that index"
