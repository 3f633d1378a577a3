"""The recorded version of statements, functions and loops.

In: a statement of the program and the `Instrumenter`.  Out: the statements that take its place.
"""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tracer.program.numerical_checks import checks_numerically

if TYPE_CHECKING:
    from tracer.recording.instrument import Instrumenter

_LOAD, _STORE = ast.Load(), ast.Store()


def recorded(code: Instrumenter, statement: ast.stmt) -> list[ast.stmt]:
    """The recorded version of one statement; statements that hold no numbers stay as they are."""
    method = _STATEMENTS.get(type(statement))
    if method is not None:
        return list(method(code, statement))
    new = code.native(statement)
    found = new if isinstance(new, list) else [new]
    return (
        unrecorded(code, statement, found) if isinstance(statement, (ast.AsyncFor, ast.AsyncWith)) else found
    )


def unrecorded(code: Instrumenter, at: ast.stmt, body: list[ast.stmt]) -> list[ast.stmt]:
    """Statements that run as they stand: the recorder is told before and after them."""
    told: ast.stmt = ast.Expr(code.call("unrecorded", at=at))
    return _placed([told, *body, copy.copy(told)], at)


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
    temporary = _temporary(code)
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


def _temporary(code: Instrumenter) -> str:
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
            statement if len(getattr(statement, "targets", ())) == 1 else target, _base(code, target)
        )
        parts = box, code.expression(target.value), code.expression(target.slice)
        return [ast.Expr(code.call("set_item", place, *parts, at=statement))]
    if isinstance(target, (ast.Tuple, ast.List)):
        stars = [at for at, item in enumerate(target.elts) if isinstance(item, ast.Starred)]
        temporary = _temporary(code)
        count, star = ast.Constant(len(target.elts)), ast.Constant(stars[0] if stars else -1)
        unpacked = code.call("unpack", code.place(target), box, count, star, at=statement)
        found: list[ast.stmt] = [ast.Assign([ast.Name(temporary, _STORE)], unpacked)]
        for at, item in enumerate(target.elts):
            found += store(
                code, item, ast.Subscript(ast.Name(temporary, _LOAD), ast.Constant(at), _LOAD), statement
            )
        return [*found, ast.Delete([ast.Name(temporary, ast.Del())])]
    raise AssertionError(f"not a target: {ast.dump(target)}")


def _base(code: Instrumenter, target: ast.Subscript) -> str:
    return code.program.text_of(code.program.span(target.value))


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
        value = _late(code.expression(statement.value))
        return [
            ast.Expr(
                code.call("augment_attribute", place, reading, operator, owner, name, value, at=statement)
            )
        ]
    place, reading = code.place(statement, _base(code, target)), code.place(target, _base(code, target))
    parts = code.expression(target.value), code.expression(target.slice)
    value = _late(code.expression(statement.value))
    return [ast.Expr(code.call("augment_item", place, reading, operator, *parts, value, at=statement))]


def _late(value: ast.expr) -> ast.expr:
    """The right-hand side is evaluated after the target was read, unless it suspends a generator."""
    if any(isinstance(n, (ast.Yield, ast.YieldFrom, ast.Await, ast.NamedExpr)) for n in ast.walk(value)):
        return ast.List([value], _LOAD)
    return ast.Lambda(ast.arguments([], [], None, [], [], None, []), value)


def _if(code: Instrumenter, statement: ast.If) -> list[ast.stmt]:
    test = code.call("truth", code.expression(statement.test), at=statement.test)
    body = code.statements(statement.body)
    if (statement.lineno, statement.col_offset) in code.costs:
        body.insert(0, ast.copy_location(ast.Expr(code.call("mark", at=statement)), statement))
    return [ast.If(test, body, code.statements(statement.orelse))]


def _with(code: Instrumenter, statement: ast.With) -> list[ast.stmt]:
    items, bound = [], []
    for item in statement.items:
        received = _received(code, item.optional_vars, statement) if item.optional_vars else None
        items.append(ast.withitem(code.plain(item.context_expr), received.target if received else None))
        bound += received.recorded if received else []
    return [ast.With(items, bound + code.statements(statement.body))]


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


