"""What takes the place of the target of an assignment, a ``for`` or a ``with``.

In: a target of the program, and the code that gives the value.  Out: the statements that put the value there.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracer.recording.instrument import Instrumenter

_LOAD, _STORE = ast.Load(), ast.Store()


def fresh_name(code: Instrumenter) -> str:
    """A variable that the program does not have."""
    return f"_tracer_value_{len(code.places)}__"


def store(code: Instrumenter, target: ast.expr, box: ast.expr, statement: ast.stmt) -> list[ast.stmt]:
    """Statements that put the value of ``box`` into a target; as in Python, the value is evaluated first."""
    if isinstance(target, ast.Starred):
        target = target.value
    if isinstance(target, ast.Name):
        bound = code.call("bind", code.place(target, target.id), box, at=statement)
        return [ast.Assign([ast.Name(target.id, _STORE)], bound)]
    if isinstance(target, ast.Attribute):
        place = code.place(target, code.program.text_of(code.program.span(target)))
        owner = code.expression(target.value)
        name = ast.Constant(code.mangled(target.attr))
        return [ast.Expr(code.call("set_attribute", place, box, owner, name, at=statement))]
    if isinstance(target, ast.Subscript):
        place = code.place(
            statement if len(getattr(statement, "targets", ())) == 1 else target, base_of(code, target)
        )
        parts = box, code.expression(target.value), code.expression(target.slice)
        return [ast.Expr(code.call("set_item", place, *parts, at=statement))]
    if isinstance(target, (ast.Tuple, ast.List)):
        stars = [at for at, item in enumerate(target.elts) if isinstance(item, ast.Starred)]
        temporary = fresh_name(code)
        count, star = ast.Constant(len(target.elts)), ast.Constant(stars[0] if stars else -1)
        unpacked = code.call("unpack", code.place(target), box, count, star, at=statement)
        found: list[ast.stmt] = [ast.Assign([ast.Name(temporary, _STORE)], unpacked)]
        for at, item in enumerate(target.elts):
            found += store(
                code, item, ast.Subscript(ast.Name(temporary, _LOAD), ast.Constant(at), _LOAD), statement
            )
        return [*found, ast.Delete([ast.Name(temporary, ast.Del())])]
    raise AssertionError(f"not a target: {ast.dump(target)}")


def base_of(code: Instrumenter, target: ast.Subscript) -> str:
    """The text of what a subscript is one of."""
    return code.program.text_of(code.program.span(target.value))


def placed(body: list[ast.stmt], at: ast.stmt) -> list[ast.stmt]:
    """New statements, at the place of an old one."""
    return [ast.copy_location(s, at) if not hasattr(s, "lineno") else s for s in body]


@dataclass(frozen=True)
class Received:
    """What takes the place of a target that a ``for`` or a ``with`` binds: the target, and the statements after it."""

    target: ast.expr | None
    recorded: list[ast.stmt]
    native: list[ast.stmt]


def receiving(code: Instrumenter, target: ast.expr | None, statement: ast.stmt) -> Received:
    """Names are bound as they are, and get a provenance; what writes into something goes through a variable."""
    if target is None:
        return Received(None, [], [])
    if not any(isinstance(part, (ast.Subscript, ast.Attribute)) for part in ast.walk(target)):
        return Received(code.native(target), _bound_names(code, target, statement), [])
    temporary = fresh_name(code)
    read: ast.expr = ast.Name(temporary, _LOAD)
    value = code.call("loop_variable", code.place(target), read, at=statement)
    gone: ast.stmt = ast.Delete([ast.Name(temporary, ast.Del())])
    recorded = [*store(code, target, value, statement), gone]
    native: list[ast.stmt] = [ast.Assign([code.native(target)], read), copy.copy(gone)]
    return Received(ast.Name(temporary, _STORE), placed(recorded, statement), placed(native, statement))


def _bound_names(code: Instrumenter, target: ast.expr, statement: ast.stmt) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for name in ast.walk(target):
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
            read = ast.Name(name.id, _LOAD)
            value = code.call("loop_variable", code.place(name, name.id), read, at=statement)
            bound = code.call("bind", code.place(name, name.id), value, at=statement)
            found.append(ast.copy_location(ast.Assign([ast.Name(name.id, _STORE)], bound), statement))
    return found


def form_of(target: ast.expr | None) -> ast.expr:
    """How a target unpacks what it is given, as code: ``(None, (None, None))`` for ``k, (x, y)``; None if it does not.

    What the parts of a starred target are given is not known beforehand.
    """
    if not isinstance(target, (ast.Tuple, ast.List)):
        return ast.Constant(None)
    if any(isinstance(part, ast.Starred) for part in target.elts):
        return ast.Tuple([], _LOAD)
    return ast.Tuple([form_of(part) for part in target.elts], _LOAD)
