"""The recorded version of loops: each iteration in both versions, the training loops with their windows.

In: a loop of the program and the `Instrumenter`.  Out: the statements that take its place.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from tracer.program.numerical_checks import checks_numerically
from tracer.recording.targets import form_of, placed, receiving

if TYPE_CHECKING:
    from tracer.recording.instrument import Instrumenter

_LOAD, _STORE = ast.Load(), ast.Store()


def loop(code: Instrumenter, statement: Any) -> list[ast.stmt]:
    if code.trains(statement) is not None:
        return [training_loop(code, statement, recorded_header=True)]
    if checks_numerically(statement):
        token, native = code.token(), code.native(statement)
        place = code.place(statement.iter if isinstance(statement, ast.For) else statement.test)
        return _between("pause", "resume", token, [native], code, statement, place)
    token = code.token()
    again = code.call("again", ast.Name(token, _LOAD), at=statement)
    received = receiving(code, getattr(statement, "target", None), statement)
    body: list[ast.stmt] = [ast.If(again, received.recorded + code.statements(statement.body),
                                   received.native + code.native_body(statement.body))]  # fmt: skip
    orelse = code.statements(statement.orelse)
    loop = _header(code, statement, received.target, placed(body, statement), orelse, True)
    place = code.place(statement.test if isinstance(statement, ast.While) else statement.iter)
    return _between("loop_begin", "loop_end", token, [loop], code, statement, place)


def training_loop(code: Instrumenter, statement: Any, recorded_header: bool) -> ast.stmt:
    """A loop whose chosen iterations are recorded as windows, as one compound statement."""
    token = code.token()
    number = code.trains(statement)
    assert number is not None
    tick = code.call("tick", ast.Name(token, _LOAD), at=statement)
    tock: ast.stmt = ast.Expr(code.call("tock", ast.Name(token, _LOAD), at=statement))
    received = receiving(code, getattr(statement, "target", None), statement)
    twin = received.recorded + code.statements(statement.body)
    plain = received.native + code.native_body(statement.body)
    if isinstance(statement, ast.While) and code.takes_steps_in_its_test(statement):
        test = code.call("truth", code.expression(statement.test), at=statement)
        twin = placed([_unless(test), *twin], statement)
        plain = placed([_unless(code.native(statement.test)), *plain], statement)
        always = ast.copy_location(ast.Constant(True), statement.test)
        statement = ast.copy_location(ast.While(always, statement.body, []), statement)
    guarded = ast.Try(placed(twin, statement), [], [], placed([tock], statement))
    body: list[ast.stmt] = [ast.If(tick, placed([guarded], statement), plain)]
    orelse = code.statements(statement.orelse) if recorded_header else code.native_body(statement.orelse)
    loop = _header(code, statement, received.target, placed(body, statement), orelse, recorded_header)
    inner = _between("training_begin", "training_end", token, [loop], code, statement, number)
    return ast.copy_location(ast.If(ast.Constant(True), placed(inner, statement), []), statement)


def _unless(test: ast.expr) -> ast.stmt:
    return ast.If(ast.UnaryOp(ast.Not(), test), [ast.Break()], [])


def step(code: Instrumenter, function: ast.stmt, body: list[ast.stmt]) -> list[ast.stmt]:
    """The body of a function; each call of one that trains by calling itself is an iteration."""
    number = code.trains(function)
    return body if number is None else _between("step_begin", "step_end", code.token(), body, code, body[0], number)


def _header(
    code: Instrumenter,
    node: Any,
    target: ast.expr | None,
    body: list[ast.stmt],
    orelse: list[ast.stmt],
    recorded_header: bool,
) -> ast.stmt:
    if isinstance(node, ast.While):
        test = (
            code.call("truth", code.expression(node.test), at=node.test)
            if recorded_header
            else code.native(node.test)
        )
        return ast.copy_location(ast.While(test, body, orelse), node)
    if isinstance(node, ast.AsyncFor):  # What it runs over gives its items by itself.
        assert target is not None
        return ast.copy_location(ast.AsyncFor(target, code.plain(node.iter), body, orelse, None), node)
    source = code.native(node.iter)
    if recorded_header:
        place, items = code.place(node.iter), code.expression(node.iter)
        source = code.call("iterate", place, items, form_of(node.target), at=node.iter)
    assert target is not None
    return ast.copy_location(ast.For(target, source, body, orelse, None), node)


def _between(
    begin: str, end: str, token: str, body: list[ast.stmt], code: Instrumenter, at: ast.stmt, *args: ast.expr
) -> list[ast.stmt]:
    first: ast.stmt = ast.Assign([ast.Name(token, _STORE)], code.call(begin, *args, at=at))
    last: ast.stmt = ast.Expr(code.call(end, ast.Name(token, _LOAD), at=at))
    gone: ast.stmt = ast.Delete([ast.Name(token, ast.Del())])
    return placed([first, ast.Try(placed(body, at), [], [], placed([last, gone], at))], at)
