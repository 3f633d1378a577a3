"""The recorded version of statements.

In: a statement of the program and the `Instrumenter`.  Out: the statements that take its place.
"""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING, Any

from tracer.program.carried import goes_round
from tracer.recording.definitions import class_, function
from tracer.recording.loop_code import loop
from tracer.recording.syntax import needs_its_place
from tracer.recording.targets import base_of, fresh_name, placed, receiving, store

if TYPE_CHECKING:
    from tracer.recording.instrument import Instrumenter

_LOAD, _STORE = ast.Load(), ast.Store()


def recorded(code: Instrumenter, statement: ast.stmt) -> list[ast.stmt]:
    """The recorded version of one statement; statements that hold no numbers stay as they are."""
    method = _STATEMENTS.get(type(statement))
    if method is not None:
        return list(method(code, statement))
    new = code.native(statement)
    return new if isinstance(new, list) else [new]


def unrecorded(code: Instrumenter, at: ast.stmt, body: list[ast.stmt]) -> list[ast.stmt]:
    """Statements that run as they stand: the recorder is told before and after them."""
    told: ast.stmt = ast.Expr(code.call("unrecorded", at=at))
    return placed([told, *body, copy.copy(told)], at)


def _expression(code: Instrumenter, statement: ast.Expr) -> list[ast.stmt]:
    if isinstance(statement.value, ast.Constant):
        return [statement]
    return [ast.Expr(code.plain(statement.value))]


def _return(code: Instrumenter, statement: ast.Return) -> list[ast.stmt]:
    value = code.expression(statement.value) if statement.value else ast.Constant(None)
    return [ast.Return(code.call("returned", code.place(statement), value, at=statement))]


def _assert(code: Instrumenter, statement: ast.Assert) -> list[ast.stmt]:
    return [ast.Assert(code.plain(statement.test), code.native(statement.msg) if statement.msg else None)]


def _assign(code: Instrumenter, statement: ast.Assign) -> list[ast.stmt]:
    if len(statement.targets) == 1 and isinstance(
        statement.targets[0], (ast.Name, ast.Attribute, ast.Subscript)
    ):
        return store(code, statement.targets[0], code.expression(statement.value), statement)
    temporary = fresh_name(code)
    found: list[ast.stmt] = [ast.Assign([ast.Name(temporary, _STORE)], code.expression(statement.value))]
    for target in statement.targets:
        found += store(code, target, ast.Name(temporary, _LOAD), statement)
    return [*found, ast.Delete([ast.Name(temporary, ast.Del())])]


def _annotated(code: Instrumenter, statement: ast.AnnAssign) -> list[ast.stmt]:
    if statement.value is None:
        return [statement]
    [stored] = store(code, statement.target, code.expression(statement.value), statement)
    if isinstance(stored, ast.Assign):
        return [
            ast.AnnAssign(statement.target, code.native(statement.annotation), stored.value, statement.simple)
        ]
    return [stored]


def _augmented(code: Instrumenter, statement: ast.AugAssign) -> list[ast.stmt]:
    target, op = statement.target, code.operation(statement.op)
    operator = ast.Constant(op)
    if isinstance(target, ast.Name):
        read = ast.copy_location(ast.Name(target.id, _LOAD), target)
        parts = code.expression(read), code.expression(statement.value)
        value = code.call("augment", code.place(statement, target.id), operator, *parts, at=statement)
        return [ast.Assign([ast.Name(target.id, _STORE)], value)]
    shown = code.program.text_of(code.program.span(target))
    if isinstance(target, ast.Attribute):
        place, reading = code.place(statement, shown), code.place(target, shown)
        owner, name = code.expression(target.value), ast.Constant(code.mangled(target.attr))
        value = _late(code, statement.value)
        return [
            ast.Expr(
                code.call("augment_attribute", place, reading, operator, owner, name, value, at=statement)
            )
        ]
    place, reading = code.place(statement, base_of(code, target)), code.place(target, base_of(code, target))
    parts = code.expression(target.value), code.expression(target.slice)
    value = _late(code, statement.value)
    return [ast.Expr(code.call("augment_item", place, reading, operator, *parts, value, at=statement))]


def _late(code: Instrumenter, value: ast.expr) -> ast.expr:
    """The right-hand side is evaluated after the target was read, where it may stand in a function of its own."""
    recorded = code.expression(value)
    if code.in_class_body or needs_its_place(value):
        return ast.List([recorded], _LOAD)
    return ast.Lambda(ast.arguments([], [], None, [], [], None, []), recorded)


def _if(code: Instrumenter, statement: ast.If) -> list[ast.stmt]:
    test = code.call("truth", code.expression(statement.test), at=statement.test)
    body, otherwise = code.statements(statement.body), code.statements(statement.orelse)
    if code.computes_cost(statement):
        (otherwise if goes_round(statement) else body).insert(0, code.mark(statement))
    return [ast.If(test, body, otherwise)]


def _with(code: Instrumenter, statement: ast.With | ast.AsyncWith) -> list[ast.stmt]:
    items, bound = [], []
    for item in statement.items:
        received = receiving(code, item.optional_vars, statement) if item.optional_vars else None
        items.append(ast.withitem(code.plain(item.context_expr), received.target if received else None))
        bound += received.recorded if received else []
    return [type(statement)(items, bound + code.statements(statement.body))]


def _raise(code: Instrumenter, statement: ast.Raise) -> list[ast.stmt]:
    parts = [code.plain(part) if part is not None else None for part in (statement.exc, statement.cause)]
    return [ast.Raise(*parts)]


def _match(code: Instrumenter, statement: ast.Match) -> list[ast.stmt]:
    cases = [
        ast.match_case(
            code.native(case.pattern),
            code.call("truth", code.expression(case.guard), at=case.guard)
            if case.guard is not None
            else None,
            code.statements(case.body),
        )
        for case in statement.cases
    ]
    return [ast.Match(code.plain(statement.subject), cases)]


def _import(code: Instrumenter, statement: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
    """What is imported was there before: the recorder is told, so that it does not ask where it came from."""
    if any(alias.name == "*" for alias in statement.names):
        return [statement, ast.Expr(code.call("look_around", at=statement))]
    names = [alias.asname or alias.name.split(".")[0] for alias in statement.names]
    values = ast.List([ast.Name(name, _LOAD) for name in names], _LOAD)
    return [statement, ast.Expr(code.call("imported", values, at=statement))]


def _try(code: Instrumenter, statement: Any) -> list[ast.stmt]:
    handlers = [
        ast.copy_location(
            ast.ExceptHandler(code.native(h.type) if h.type else None, h.name, code.statements(h.body)), h
        )
        for h in statement.handlers
    ]
    new = type(statement)(
        code.statements(statement.body),
        handlers,
        code.statements(statement.orelse),
        code.statements(statement.finalbody),
    )
    return [new]


_STATEMENTS: dict[type[ast.stmt], Any] = {
    ast.Expr: _expression,
    ast.Return: _return,
    ast.Assert: _assert,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.If: _if,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Try: _try,
    ast.TryStar: _try,
    ast.For: loop,
    ast.While: loop,
    ast.AsyncFor: loop,
    ast.FunctionDef: function,
    ast.AsyncFunctionDef: function,
    ast.ClassDef: class_,
    ast.Match: _match,
    ast.Raise: _raise,
    ast.Import: _import,
    ast.ImportFrom: _import,
}
