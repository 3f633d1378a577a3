"""`Program`: a source text, its syntax tree, and exact places in the file as written.

In: the path or the text of a Python program, Python 2 too.  Out: a `Program`.
Invariant: every `Span` that leaves this room is in lines and characters of the file as written, and
``program.text_of(program.span(node))`` is the text that the node was parsed from.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from tracer.program.errors import ProgramError
from tracer.program.leaks import leaked
from tracer.program.modernise import Modern, looks_like_python2, modernise, says_python3
from tracer.program.positions import PositionMap
from tracer.program.reading import decode, read
from tracer.tape.node import Notice, Span

_COMPOUND = (
    ast.For, ast.While, ast.If, ast.With, ast.Try, ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef,
    ast.AsyncFor, ast.AsyncWith, ast.Match, ast.TryStar,
)  # fmt: skip
_KEPT = "In Python 2, {name} is here what a list comprehension gave it last; now it is what it was before that."
#: What a program from standard input is called.
STANDARD_INPUT = "<stdin>"


@dataclass(frozen=True)
class Statement:
    """A simple statement, or the header of a compound one (``for i in range(3):``)."""

    span: Span
    text: str
    kind: str
    header: bool


@dataclass(frozen=True)
class Program:
    """A parsed program.

    Attributes:
        path: as the user named it.
        source: the text as written.
        text: the text that was parsed: the modernised one of a Python 2 program, else ``source``.
        tree: syntax tree of ``text``.
        python2: whether it was converted.
        classic_division: whether ``/`` of two integers rounds down, as in Python 2.
        notices: what was converted.
    """

    path: str
    source: str
    text: str
    tree: ast.Module
    python2: bool = False
    classic_division: bool = False
    notices: tuple[Notice, ...] = ()
    positions: PositionMap | None = field(default=None, repr=False)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """The lines as written, without their ends."""
        return tuple(self.source.split("\n"))

    @cached_property
    def _parsed_lines(self) -> list[bytes]:
        return [line.encode() for line in self.text.split("\n")]

    def span(self, node: ast.AST) -> Span:
        """Where ``node`` stands in the file as written."""
        line, column = node.lineno, node.col_offset  # type: ignore[attr-defined]
        end_line, end_column = node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]
        return self._span(
            (line, self._character(line, column)), (end_line, self._character(end_line, end_column))
        )

    def _character(self, line: int, byte: int) -> int:
        return len(self._parsed_lines[line - 1][:byte].decode(errors="replace"))

    def _span(self, start: tuple[int, int], end: tuple[int, int]) -> Span:
        if self.positions is not None:
            start, end = self.positions.start(start), self.positions.end(end)
        return Span(*start, *end)

    def text_of(self, span: Span) -> str:
        """The text of a span, cut from the source as written."""
        lines = self.lines[span.line - 1 : span.end_line]
        if not lines:
            return ""
        if len(lines) == 1:
            return lines[0][span.column : span.end_column]
        return "\n".join([lines[0][span.column :], *lines[1:-1], lines[-1][: span.end_column]])

    def source_line(self, line: int) -> str:
        """One line as written, ``""`` outside the file."""
        return self.lines[line - 1] if 0 < line <= len(self.lines) else ""

    def line_as_written(self, line: int) -> int:
        """The line of the file as written that a line of the parsed text came from."""
        return self.positions.start((line, 0))[0] if self.positions is not None else line

    def header_span(self, node: ast.stmt) -> Span:
        """The first line or lines of a compound statement, up to and with its colon."""
        body: Any = getattr(node, "body", None) or getattr(node, "cases", None)
        first = body[0]
        line = first.lineno if hasattr(first, "lineno") else first.pattern.lineno
        column = first.col_offset if hasattr(first, "col_offset") else first.pattern.col_offset
        line = min([line, *(d.lineno for d in getattr(first, "decorator_list", ()))])
        text_lines = self.text.split("\n")
        if line == node.lineno or text_lines[line - 1].encode()[:column].strip():
            prefix = text_lines[line - 1].encode()[:column].decode().rstrip()
            end = (line, len(prefix))
        else:
            end_line = line - 1
            while end_line > node.lineno and not _without_comment(text_lines[end_line - 1]).endswith(":"):
                end_line -= 1
            end = (end_line, len(_without_comment(text_lines[end_line - 1])))
        return self._span((node.lineno, self._character(node.lineno, node.col_offset)), end)

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """Simple statements and headers of compound ones, in the order of the file."""
        found: list[Statement] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.stmt):
                compound = isinstance(node, _COMPOUND)
                span = self.header_span(node) if compound else self.span(node)
                found.append(Statement(span, self.text_of(span), type(node).__name__, compound))
        return tuple(sorted(found, key=lambda s: (s.span.line, s.span.column)))

    def statement_at(self, line: int, column: int) -> Span | None:
        """The innermost simple statement that covers this place of the file as written, or ``None``."""
        best: Span | None = None
        for statement in self.statements:
            span = statement.span
            inside = (span.line, span.column) <= (line, column) < (span.end_line, span.end_column)
            if inside and not statement.header and (best is None or span >= best):
                best = span
        return best


def load(path: str | Path) -> Program:
    """Read and parse a file: a Python program, a notebook, or, for ``-``, what stands on standard input.

    Raises:
        ProgramError: it cannot be read, or is not a Python program.
    """
    if str(path) == "-":
        return parse(decode(sys.stdin.buffer.read(), STANDARD_INPUT), STANDARD_INPUT)
    text = read(path)
    if str(path).endswith(".ipynb"):
        from tracer.program.notebook import script_of

        source, notices = script_of(text, str(path))
        program = parse(source, str(path))
        return replace(program, notices=(*notices, *program.notices))
    return parse(text, str(path))


def with_call(program: Program, call: str) -> Program:
    """The program with one more line, which calls what it defines.

    Raises:
        ProgramError: ``call`` is not a Python expression.
    """
    try:
        ast.parse(call.strip(), mode="eval")
    except SyntaxError as error:
        column = max((error.offset or 1) - 1, 0)
        raise ProgramError(
            f"This call is not a Python expression: {error.msg}.", "--call", 1, column, call.strip(),
            "Write it as in Python: --call 'affine_backward(dout, affine_forward(x, w, b)[1])'.",
        ) from None  # fmt: skip
    lines = program.source.rstrip("\n") + "\n\n"
    return replace(parse(f"{lines}called = {call.strip()}\n", program.path), notices=program.notices)


def parse(source: str, path: str = "<program>") -> Program:
    """Parse a program; Python 2 is converted, with a notice.

    Raises:
        ProgramError: a syntax error, with its place, and with what probably happened to the text.
    """
    source = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        return _python2(source, path, error)
    return _python2(source, path, None) if looks_like_python2(tree) else Program(path, source, source, tree)


def _python2(source: str, path: str, error: Exception | None) -> Program:
    expanded = _expand_tabs(source)
    try:
        modern: Modern = modernise(expanded, path)
        tree = ast.parse(modern.text)
    except (ProgramError, SyntaxError) as second:
        further = isinstance(second, ProgramError) and second.line > (getattr(error, "lineno", None) or 0)
        raise _syntax_error(source, path, second if further or error is None else error) from None
    what = "Python 2: converted before it was run (" + ", ".join(modern.changes) + ")"
    if modern.classic_division:
        what += "; / of two integers rounds down, as it did there"
    positions = modern.positions
    if expanded != source:
        positions = _through_tabs(positions, source)
    program = Program(path, source, modern.text, tree, True, modern.classic_division, (Notice(1, 0, what),), positions)
    spans = [(name.id, program.span(name)) for name in leaked(tree)]
    kept = (Notice(span.line, span.column, _KEPT.format(name=name)) for name, span in spans)
    return replace(program, notices=(*program.notices, *kept))


def as_python2(program: Program) -> Program:
    """A program that belongs to one in Python 2: the same, read as Python 2, unless its text is of Python 3 only."""
    if program.python2 or says_python3(program.tree):
        return program
    try:
        read = _python2(program.source, program.path, None)
    except ProgramError:
        return program
    rounds = "; / of two integers rounds down" if read.classic_division and "/" in program.source else ""
    same = not rounds and read.text.strip() == program.source.strip()
    what = f"Python 2, because another file of the program is{rounds}"
    return replace(read, notices=program.notices if same else (*program.notices, Notice(1, 0, what)))


def _expand_tabs(source: str) -> str:
    """Leading tabs as eight columns, as Python 2 counted them."""
    lines = []
    for line in source.split("\n"):
        body = line.lstrip(" \t")
        lines.append(line[: len(line) - len(body)].expandtabs(8) + body)
    return "\n".join(lines)


def _through_tabs(positions: PositionMap, source: str) -> PositionMap:
    lines = source.split("\n")

    def back(place: tuple[int, int]) -> tuple[int, int]:
        line, column = place
        written = lines[line - 1] if line <= len(lines) else ""
        lead = written[: len(written) - len(written.lstrip(" \t"))]
        return line, max(column - (len(lead.expandtabs(8)) - len(lead)), 0)

    return PositionMap(
        positions.starts,
        [back(p) for p in positions.old_starts],
        positions.ends,
        [back(p) for p in positions.old_ends],
    )


def _without_comment(line: str) -> str:
    """The line up to a comment; a ``#`` inside a string of a header line is rare and only widens the span."""
    return line.split("#", 1)[0].rstrip() if "#" in line else line.rstrip()


def _syntax_error(source: str, path: str, error: Exception) -> ProgramError:
    if not isinstance(error, SyntaxError):
        if isinstance(error, ProgramError):
            return error
        return ProgramError(f"This is not a Python program: {error}.", path)
    lines = source.split("\n")
    line = min(error.lineno or 1, len(lines))
    shown = lines[line - 1]
    column = max((error.offset or 1) - 1, 0)
    if isinstance(error, IndentationError) and "expected an indented block" in (error.msg or ""):
        return ProgramError(
            f"Syntax error: {error.msg}. The indentation seems to have been lost in copying: "
            f"line {line} should stand further to the right.",
            path, line, column, shown, "Copy the program again with its indentation, or indent the body.",
        )  # fmt: skip
    if isinstance(error, IndentationError) and "unexpected indent" in (error.msg or ""):
        return ProgramError(
            "Syntax error: unexpected indent.", path, line, column, shown,
            "The line stands further to the right than the block that it belongs to.",
        )  # fmt: skip
    return ProgramError(f"Syntax error: {error.msg}.", path, line, column, shown, "Correct this line first.")