def _class(code: Instrumenter, statement: ast.ClassDef) -> list[ast.stmt]:
    """A class: its attributes and methods are recorded, what is not a plain assignment runs as it stands."""
    outer, code.class_name = code.class_name, statement.name
    decorators = [code.plain(d) for d in statement.decorator_list]
    bases = [code.native(b) for b in statement.bases]
    keywords = [code.native(k) for k in statement.keywords]
    code.scope.append(statement.name)
    try:
        body: list[ast.stmt] = []
        for part in statement.body:
            single = (
                isinstance(part, ast.Assign)
                and isinstance(part.targets[0], ast.Name)
                and len(part.targets) == 1
            )
            annotated = isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name)
            changed = isinstance(part, ast.AugAssign) or (
                isinstance(part, ast.Assign)
                and isinstance(part.targets[0], ast.Subscript)
                and len(part.targets) == 1
            )
            if (
                single
                or annotated
                or changed
                or isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            ):
                body += [ast.copy_location(new, part) for new in recorded(code, part)]
            else:
                body += unrecorded(code, part, code.native_body([part]))
    finally:
        code.scope.pop()
        code.class_name = outer
    new = copy.copy(statement)
    new.bases, new.keywords, new.decorator_list, new.body = bases, keywords, decorators, body
    return [new]


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


def _loop(code: Instrumenter, statement: Any) -> list[ast.stmt]:
    if (statement.lineno, statement.col_offset) in code.training:
        return [training_loop(code, statement, recorded_header=True)]
    if checks_numerically(statement):
        token, native = code.token(), code.native(statement)
        place = code.place(statement.iter if isinstance(statement, ast.For) else statement.test)
        return _between("pause", "resume", token, [native], code, statement, place)
    token = code.token()
    again = code.call("again", ast.Name(token, _LOAD), at=statement)
    received = _received(code, getattr(statement, "target", None), statement)
    body: list[ast.stmt] = [ast.If(again, received.recorded + code.statements(statement.body),
                                   received.native + code.native_body(statement.body))]  # fmt: skip
    orelse = code.statements(statement.orelse)
    loop = _header(code, statement, received.target, _placed(body, statement), orelse, True)
    place = code.place(statement.iter if isinstance(statement, ast.For) else statement.test)
    return _between("loop_begin", "loop_end", token, [loop], code, statement, place)


def training_loop(code: Instrumenter, statement: Any, recorded_header: bool) -> ast.stmt:
    """A loop whose chosen iterations are recorded as windows, as one compound statement."""
    token = code.token()
    number = ast.Constant(code.training[(statement.lineno, statement.col_offset)])
    tick = code.call("tick", ast.Name(token, _LOAD), at=statement)
    tock: ast.stmt = ast.Expr(code.call("tock", ast.Name(token, _LOAD), at=statement))
    received = _received(code, getattr(statement, "target", None), statement)
    twin = received.recorded + code.statements(statement.body)
    guarded = ast.Try(_placed(twin, statement), [], [], _placed([tock], statement))
    plain = received.native + code.native_body(statement.body)
    body: list[ast.stmt] = [ast.If(tick, _placed([guarded], statement), plain)]
    orelse = code.statements(statement.orelse) if recorded_header else code.native_body(statement.orelse)
    loop = _header(code, statement, received.target, _placed(body, statement), orelse, recorded_header)
    inner = _between("training_begin", "training_end", token, [loop], code, statement, number)
    return ast.copy_location(ast.If(ast.Constant(True), _placed(inner, statement), []), statement)


def _placed(body: list[ast.stmt], at: ast.stmt) -> list[ast.stmt]:
    return [ast.copy_location(s, at) if not hasattr(s, "lineno") else s for s in body]


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
    source = code.native(node.iter)
    if recorded_header:
        source = code.call("iterate", code.place(node.iter), code.expression(node.iter), at=node.iter)
    assert target is not None
    return ast.copy_location(ast.For(target, source, body, orelse, None), node)


def _between(
    begin: str, end: str, token: str, body: list[ast.stmt], code: Instrumenter, at: ast.stmt, *args: ast.expr
) -> list[ast.stmt]:
    first: ast.stmt = ast.Assign([ast.Name(token, _STORE)], code.call(begin, *args, at=at))
    last: ast.stmt = ast.Expr(code.call(end, ast.Name(token, _LOAD), at=at))
    gone: ast.stmt = ast.Delete([ast.Name(token, ast.Del())])
    return _placed([first, ast.Try(_placed(body, at), [], [], _placed([last, gone], at))], at)


