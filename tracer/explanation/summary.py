"""Which lines a reader asks about first: the lines of an explanation in groups, counted by verdict.

In comes an `Explanation`, out go `Row`s, one for each statement's own part, and `Finding`s, one for each thing
that is wrong.  Invariant: every line has a row unless it only sets plain numbers, and every wrong part is in
exactly one finding or inside a part that is.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from tracer.explanation.model import Explanation, Line, Part, Verdict

Group = Literal["backward", "update", "forward", "set-up"]

#: The groups whose lines are told in full where not everything is.
TOLD = ("backward", "update")

#: From the best to the worst; a statement is as good as the worst of what it computes.
_ORDER = ("", "proved", "checked", "unexplained", "wrong")

#: A name, an attribute or an item with a constant key: reading it computes nothing.
_PLAIN_NAME = re.compile(r"[^\W\d]\w*(\.\w+|\[\w+\]|\[(['\"])[^'\"]*\2\])*")


class Row(Struct, frozen=True):
    """One row of the table *code line ↔ formula*."""

    line: Line
    part: Part
    group: Group

    @property
    def code(self) -> str:
        """The statement, as far as the part is it, on one line."""
        return collapsed(_source(self.line, self.part))


class Finding(Struct, frozen=True):
    """One thing that is wrong, with all the parts that show it, in the order of the program."""

    says: str
    parts: tuple[Part, ...]


class Counts(Struct, frozen=True):
    """How many backward statements there are, by verdict; ``other`` have none because they claim nothing."""

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
    known = {
        _identity(part): part.verdict
        for line in explanation.lines
        for part in line.parts
        if _is_own_gradient(part)
    }
    found: list[Row] = []
    for line in explanation.lines:
        if is_plain_number(line):
            continue
        for part in own_parts(line):
            if part.role == "update":
                found.extend(Row(line, inner, "backward") for inner in _own_gradients(line, known))
            found.append(Row(line, part, _group(part, line, later_gradients)))
    return tuple(found)


def is_plain_number(line: Line) -> bool:
    """Whether a line only sets numbers that are no part of the network, as ``N = 100`` does."""
    return all(part.role == "other" and part.shape == () and part.verdict is None for part in line.parts)


def counts(explanation: Explanation) -> Counts:
    """Counts over the statements of the backward pass."""
    worst: dict[int, int] = {}
    for row in rows(explanation):
        if row.group == "backward":
            worst[id(row.line)] = max(worst.get(id(row.line), 0), _ORDER.index(row.part.verdict or ""))
    verdicts = [_ORDER[rank] for rank in worst.values()]
    return Counts(
        len(verdicts),
        verdicts.count("proved"),
        verdicts.count("checked"),
        verdicts.count("wrong"),
        verdicts.count("unexplained"),
    )


def findings(explanation: Explanation) -> tuple[Finding, ...]:
    """What is wrong, each thing once; the pieces of a part that is wrong itself are not told again."""
    found: dict[str, list[Part]] = {}
    for line in explanation.lines:
        wrong = [part for part in line.parts if part.verdict == "wrong"]
        for part in wrong:
            if not any(_inside(part, other) for other in wrong):
                says = part.diagnosis.says if part.diagnosis else "This is not the gradient it is used as."
                found.setdefault(says, []).append(part)
    return tuple(Finding(says, tuple(parts)) for says, parts in found.items())


def statement(explanation: Explanation, part: Part) -> str:
    """The statement, as far as the part is it, on one line."""
    line = next((line for line in explanation.lines if any(part is other for other in line.parts)), None)
    return part.source if line is None else collapsed(_source(line, part))


def collapsed(source: str) -> str:
    """A statement on one line, without its comments; line by line if it cannot be taken apart."""
    lines = source.strip().split("\n")
    try:
        for token in tokenize.generate_tokens(io.StringIO(source.strip()).readline):
            if token.type == tokenize.COMMENT:
                row, column = token.start
                lines[row - 1] = lines[row - 1][:column]
    except (tokenize.TokenError, SyntaxError):
        return "\n".join(line.strip() for line in lines)
    return " ".join(" ".join(lines).split())


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
    return "set-up" if part.role in ("data", "parameter", "other") else "forward"


def _gradient_targets(lines: Iterable[Line]) -> dict[str, int]:
    """The names bound to gradients, with the last line that does so."""
    return {
        part.target: line.line
        for line in lines
        for part in line.parts
        if part.target is not None and part.role == "gradient"
    }


def _source(line: Line, part: Part) -> str:
    whole = {other.span for other in line.parts if other.whole}
    return line.source.strip() if whole == {part.span} else part.source


def _is_own_gradient(part: Part) -> bool:
    return part.whole and part.role == "gradient" and part.verdict is not None


def _identity(part: Part) -> tuple[str | None, int | None, str | None]:
    return part.of, part.of_line, part.wrt


def _own_gradients(
    line: Line, known: dict[tuple[str | None, int | None, str | None], Verdict | None]
) -> tuple[Part, ...]:
    """Gradients that an update line computes itself: ``W -= rate * X.T @ d``.

    Not those it only reads, and no multiple ``-rate * dW`` of what another line is already; but a wrong one
    is told here unless that line is wrong too.
    """
    gradients = [part for part in line.parts if not part.whole and part.role == "gradient"]
    found = []
    for part in gradients:
        name = _PLAIN_NAME.fullmatch(part.source) is not None
        if part.verdict == "wrong":
            told = name and known.get(_identity(part)) == "wrong"
        else:
            told = name or _identity(part) in known
        if not told:
            found.append(part)
    return tuple(part for part in found if not any(_inside(part, other) for other in found))


def _inside(part: Part, other: Part) -> bool:
    start, end = part.span[:2], part.span[2:]
    return other.span != part.span and other.span[:2] <= start and end <= other.span[2:]
