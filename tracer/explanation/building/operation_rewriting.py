"""Edits of an operation: another sign, operator, order or axis, or one of its operands alone.

Comes in: the place of an operation.  Goes out: its new text, or edits of whole lines, the likeliest first.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tracer.explanation.building.source_places import PRODUCTS, SUMS, Rewritten, SourcePlaces, tight
from tracer.tape.node import Span

_SYMBOLS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "greater": ">",
    "less": "<",
    "greater_equal": ">=",
    "less_equal": "<=",
}


class OperationEditor(SourcePlaces):
    """Writes edits of operations of one program."""

    def _other_way(self, span: Span) -> Iterator[Rewritten]:
        """``x -= v`` for ``x += v``, where ``v`` has the wrong sign."""
        statement = self._statement(span)
        if isinstance(statement, ast.AugAssign) and self.program.span(statement.value) == span:
            symbol = {ast.Add: "-", ast.Sub: "+"}.get(type(statement.op))
            if symbol is not None:
                target, value = self._text(statement.target), self._text(statement.value)
                yield from self._replace_statement(statement, f"{target} {symbol}= {value}")

    def _negated(self, span: Span) -> str | None:
        node = self._expression(span)
        if node is None:
            return None
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
            left, right = self._text(node.left), self._text(node.right)
            return f"{right} - {self._inside(node.left, left)}"
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return self._text(node.operand)
        text = self.program.text_of(span)
        loose = isinstance(node, ast.BinOp) and isinstance(node.op, SUMS)
        return f"-({text})" if loose else f"-{text}"

    def _operator(self, span: Span, op: str) -> str | None:
        symbol = _SYMBOLS.get(op)
        for node in self._nodes.get(span, ()):
            if isinstance(node, ast.AugAssign) and symbol in ("+", "-", "*", "/"):
                return f"{self._text(node.target)} {symbol}= {self._text(node.value)}"
            if isinstance(node, ast.BinOp) and isinstance(node.op, (*SUMS, *PRODUCTS)):
                right = (
                    self._inside(node.right, self._text(node.right))
                    if symbol in ("-", "/")
                    else self._text(node.right)
                )
                left = self._text(node.left)
                return f"{self._inside(node.left, left) if symbol in ('*', '/') else left} {symbol} {right}"
            if isinstance(node, ast.Compare) and len(node.ops) == 1:
                return f"{self._text(node.left)} {symbol} {self._text(node.comparators[0])}"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                text = self.program.text_of(span)
                old = self._text(node.func)
                return text.replace(old, old.rpartition(".")[0] + f".{op}", 1)
        return None

    def _product(self, span: Span, flipped: tuple[bool, bool], swapped: bool) -> str | None:
        operands = self._operand_nodes(span)
        if len(operands) != 2:
            return None
        texts = [
            self._transposed(o, self._text(o)) if f else self._text(o)
            for o, f in zip(operands, flipped, strict=True)
        ]
        closed = [tight(t) for t in texts]
        if swapped:
            texts, closed = texts[::-1], closed[::-1]
        node = next(n for n in self._nodes[span] if isinstance(n, ast.BinOp | ast.Call))
        if isinstance(node, ast.BinOp):
            return f"{closed[0]} @ {closed[1]}"
        if isinstance(node.func, ast.Attribute) and not self._is_module(node.func.value):
            return f"{closed[0]}.{node.func.attr}({texts[1]})"
        return f"{self._text(node.func)}({texts[0]}, {texts[1]})"

    def _dropped(self, span: Span, kept: int) -> Iterator[Rewritten]:
        statement = self._statement(span)
        operands = self._operand_nodes(span)
        if isinstance(statement, ast.AugAssign) and self.program.span(statement) == span:
            new = "pass" if kept == 0 else f"{self._text(statement.target)} = {self._text(statement.value)}"
            yield from self._replace_statement(statement, new)
        elif isinstance(statement, ast.Assign) and self.program.span(statement) == span and kept == 0:
            yield from self._replace_statement(statement, "pass")
        elif kept < len(operands):
            yield from self._replace(span, self._text(operands[kept]))

    def _dropped_more(self, span: Span, further: int) -> Iterator[Rewritten]:
        inner = span
        for _ in range(further + 1):
            operands = self._operand_nodes(inner)
            if not operands:
                return
            inner = self.program.span(operands[0])
        yield from self._replace(span, self._text(operands[0]))

    def _reduction(self, span: Span, op: str, axis: int | None, keepdims: bool) -> str | None:
        node = self._expression(span)
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return None
        owner = node.func.value
        first = [self._text(node.args[0])] if self._is_module(owner) and node.args else []
        settings = [] if axis is None else [f"axis={axis}"]
        settings += ["keepdims=True"] if keepdims else []
        return f"{self._called_upon(owner)}.{op}({', '.join([*first, *settings])})"

    def _summed(self, node: ast.expr, axes: tuple[int, ...], keepdims: bool) -> str:
        axis = f"axis={axes[0] if len(axes) == 1 else axes}" if axes else ""
        settings = [text for text in (axis, "keepdims=True" if keepdims else "") if text]
        return f"np.sum({', '.join([self._text(node), *settings])})"
