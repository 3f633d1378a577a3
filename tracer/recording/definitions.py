"""The recorded version of functions and classes.

In: a definition of the program and the `Instrumenter`.  Out: one in which each function body stands twice, recorded and
native, and the attributes of a class are recorded.
"""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING, Any

from tracer.recording.loop_code import step
from tracer.recording.syntax import is_text

if TYPE_CHECKING:
    from tracer.recording.instrument import Instrumenter


def class_(code: Instrumenter, statement: ast.ClassDef) -> list[ast.stmt]:
    """A class: its attributes and methods are recorded, what is not a plain assignment runs as it stands."""
    from tracer.recording.statements import recorded, unrecorded

    outer, code.class_name = (code.class_name, code.in_class_body), statement.name
    decorators = [code.plain(d) for d in statement.decorator_list]
    bases = [code.native(b) for b in statement.bases]
    keywords = [code.native(k) for k in statement.keywords]
    code.scope.append(statement.name)
    try:
        body: list[ast.stmt] = []
        for part in statement.body:
            code.in_class_body = True
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
        code.class_name, code.in_class_body = outer
    new = copy.copy(statement)
    new.bases, new.keywords, new.decorator_list, new.body = bases, keywords, decorators, body
    return [new]


def function(code: Instrumenter, statement: Any) -> list[ast.stmt]:
    return [both_versions(code, statement, recorded_header=True)]


def both_versions(code: Instrumenter, node: Any, recorded_header: bool = False) -> Any:
    """A function with both versions of its body; the recorder says at each call which one is run.

    Arguments:
        recorded_header: whether decorators and default values, which are evaluated where the function is
            defined, are recorded.
    """
    body = list(node.body)
    doc = [body.pop(0)] if body and is_text(body[0]) else []
    scopes = [s for s in body if isinstance(s, (ast.Global, ast.Nonlocal))]
    body = [s for s in body if s not in scopes]
    header = code.plain if recorded_header else code.native
    decorators = [header(d) for d in node.decorator_list]
    arguments = defaults(code, node.args) if recorded_header else code.native(node.args)
    outer, code.in_class_body = code.in_class_body, False
    if body:
        code.scope.append(node.name)
        entered = code.call("enter", code.place(node, node.name), at=body[0])
        recursing = [*code.recursing, node] if code.trains(node) is not None else []
        code.recursing, outside = recursing, code.recursing
        choice = ast.If(entered, code.statements(copy.deepcopy(body)), code.native_body(body))
        code.recursing = outside
        code.scope.pop()
        body = step(code, node, [ast.copy_location(choice, body[0])])
    code.in_class_body = outer
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
