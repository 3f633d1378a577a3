"""Places in the source of a program, and edits of their text; nothing is known here of what an edit is for.

Comes in: a program.  Goes out: the expressions and statements that stand at a span, and whole lines with a span replaced.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from msgspec import Struct

from tracer.explanation.building.code_words import CodeWords
from tracer.explanation.model import Edit
from tracer.program import Program
from tracer.program.changes import arguments_of, called_name
from tracer.tape.node import Span

SUMS = (ast.Add, ast.Sub)
PRODUCTS = (ast.Mult, ast.Div)
#: A name of code, but for one that is an attribute of something.
_NAME = re.compile(r"(?<![\w.])[^\W\d]\w*")
#: A function of NumPy as this project writes it.
_OF_NUMPY = re.compile(r"(?<![\w.])np\.(?=\w)")
_TIGHT = (ast.Name, ast.Call, ast.Attribute, ast.Subscript, ast.Constant)


class Rewritten(Struct, frozen=True):
    """One way to write an edit: the lines, and the expression before and after."""

    edit: Edit
    old: str
    new: str


def renamed(text: str, names: Mapping[str, str]) -> str:
    """A text of code with other names for its variables; attributes keep theirs."""
    return _NAME.sub(lambda found: names.get(found[0], found[0]), text)


class SourcePlaces:
    """The places of one program, with how its values are called."""

    def __init__(self, program: Program, words: CodeWords) -> None:
        self.program, self.words = program, words
        self._nodes: dict[Span, list[ast.AST]] = {}
        self._loose: dict[Span, ast.AST] = {}
        for node in ast.walk(program.tree):
            if isinstance(node, ast.expr | ast.stmt):
                self._nodes.setdefault(program.span(node), []).append(node)
            self._loose.update((program.span(inner), node) for inner in _beside_operators(node))

    def _text(self, node: ast.AST) -> str:
        return self.program.text_of(self.program.span(node))

    def _expression(self, span: Span) -> ast.expr | None:
        return next((n for n in self._nodes.get(span, ()) if isinstance(n, ast.expr)), None)

    def _statement(self, span: Span) -> ast.stmt | None:
        place = self.program.statement_at(span.line, span.column)
        return (
            next((n for n in self._nodes.get(place, ()) if isinstance(n, ast.stmt)), None) if place else None
        )

    def _function(self, at: Span) -> ast.FunctionDef | None:
        """The function that a place stands in."""
        around = [n for n in ast.walk(self.program.tree) if isinstance(n, ast.FunctionDef) and _holds(n, at)]
        return max(around, key=lambda n: n.lineno, default=None)

    def _as_imported(self, way: Rewritten) -> Rewritten:
        """NumPy by the name under which the program imports it: ``numpy.exp``, and ``exp`` after ``from numpy import *``."""
        prefix = self._numpy
        if prefix == "np.":
            return way
        edit = replace(way.edit, new=_OF_NUMPY.sub(prefix, way.edit.new))
        return Rewritten(edit, way.old, _OF_NUMPY.sub(prefix, way.new))

    @cached_property
    def _numpy(self) -> str:
        """What stands before the name of a function of NumPy; ``np.`` where it is not imported."""
        given: dict[str, None] = {}
        for node in ast.walk(self.program.tree):
            if isinstance(node, ast.Import):
                given.update({f"{a.asname or a.name}.": None for a in node.names if a.name == "numpy"})
            elif isinstance(node, ast.ImportFrom) and node.module == "numpy":
                given.update(dict.fromkeys([""] if any(a.name == "*" for a in node.names) else []))
        return "np." if "np." in given else next(iter(given), "np.")

    def _as_given(self, text: str, at: Span) -> list[str]:
        """An expression in what the callers of a function give to it, in the function's own names; then as it was."""
        function = self._function(at)
        if function is None:
            return [text]
        calls = [n for n in ast.walk(self.program.tree) if isinstance(n, ast.Call) and called_name(n) == function.name]
        found: dict[str, None] = {}
        for call in calls:
            names = {ast.unparse(given): name for name, given in arguments_of(call, function)}
            found[renamed(text, names)] = None
        return [*found, *([] if text in found else [text])]

    def _own_first(self, texts: list[str], at: Span) -> list[str]:
        """Expressions in the variables of the function that a place stands in, before those that need others."""
        function = self._function(at)
        if function is None:
            return texts
        inside = list(ast.walk(function))
        own = {n.arg for n in inside if isinstance(n, ast.arg)}
        own |= {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        return sorted(texts, key=lambda text: not set(_NAME.findall(text)) <= own | {"np"})

    def _value_span(self, span: Span) -> Span:
        """The value of a statement for what it is bound to: where a value only gets another name."""
        statement = self._statement(span)
        if isinstance(statement, ast.Assign) and [self.program.span(t) for t in statement.targets] == [span]:
            return self.program.span(statement.value)
        return span

    def _replace(self, span: Span, new: str) -> Iterator[Rewritten]:
        """The text of a span replaced; put into parentheses where it needs them."""
        if "\n" in new:
            return
        if span in self._loose and not is_tight(new) and not self._is_enclosed(span) and self._is_torn(span, new):
            new = f"({new})"
        if self.program.lines[span.line - 1 : span.end_line]:
            yield Rewritten(self._with(span, new), self.program.text_of(span), new)

    def _with(self, span: Span, new: str) -> Edit:
        lines = self.program.lines[span.line - 1 : span.end_line]
        return Edit(span.line, span.end_line, lines[0][: span.column] + new + lines[-1][span.end_column :])

    def _is_torn(self, span: Span, new: str) -> bool:
        """Whether what stands around an expression takes it apart; ``(d * mask) @ W`` is easier to read in any case."""
        around = self._loose[span]
        if isinstance(around, ast.BinOp) and isinstance(around.op, ast.MatMult):
            return True
        bare, closed = (edited(self.program, self._with(span, text)) for text in (new, f"({new})"))
        try:
            return ast.dump(ast.parse(bare)) != ast.dump(ast.parse(closed))
        except SyntaxError:  # Python 2
            return True

    def _is_enclosed(self, span: Span) -> bool:
        """Whether the program has put an expression into parentheses already."""
        before = self.program.source_line(span.line)[: span.column].rstrip()
        after = self.program.source_line(span.end_line)[span.end_column :].lstrip()
        return before.endswith("(") and after.startswith(")")

    def _at(self, span: Span, new: str | None) -> Iterator[Rewritten]:
        if new is not None:
            yield from self._replace(span, new)

    def _after(self, span: Span, line: str) -> Iterator[Rewritten]:
        """A line of its own behind the statement."""
        place = self.program.statement_at(span.line, span.column)
        if place is None:
            return
        written = list(self.program.lines[place.line - 1 : place.end_line])
        indent = written[0][: len(written[0]) - len(written[0].lstrip())]
        text = "\n".join([*written, indent + line])
        yield Rewritten(Edit(place.line, place.end_line, text), "", line)

    def _around(self, span: Span, first: str, last: str) -> Iterator[Rewritten]:
        """A statement with a line of its own before it and one behind it."""
        place = self.program.statement_at(span.line, span.column)
        if place is not None:
            written = self.program.lines[place.line - 1 : place.end_line]
            indent = written[0][: len(written[0]) - len(written[0].lstrip())]
            text = "\n".join([indent + first, *written, indent + last])
            yield Rewritten(Edit(place.line, place.end_line, text), "", first)

    def _inside(self, node: ast.expr, text: str) -> str:
        """An operand's text, in parentheses if it is a sum itself."""
        return f"({text})" if isinstance(node, ast.BinOp) and isinstance(node.op, SUMS) else text

    def _called_upon(self, node: ast.expr) -> str:
        """The text of what a method is called of; its own parentheses are not within its span."""
        text = self._text(node)
        return text if is_tight(text) else f"({text})"

    def _operand(self, span: Span, position: int) -> list[tuple[ast.expr, Span]]:
        """The operand at a position of the operation that a place computes, and where it stands, if it has so many."""
        return [(node, self.program.span(node)) for node in self._operand_nodes(span)[position : position + 1]]

    def _operand_nodes(self, span: Span) -> list[ast.expr]:
        """The operands of the operation that a place computes, in the order in which it takes them."""
        for node in self._nodes.get(span, ()):
            if isinstance(node, ast.BinOp):
                return [node.left, node.right]
            if isinstance(node, ast.UnaryOp):
                return [node.operand]
            if isinstance(node, ast.AugAssign):
                return [node.target, node.value]
            if isinstance(node, ast.Call):
                method = isinstance(node.func, ast.Attribute) and not self._is_module(node.func.value)
                first = [node.func.value] if method and isinstance(node.func, ast.Attribute) else []
                return [*first, *node.args]
            if isinstance(node, ast.Attribute) and node.attr == "T":
                return [node.value]
        return []

    @staticmethod
    def _is_module(node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id in ("np", "numpy", "math", "scipy")

    def _replace_statement(self, statement: ast.stmt, new: str) -> Iterator[Rewritten]:
        span = self.program.span(statement)
        lines = self.program.lines[span.line - 1 : span.end_line]
        text = lines[0][: span.column] + new + lines[-1][span.end_column :]
        yield Rewritten(Edit(span.line, span.end_line, text), self.program.text_of(span), new)

    def _changed_in_place(self, span: Span) -> str | None:
        """The variable that a statement changes in place, if the place is the statement itself."""
        statement = self._statement(span)
        if statement is None or self.program.span(statement) != span:
            return None
        target = getattr(statement, "target", None) or next(iter(getattr(statement, "targets", ())), None)
        while isinstance(target, ast.Subscript) and not _is_key(target.slice):
            target = target.value
        return None if target is None else self._text(target)

    @staticmethod
    def _transposed(node: ast.expr, text: str) -> str:
        if isinstance(node, ast.Attribute) and node.attr == "T":
            return text.rpartition(".T")[0]
        return f"{text}.T" if is_tight(text) else f"({text}).T"


def edited(program: Program, edit: Edit) -> str:
    """The source text with an edit applied."""
    lines = list(program.lines)
    lines[edit.line - 1 : edit.end_line] = edit.new.split("\n")
    return "\n".join(lines)


def _beside_operators(node: ast.AST) -> list[ast.expr]:
    """The expressions within a node that stand beside an operator, a dot or a bracket."""
    match node:
        case ast.BinOp(left=left, right=right):
            return [left, right]
        case ast.UnaryOp(operand=operand):
            return [operand]
        case ast.Compare(left=left, comparators=others):
            return [left, *others]
        case ast.BoolOp(values=values):
            return list(values)
        case ast.Attribute(value=value) | ast.Subscript(value=value) | ast.Call(func=value):
            return [value]
    return []


def is_tight(text: str) -> bool:
    """Whether an expression may stand beside any operator without parentheses."""
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        return False
    return isinstance(node, _TIGHT) and not (isinstance(node, ast.Constant) and text.startswith("-"))


def tight(text: str) -> str:
    return text if is_tight(text) else f"({text})"


def _holds(node: ast.FunctionDef, span: Span) -> bool:
    return node.lineno <= span.line <= (node.end_lineno or node.lineno)


def _is_key(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
