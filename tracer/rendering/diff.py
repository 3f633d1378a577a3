"""The correction of a wrong line as lines taken away and lines put in.

In come the edits of a diagnosis and the program's source, out goes a list of `DiffLine`s.  Invariant: the
kept and removed lines, in order, are the program's own lines.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from tracer.explanation.model import Edit, Explanation

Sign = Literal["-", "+", " "]


class DiffLine(Struct, frozen=True):
    """``number`` is the line in the program as written; lines put in have none."""

    sign: Sign
    number: int | None
    text: str


def source_lines(explanation: Explanation) -> list[str]:
    """The program's lines; the explained ones only, with blanks between them, if the source was not kept."""
    if explanation.program.source:
        return explanation.program.source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    last = max((line.end_line for line in explanation.lines), default=0)
    found = [""] * last
    for line in explanation.lines:
        for offset, text in enumerate(line.source.split("\n")):
            if line.line - 1 + offset < last:
                found[line.line - 1 + offset] = text
    return found


def diff(explanation: Explanation, edits: Iterable[Edit]) -> tuple[DiffLine, ...]:
    """What the edits do, line by line, in the order of the program."""
    lines = source_lines(explanation)
    found: list[DiffLine] = []
    for edit in sorted(edits, key=lambda edit: edit.line):
        old = lines[edit.line - 1 : edit.end_line]
        new = edit.new.rstrip("\n").split("\n") if edit.new else []
        for tag, start, stop, new_start, new_stop in difflib.SequenceMatcher(
            None, old, new, autojunk=False
        ).get_opcodes():
            sign: Sign = " " if tag == "equal" else "-"
            found.extend(DiffLine(sign, edit.line + k, old[k]) for k in range(start, stop))
            if tag != "equal":
                found.extend(DiffLine("+", None, new[k]) for k in range(new_start, new_stop))
    return tuple(found)
