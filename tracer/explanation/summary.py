"""Which lines a reader asks about first: the lines of an explanation in three groups, counted by verdict.

In comes an `Explanation`, out go `Row`s, one for each statement's own part.  Invariant: every line of
the explanation has at least one row, and every part with a verdict is in a row or inside a row's line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tracer.explanation.model import Explanation, Line, Part

Group = Literal["backward", "update", "forward"]

#: A name, an attribute or an item with a constant key: reading it computes nothing.
_PLAIN_NAME = re.compile(r"[^\W\d]\w*(\.\w+|\[\w+\]|\[(['\"])[^'\"]*\2\])*")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table *code line ↔ formula*."""

    line: Line
    part: Part
    group: Group


@dataclass(frozen=True, slots=True)
class Counts:
    """How many backward rows there are, by verdict; ``other`` have none because they claim nothing."""

    backward: int
    proved: int
    checked: int
    wrong: int
    unexplained: int

    @property
    def other(self) -> int:
        return self.backward - self.proved - self.checked - self.wrong - self.unexplained


def own_parts(line: Line) -> tuple[Part, ...]:
    """The parts that stand for the statement itself, in the order they were written; never empty."""
    whole = tuple(part for part in line.parts if part.whole)
    if whole:
        return whole
    judged = tuple(part for part in line.parts if part.verdict is not None)
    return judged[:1] or line.parts[:1]


def rows(explanation: Explanation) -> tuple[Row, ...]:
    """One row for each statement's own part, in the order of the program."""
    later_gradients = _gradient_targets(explanation.lines)
    found: list[Row] = []
    for line in explanation.lines:
        for part in own_parts(line):
            if part.role == "update":
                found.extend(Row(line, inner, "backward") for inner in _computed_gradients(line))
            found.append(Row(line, part, _group(part, line, later_gradients)))
    return tuple(found)


def counts(explanation: Explanation) -> Counts:
    """Counts over the rows of the backward pass."""
    verdicts = [row.part.verdict for row in rows(explanation) if row.group == "backward"]
    return Counts(
        len(verdicts),
        verdicts.count("proved"),
        verdicts.count("checked"),
        verdicts.count("wrong"),
        verdicts.count("unexplained"),
    )


def line_at(explanation: Explanation, number: int) -> Line | None:
    """The innermost statement with parts that covers a line of the file, or None."""
    covering = [line for line in explanation.lines if line.line <= number <= line.end_line]
    return min(covering, key=lambda line: line.end_line - line.line, default=None)


def _group(part: Part, line: Line, gradient_targets: dict[str, int]) -> Group:
    if part.role == "update":
        return "update"
    if part.role in ("gradient", "local derivative") or part.verdict is not None:
        return "backward"
    # ``dscores = probs.copy()``: a forward value that is made into a gradient in place, lines later.
    if part.target is not None and gradient_targets.get(part.target, 0) > line.line:
        return "backward"
    return "forward"


def _gradient_targets(lines: Iterable[Line]) -> dict[str, int]:
    """The names bound to gradients, with the last line that does so."""
    return {
        part.target: line.line
        for line in lines
        for part in line.parts
        if part.target is not None and part.role == "gradient"
    }


def _computed_gradients(line: Line) -> tuple[Part, ...]:
    """Gradients that an update line computes itself (``W -= rate * X.T @ d``), not those it only reads."""
    gradients = [
        part
        for part in line.parts
        if not part.whole and part.role == "gradient" and not _PLAIN_NAME.fullmatch(part.source)
    ]
    return tuple(part for part in gradients if not any(_inside(part, other) for other in gradients))


def _inside(part: Part, other: Part) -> bool:
    start, end = part.span[:2], part.span[2:]
    return other.span != part.span and other.span[:2] <= start and end <= other.span[2:]