@dataclass(frozen=True)
class _Received:
    """What takes the place of a target that a ``for`` or a ``with`` binds: the target, and the statements after it."""

    target: ast.expr | None
    recorded: list[ast.stmt]
    native: list[ast.stmt]


def _received(code: Instrumenter, target: ast.expr | None, statement: ast.stmt) -> _Received:
    """Names are bound as they are, and get a provenance; what writes into something goes through a variable."""
    if target is None:
        return _Received(None, [], [])
    if not any(isinstance(part, (ast.Subscript, ast.Attribute)) for part in ast.walk(target)):
        return _Received(code.native(target), _bound_names(code, target, statement), [])
    temporary = _temporary(code)
    read: ast.expr = ast.Name(temporary, _LOAD)
    value = code.call("loop_variable", code.place(target), read, at=statement)
    gone: ast.stmt = ast.Delete([ast.Name(temporary, ast.Del())])
    recorded = [*store(code, target, value, statement), gone]
    native: list[ast.stmt] = [ast.Assign([code.native(target)], read), copy.copy(gone)]
    return _Received(ast.Name(temporary, _STORE), _placed(recorded, statement), _placed(native, statement))


def _bound_names(code: Instrumenter, target: ast.expr, statement: ast.stmt) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for name in ast.walk(target):
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
            read = ast.Name(name.id, _LOAD)
            value = code.call("loop_variable", code.place(name, name.id), read, at=statement)
            bound = code.call("bind", code.place(name, name.id), value, at=statement)
            found.append(ast.copy_location(ast.Assign([ast.Name(name.id, _STORE)], bound), statement))
    return found


def both_versions(code: Instrumenter, node: Any, recorded_header: bool = False) -> Any:
    """A function with both versions of its body; the recorder says at each call which one is run.

    Arguments:
        recorded_header: whether decorators and default values, which are evaluated where the function is
            defined, are recorded.
    """
    from tracer.recording.instrument import is_text

    body = list(node.body)
    doc = [body.pop(0)] if body and is_text(body[0]) else []
    scopes = [s for s in body if isinstance(s, (ast.Global, ast.Nonlocal))]
    body = [s for s in body if s not in scopes]
    header = code.plain if recorded_header else code.native
    decorators = [header(d) for d in node.decorator_list]
    arguments = defaults(code, node.args) if recorded_header else code.native(node.args)
    if body:
        code.scope.append(node.name)
        entered = code.call("enter", code.place(node, node.name), at=body[0])
        choice = ast.If(entered, code.statements(copy.deepcopy(body)), code.native_body(body))
        code.scope.pop()
        body = [ast.copy_location(choice, body[0])]
    new = copy.copy(node)
    new.args, new.decorator_list, new.body = arguments, decorators, [*doc, *scopes, *body]
    return new


def defaults(code: Instrumenter, arguments: ast.arguments) -> ast.arguments:
    """Parameters whose default values are recorded."""
    new: ast.arguments = code.native(ast.arguments(
        arguments.posonlyargs, arguments.args, arguments.vararg, arguments.kwonlyargs, [], arguments.kwarg, []
    ))  # fmt: skip
    new.defaults = [code.plain(value) for value in arguments.defaults]
    new.kw_defaults = [code.plain(value) if value is not None else None for value in arguments.kw_defaults]
    return new


def _function(code: Instrumenter, statement: Any) -> list[ast.stmt]:
    return [both_versions(code, statement, recorded_header=True)]


_STATEMENTS: dict[type[ast.stmt], Any] = {
    ast.Expr: _expression,
    ast.Return: _return,
    ast.Assert: _assert,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.If: _if,
    ast.With: _with,
    ast.Try: _try,
    ast.TryStar: _try,
    ast.For: _loop,
    ast.While: _loop,
    ast.FunctionDef: _function,
    ast.AsyncFunctionDef: _function,
    ast.ClassDef: _class,
    ast.Match: _match,
    ast.Raise: _raise,
    ast.Import: _import,
    ast.ImportFrom: _import,
}
