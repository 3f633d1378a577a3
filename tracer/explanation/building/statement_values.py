"""Where the value of each statement stands in the source, and what it is bound to.

Comes in: a program.  Goes out: `StatementValues`, by the spans of statements.
"""

from __future__ import annotations

import ast

from msgspec import Struct, field

from tracer.program import Program
from tracer.tape.node import Span


class StatementValues(Struct, frozen=True):
    """What the statements of a program make.

    Attributes:
        value: the right side, what is returned, the expression; of ``x += …`` all of it.
        target: what is assigned to, as it is written, without the places in it.
        plain: the statements that bind one name to their value.
        items: those of the list, tuple or dict that is the value.
    """

    value: dict[Span, Span] = field(default_factory=dict)
    target: dict[Span, str] = field(default_factory=dict)
    plain: set[Span] = field(default_factory=set)
    items: dict[Span, set[Span]] = field(default_factory=dict)

    def is_all_of(self, statement: Span, span: Span) -> bool:
        """Whether an expression is the value of the statement, or an item of the list, tuple or dict that it makes."""
        return self.value.get(statement) == span or span in self.items.get(statement, ())


def statement_values(program: Program) -> StatementValues:
    """The values of all statements of a program."""
    found = StatementValues()
    for node in ast.walk(program.tree):
        if not isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return | ast.Expr):
            continue
        span = program.span(node)
        if isinstance(node, ast.AugAssign):
            found.value[span] = span
        elif node.value is not None:
            found.value[span] = program.span(node.value)
            found.items[span] = {program.span(item) for item in _items(node.value)}
        if isinstance(node, ast.Return | ast.Expr):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if len(targets) == 1 and not isinstance(targets[0], ast.Tuple | ast.List):
            found.plain.add(span)
        if not isinstance(node, ast.AnnAssign):
            target = _variable(targets[0])
            if isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
                found.target[span] = program.text_of(program.span(target))
    return found


def _variable(target: ast.expr) -> ast.expr:
    """What is changed by an assignment to a place in it; ``d["W"]`` is a variable of its own."""
    while isinstance(target, ast.Subscript):
        if isinstance(target.slice, ast.Constant) and isinstance(target.slice.value, str):
            break
        target = target.value
    return target


def _items(value: ast.expr) -> list[ast.expr]:
    """The items of a list, tuple or dict, or what each of them is made by."""
    match value:
        case ast.ListComp(elt=item) | ast.GeneratorExp(elt=item) | ast.DictComp(value=item):
            return [item]
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Dict(values=items):
            return items
        case _:
            return []
