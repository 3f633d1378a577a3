"""A program and its own modules as one text, so that every line of theirs has a number of its own.

In: a `Program` and the modules that it imports.  Out: one `Program`: its own lines as they are, and below them those of
each module under a comment that names it.  Invariant: the numbers of the program's own lines stay, and `Joined.separated`
undoes the joining, edited lines included.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from tracer.program.notebook import is_cell
from tracer.program.program import Program
from tracer.tape.node import Span


@dataclass(frozen=True)
class Section:
    """The lines of a module within the whole text: its first line is ``line``, its last ``end_line``."""

    path: str
    line: int
    end_line: int


@dataclass(frozen=True)
class Joined:
    """The whole text as a program, and which lines of it are whose."""

    program: Program
    sections: tuple[Section, ...] = ()

    def moved(self, path: str, span: Span) -> Span | None:
        """Where a place in one of the modules stands in the whole text; ``None`` for any other file."""
        for section in self.sections:
            if section.path == path:
                by = section.line - 1
                return Span(span.line + by, span.column, span.end_line + by, span.end_column)
        return None

    def separated(self, text: str) -> tuple[str, dict[str, str]]:
        """The program's own text, and that of each module by its path, in an edited version of the whole."""
        found: dict[str, str] = {}
        for section in reversed(self.sections):
            text, _, found[section.path] = text.rpartition(_heading(section.path))
        return text, found


def _heading(path: str) -> str:
    called = f"cell {PurePath(path).stem}" if is_cell(path) else PurePath(path).name
    return f"\n\n# ======== {called} ({path}) ========\n"


def join(program: Program, modules: Sequence[Program]) -> Joined:
    """The program with its modules below; those that are Python 2 where it is not, or the reverse, are left out."""
    source, text, positions = program.source, program.text, program.positions
    body, sections = list(program.tree.body), []
    for module in modules:
        if (module.python2, module.classic_division) != (program.python2, program.classic_division):
            continue
        source, text = source + _heading(module.path), text + _heading(module.path)
        first, by = source.count("\n") + 1, text.count("\n")
        if positions is not None and module.positions is not None:
            positions = positions.followed_by(module.positions, by, first - 1)
        source, text = source + module.source, text + module.text
        sections.append(Section(module.path, first, source.count("\n") + 1))
        body += [ast.increment_lineno(copy.deepcopy(statement), by) for statement in module.tree.body]
    if not sections:
        return Joined(program)
    whole = replace(program, source=source, text=text, tree=ast.Module(body, []), positions=positions)
    return Joined(whole, tuple(sections))
