"""Edits that put a factor or a term beside a value, or change how a statement keeps it: ``=``, ``+=``, ``np.add.at``.

Comes in: the place of a value, and the text of what it lacks.  Goes out: edits of whole lines, the likeliest first; what
a statement changes in place gets a line of its own.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from msgspec.structs import replace

from tracer.diagnosis.rewrites import ThroughStatistics
from tracer.explanation.building.source_places import Rewritten, SourcePlaces, tight
from tracer.tape.node import Span


class TermEditor(SourcePlaces):
    """Writes edits of factors, terms and statements of one program."""

    def _scaled(self, span: Span, text: str) -> Iterator[Rewritten]:
        below = text.removeprefix("1 / ") if text.startswith("1 / ") else None
        changed = self._changed_in_place(span)
        if changed is not None:
            yield from self._after(span, f"{changed} /= {below}" if below else f"{changed} *= {text}")
            return
        node = self._expression(span)
        if node is None:
            return
        scale = f"/ {tight(below)}" if below else f"* {tight(text)}"
        if self._is_enclosed(span) and span not in self._loose:
            # The parentheses that are there are all that it needs.
            around = replace(span, column=span.column - 1, end_column=span.end_column + 1)
            if self.program.text_of(around)[:1] == "(" and self.program.text_of(around)[-1:] == ")":
                yield from self._replace(around, f"{self.program.text_of(around)} {scale}")
        yield from self._replace(span, f"{self._inside(node, self.program.text_of(span))} {scale}")

    def _times(self, span: Span, slope: str) -> Iterator[Rewritten]:
        changed = self._changed_in_place(span)
        if changed is not None:
            yield from self._after(span, f"{changed} *= {slope}")
            return
        node = self._expression(span)
        if node is not None:
            inner = self._inside(node, self.program.text_of(span))
            yield from self._replace(span, f"{inner} * {tight(slope)}")

    def _mask(self, span: Span) -> Iterator[Rewritten]:
        changed = self._changed_in_place(span)
        if changed is not None:
            yield from self._after(span, f"{changed}[{changed} > 0] = 1")
        else:
            yield from self._replace(span, f"({self.program.text_of(span)} > 0)")

    def _plus(self, span: Span, term: str) -> Iterator[Rewritten]:
        minus = term.startswith("-")
        term = term[1:].strip() if minus else term
        changed = self._changed_in_place(span)
        if changed is not None:
            yield from self._after(span, f"{changed} {'-' if minus else '+'}= {term}")
            return
        yield from self._replace(span, f"{self.program.text_of(span)} {'-' if minus else '+'} {term}")

    def _bound(self, span: Span, adding: bool) -> Iterator[Rewritten]:
        statement = self._statement(span)
        if isinstance(statement, ast.AugAssign) and not adding:
            yield from self._replace_statement(
                statement, f"{self._text(statement.target)} = {self._text(statement.value)}"
            )
        if isinstance(statement, ast.Assign) and adding and len(statement.targets) == 1:
            yield from self._replace_statement(
                statement, f"{self._text(statement.targets[0])} += {self._text(statement.value)}"
            )

    def _added_at(self, span: Span) -> Iterator[Rewritten]:
        statement = self._statement(span)
        match statement:
            case ast.AugAssign(target=ast.Subscript(value=array, slice=index), value=value):
                parts = ", ".join(self._text(part) for part in (array, index, value))
                shown = f"({self._text(index)})"
                if isinstance(index, ast.Tuple):
                    parts = f"{self._text(array)}, {shown}, {self._text(value)}"
                yield from self._replace_statement(statement, f"np.add.at({parts})")

    def _sum_stored(self, span: Span, axis: int) -> Iterator[Rewritten]:
        statement = self._statement(span)
        match statement:
            case ast.Assign(targets=[ast.Subscript(value=array) as target]):
                new = f"{self._text(target)} = -np.sum({self._text(array)}, axis={axis})"
                yield from self._replace_statement(statement, new)
            case ast.AugAssign(target=ast.Subscript(value=array) as target, op=ast.Sub()):
                new = f"{self._text(target)} -= np.sum({self._text(array)}, axis={axis})"
                yield from self._replace_statement(statement, new)

    def _added_up(self) -> Iterator[Rewritten]:
        """Each list of sums that a comprehension makes from itself and other items, and takes only the others."""
        for nodes in self._nodes.values():
            for node in nodes:
                match node:
                    case ast.Assign(targets=[target], value=ast.ListComp(elt=ast.Name(id=kept) as item, generators=[over])):
                        for old in _items_of(self._text(target), over, self._text):
                            if old != kept:
                                yield from self._replace(self.program.span(item), f"{old} + {kept}")

    def _through_statistics(self, rewrite: ThroughStatistics) -> Iterator[Rewritten]:
        """Without the mean of the value, and its share in the normalised values: a line of its own if it has a name."""
        axis = rewrite.axes[0] if len(rewrite.axes) == 1 else rewrite.axes
        settings = f"axis={axis}" + (", keepdims=True" if rewrite.keepdims else "")
        statement = self._statement(rewrite.span)
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if self.program.span(value) == rewrite.span:
                for y in self.words.readings(rewrite.normalised):
                    line = f"{name} = {name} - {name}.mean({settings}) - {y} * ({name} * {y}).mean({settings})"
                    yield from self._after(rewrite.span, line)
        whole = self._expression(rewrite.span)
        if whole is None:
            return
        text = self.program.text_of(rewrite.span)
        alone, inside = tight(text), self._inside(whole, text)
        for y in self.words.readings(rewrite.normalised):
            line = f"{inside} - {alone}.mean({settings}) - {y} * ({inside} * {y}).mean({settings})"
            yield from self._replace(rewrite.span, line)


def _items_of(array: str, over: ast.comprehension, text: Callable[[ast.AST], str]) -> list[str]:
    """The variables that stand for the items of a list where a comprehension walks it beside others."""
    match over:
        case ast.comprehension(target=ast.Tuple(elts=names), iter=ast.Call(func=ast.Name(id="zip"), args=lists)):
            return [text(name) for name, given in zip(names, lists, strict=False) if text(given) == array]
    return []
