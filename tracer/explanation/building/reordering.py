"""Statements in another order, for gradients that read a parameter after its update.

Comes in: a program, the update that came too early, and what reads the new version.  Goes out: ways to write it so that
the old version is read.  Nothing is claimed of them here: each has to be run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from tracer.explanation.model import Edit
from tracer.program import Program
from tracer.program.changes import base_name, changed_by, names_read
from tracer.tape.node import Span


class Reader(Struct, frozen=True):
    """An expression that reads a part of a parameter after its update; ``number`` if that is a single number."""

    span: Span
    text: str
    number: bool


def reordered(program: Program, early: Span, late: Sequence[Span], readers: Sequence[Reader]) -> Iterator[Edit]:
    """The ways to let gradients read the old version, the simplest first.

    Arguments:
        early: the statement of the update that came too early.
        late: the statements of the updates whose gradients it spoils.
        readers: what reads the new version.
    """
    whole = [_beside(program, early, s) for s in late]
    last = _updated_last(program, early, whole)
    if last is not None and not _needs(program, early, late):
        yield last
    kept = _kept_before(program, early, readers)
    if kept is not None:
        yield kept
    yield from _read_before(program, early, readers)


def kept_in(program: Program, edit: Edit) -> str | None:
    """The line with which such an edit keeps an old value; None if it does so in none."""
    first = edit.new.split("\n")[0].strip()
    return first if re.match(r"old_\w+ = ", first) and first not in map(str.strip, program.lines) else None


def _updated_last(program: Program, early: Span, late: Sequence[Span]) -> Edit | None:
    """The block from the early update to the last spoiled one, with the early update moved to its end."""
    if not late or any(s.line <= early.end_line for s in late):
        return None
    last = max(late, key=lambda s: s.line)
    if not _is_one_block(program, early, late):
        return None
    between = program.lines[early.end_line : last.end_line]
    moved = [*between, *program.lines[early.line - 1 : early.end_line]]
    return Edit(early.line, last.end_line, "\n".join(moved))


def _needs(program: Program, early: Span, late: Sequence[Span]) -> bool:
    """Whether the early update reads what the others change, so that it would come too late behind them."""
    statements = {program.span(n): n for n in ast.walk(program.tree) if isinstance(n, ast.stmt)}
    changed = {base_name(t) for s in late if s in statements for t in changed_by(statements[s])}
    return early in statements and not names_read(statements[early]).isdisjoint(changed)


def _kept_before(program: Program, early: Span, readers: Sequence[Reader]) -> Edit | None:
    """What is read of the parameter, read before the update and kept under a name: ``old_P = P[i][k]``.

    For two updates each of which needs what the other one changes.
    """
    statements = [program.statement_at(r.span.line, r.span.column) for r in readers]
    after = [s for s in statements if s is not None and s.line > early.end_line]
    known = all(_is_place(r.text) for r in readers)
    if not readers or len(after) != len(readers) or not known or not _is_one_block(program, early, after):
        return None
    taken = {n.id for n in ast.walk(program.tree) if isinstance(n, ast.Name)}
    names: dict[str, str] = {}
    for reader in readers:
        if reader.text not in names:
            names[reader.text] = _new_name(reader.text, taken | set(names.values()))
    last = max(s.end_line for s in after)
    lines = list(program.lines)
    for reader in sorted(set(readers), key=lambda r: r.span, reverse=True):
        if reader.span.line != reader.span.end_line:
            return None
        text = lines[reader.span.line - 1]
        lines[reader.span.line - 1] = text[: reader.span.column] + names[reader.text] + text[reader.span.end_column :]
    indent = _indent(program.lines[early.line - 1])
    numbers = {r.text for r in readers if r.number}
    kept = [f"{indent}{name} = {text}{'' if text in numbers else '.copy()'}" for text, name in names.items()]
    return Edit(early.line, last, "\n".join([*kept, *lines[early.line - 1 : last]]))


def _read_before(program: Program, early: Span, readers: Sequence[Reader]) -> Iterator[Edit]:
    """A statement that reads the parameter, before the loop that updates it: for updates entry by entry."""
    for reader in readers:
        late = program.statement_at(reader.span.line, reader.span.column)
        for block in _blocks(program) if late is not None else ():
            spans = [program.span(s) for s in block]
            if late in spans and late is not None:
                holding = [s for s in spans if s.line < early.line <= early.end_line <= s.end_line < late.line]
                if holding:
                    start, end = holding[0].line, late.end_line
                    moved = program.lines[late.line - 1 : late.end_line]
                    yield Edit(start, end, "\n".join([*moved, *program.lines[start - 1 : late.line - 1]]))


def _beside(program: Program, early: Span, late: Span) -> Span:
    """The statement in the block of the early update that a later one stands in, such as the loop over rows around it."""
    for block in _blocks(program):
        spans = [program.span(s) for s in block]
        if early in spans:
            return next((s for s in spans if s.line <= late.line and late.end_line <= s.end_line), late)
    return late


def _blocks(program: Program) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(program.tree):
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                yield block


def _is_one_block(program: Program, early: Span, late: Sequence[Span]) -> bool:
    """Whether statements stand under each other, with nothing between them that ends the block."""
    indent = _indent(program.lines[early.line - 1])
    last = max(s.end_line for s in late)
    between = program.lines[early.end_line : last]
    same = all(_indent(program.lines[s.line - 1]) == indent for s in late)
    return same and not any(text.strip() and not text.startswith(indent) for text in between)


def _is_place(text: str) -> bool:
    try:
        return isinstance(ast.parse(text, mode="eval").body, ast.Subscript)
    except SyntaxError:
        return False


def _new_name(text: str, taken: set[str]) -> str:
    """A name for what was read before: ``old_P`` for ``P[i][k]`` and for ``self.P[i][k]``."""
    called: list[str] = re.findall(r"\w+", text.partition("[")[0])
    base = f"old_{called[-1]}"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    return name


def _indent(text: str) -> str:
    return text[: len(text) - len(text.lstrip())]
